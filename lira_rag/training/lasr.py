"""Train LaSR's fusion head on a frozen encoder: encode, cross-validate, judge, and only then fit on everything.

Held out are whole groups of questions (`HeadItem.group`), part by part; the number of epochs is the one at which the
parts find most. The gate judges every question by the head that had not seen it, and each language also by a head that
had not seen the language at all, which says whether languages without questions of their own may use it. A killed run
goes on in ``<out>.partial``, part by part, and the last fit epoch by epoch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial as bind
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import CheckpointError, InvalidInput
from lira_rag.functional.intervals import paired_interval
from lira_rag.lasr.head import ANY, LasrHead
from lira_rag.modules.fusion import FusionHead
from lira_rag.modules.saving import read_card, read_weights, write_state
from lira_rag.protocols import TokenEncoder
from lira_rag.training.head import head_vectors, train_head
from lira_rag.training.head_gate import HeadVerdict, Scored, judge_head, score_forms, score_rule, tune_rule
from lira_rag.training.head_items import Translations, head_items
from lira_rag.training.head_material import FORMS, HeadMaterial, encode_head_material
from lira_rag.training.head_settings import HeadSettings

__all__ = ["LasrTrained", "as_lasr", "fit_head", "prepare", "recipe_of", "train_lasr"]

_logger = logging.getLogger("lira_rag")
Report = Callable[[int, int | None], None]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LasrTrained:
    """What a run made.

    Attributes:
        head: None when the gate refused; the identity is used then.
        verdict: the gate's.
        about: epochs, questions, history and settings, for people and for the card.
    """

    head: LasrHead | None
    verdict: HeadVerdict
    about: dict[str, Any]


async def prepare(
    pairs: Pairs,
    encoder: TokenEncoder,
    maps: AnchorMaps | None,
    cache: VectorCache,
    settings: HeadSettings,
    translations: Translations | None = None,
) -> HeadMaterial:
    """Read and encode what a head is trained on.

    Raises:
        InvalidInput: too few pairs.
    """
    items = head_items(pairs, translations, settings.seed)
    return await encode_head_material(items, pairs, encoder, maps, cache, settings.bins)


async def train_lasr(
    pairs: Pairs,
    encoder: TokenEncoder,
    out: Path,
    *,
    maps: AnchorMaps | None = None,
    settings: HeadSettings | None = None,
    translations: Translations | None = None,
    cache: VectorCache | None = None,
    sources: str = "the user's own pairs",
    unseen: bool = True,
    progress: Report | None = None,
) -> LasrTrained:
    """Train, judge, and save to `out` what the gate passes; a run that it refuses writes nothing.

    Args:
        pairs: what `arca.parallel` read.
        encoder: the frozen backbone of both paths.
        out: folder of the checkpoint.
        maps: the anchoring maps the head stands behind; None is the identity.
        translations: see `head_items`.
        cache: encoded texts; None keeps them in memory.
        sources: where the pairs come from and their licences, for the card.
        unseen: also try languages left out, in turn, to see whether languages without pairs may use the head.
        progress: called with (parts done, parts).

    Raises:
        InvalidInput: too few pairs, or too few with a passage.
    """
    settings, cache = settings or HeadSettings(), cache or VectorCache()
    material = await prepare(pairs, encoder, maps, cache, settings, translations)
    scratch = Path(f"{out}.partial")
    made = fit_head(material, settings, scratch, unseen, progress)
    if made.head is not None:
        made.head.card.update(sources=sources, notes=list(pairs.notes))
        made.head.save(out, encoder.fingerprint, maps.marks if maps is not None else {})
    shutil.rmtree(scratch, ignore_errors=True)
    _logger.info("lasr: %s", made.verdict.reason)
    return made


def fit_head(
    material: HeadMaterial,
    settings: HeadSettings,
    scratch: Path | None = None,
    unseen: bool = True,
    progress: Report | None = None,
) -> LasrTrained:
    """Everything but reading and writing: cross-validate, judge, fit.

    Raises:
        InvalidInput: too few questions with a passage.
    """
    judged = np.flatnonzero(material.gold >= 0)
    if len(judged) < 4 * settings.folds:
        raise InvalidInput(f"a head is judged on at least {4 * settings.folds} passages, but got {len(judged)}")
    parts = _parts(material, settings)
    total, done = len(parts) + len(material.languages) + 1, 0
    held, scored = [], []
    for number, rows in enumerate(parts):
        held.append(rows[material.gold[rows] >= 0])
        scored.append(_resumed(scratch, f"part-{number}", material, settings, bind(_part, material, rows, settings)))
        _report(progress, done := done + 1, total)
    epochs = _best_epoch(scored)
    verdict = judge_head(material, np.concatenate(held), _at(scored, epochs), _tuned(material, held), settings.seed)
    about: dict[str, Any] = {"epochs": epochs, "questions": len(material), "settings": settings.to_dict()}
    if not verdict.passed:
        return LasrTrained(None, verdict, about)
    if unseen:
        verdict, about["unseen"] = _unseen(material, settings, epochs, verdict, scratch, progress)
    run = train_head(material, np.arange(len(material)), settings, epochs=epochs, partial=_under(scratch, "whole"))
    _report(progress, total, total)
    about["history"] = [{name: round(value, 5) for name, value in step.items()} for step in run.history]
    card = {"languages": list(verdict.languages), "verdict": verdict.to_dict(), **about}
    return LasrTrained(as_lasr(run.head, material, settings, card), verdict, about)


def as_lasr(
    head: FusionHead,
    material: HeadMaterial,
    settings: HeadSettings,
    card: Mapping[str, Any] | None = None,
    unseen: Sequence[str] = (),
) -> LasrHead:
    """A trained network with its card; without one it is taken to be passed for everything, to be measured.

    `unseen` are languages it was trained without: they have no embedding of their own.
    """
    left_out = "" if settings.native and settings.translated else "english" if settings.native else "native"
    embedded = ["" if tag in unseen else tag for tag in material.languages] if settings.language else []
    passed = card or {"languages": [*material.languages, ANY], "alone": not settings.translated}
    return LasrHead(head, {"embedded": embedded, "left_out": left_out, **passed})


def _parts(material: HeadMaterial, settings: HeadSettings) -> list[Rows]:
    """Row numbers of each part; a group's items are all in one."""
    groups = {group: n for n, group in enumerate(sorted({item.group for item in material.items}))}
    fold = np.random.default_rng(settings.seed).permutation(len(groups)) % settings.folds
    of_item = fold[[groups[item.group] for item in material.items]]
    return [np.flatnonzero(of_item == number) for number in range(settings.folds)]


def _part(material: HeadMaterial, rows: Rows, settings: HeadSettings, epochs: int | None = None) -> Scored:
    """Figures of some questions with a passage by a head that has not seen `rows`: [epochs + 1, n] by form."""
    judged = rows[material.gold[rows] >= 0]
    rest = np.setdiff1d(np.arange(len(material)), rows)
    seen: list[Scored] = []

    def look(head: FusionHead) -> dict[str, float]:
        vectors = {form: head_vectors(head, material.paths(judged, form), settings) for form in FORMS}
        seen.append(score_forms(material, vectors, judged))
        return {form: 100 * float(values.mean()) for form, values in seen[-1].items()}

    run = train_head(material, rest, settings, epochs=epochs, look=look)
    _logger.info("lasr: %d questions held out: %s", len(judged), run.reason)
    return {form: np.stack([step[form] for step in seen]) for form in FORMS}


def _best_epoch(scored: Sequence[Scored]) -> int:
    """The epoch, not 0, at which the mean over forms and questions is highest, among epochs that every part reached."""
    last = min(len(part["gloss"]) for part in scored)
    curves = [np.concatenate([part[form][:last] for part in scored], axis=1).mean(axis=1) for form in FORMS]
    return 1 + int(np.argmax(np.mean(curves, axis=0)[1:])) if last > 1 else 0


def _at(scored: Sequence[Scored], epoch: int) -> Scored:
    return {form: np.concatenate([part[form][epoch] for part in scored]) for form in FORMS}


def _tuned(material: HeadMaterial, held: Sequence[Rows]) -> Scored:
    """The rule with its share chosen, for each part, on the other parts."""
    found = []
    for number, rows in enumerate(held):
        rest = np.concatenate([other for place, other in enumerate(held) if place != number])
        found.append(score_rule(material, rows, tune_rule(material, rest)))
    return {form: np.concatenate([part[form] for part in found]) for form in FORMS}


def _unseen(
    material: HeadMaterial,
    settings: HeadSettings,
    epochs: int,
    verdict: HeadVerdict,
    scratch: Path | None,
    progress: Report | None,
) -> tuple[HeadVerdict, dict[str, Any]]:
    """Each language by a head that has not seen it: passes `ANY` when all together gain and none falls."""
    before, after, found = [], [], {}
    for number, tag in enumerate(material.languages):
        rows = np.flatnonzero(material.tags == tag)
        judged = rows[material.gold[rows] >= 0]
        if len(judged) and len(rows) < len(material):
            part = bind(_part, material, rows, settings, epochs)
            now = _resumed(scratch, f"without-{tag}", material, settings, part)["gloss"][-1]
            was = score_rule(material, judged)["gloss"]
            low, high = (round(100 * value, 2) for value in paired_interval(now, was, seed=settings.seed))
            found[tag] = {"rule": round(100 * float(was.mean()), 2), "head": round(100 * float(now.mean()), 2)}
            found[tag] |= {"low": low, "high": high}
            before.append(was)
            after.append(now)
        _report(progress, settings.folds + number + 1, settings.folds + len(material.languages) + 1)
    if len(found) < 3 or any(row["high"] < 0 for row in found.values()):
        return verdict, found
    low, _ = paired_interval(np.concatenate(after), np.concatenate(before), seed=settings.seed)
    return (replace(verdict, languages=(*verdict.languages, ANY)) if low > 0 else verdict), found


def _resumed(
    scratch: Path | None, name: str, material: HeadMaterial, settings: HeadSettings, make: Callable[[], Scored]
) -> Scored:
    """What an equal run that was stopped has measured, or else measured now and kept."""
    import torch

    recipe = recipe_of(material, settings)
    if scratch is not None:
        try:
            card = read_card(scratch, name)
            if card.get("recipe") == recipe:
                return {form: tensor.numpy() for form, tensor in read_weights(scratch, name, card).items()}
        except CheckpointError:
            pass
    found = make()
    if scratch is not None:
        write_state(scratch, name, {form: torch.from_numpy(rows) for form, rows in found.items()}, {"recipe": recipe})
    return found


def recipe_of(material: HeadMaterial, settings: HeadSettings) -> str:
    """Hash of all that decides the result."""
    texts = [[i.pair.text, i.pair.language, i.pair.english, i.pair.passage, i.gloss, i.noised] for i in material.items]
    about = hashlib.blake2b(json.dumps([texts, settings.to_dict()]).encode("utf-8", "surrogatepass"), digest_size=16)
    about.update(np.ascontiguousarray(material.anchored).tobytes())
    return about.hexdigest()


def _under(scratch: Path | None, name: str) -> Path | None:
    return scratch / name if scratch is not None else None


def _report(progress: Report | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
