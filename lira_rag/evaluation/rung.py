"""The rung of real translations: what a small language model's drawn candidates are worth, chosen and fused.

"chosen" rows search with translations alone; "path" rows search with the query's own path, the translation, or both.
The actor is trained on other questions (`evaluation.rung_data`), once for each seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lira_rag.arca.believing import UNSTATED
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.candidates import Candidates
from lira_rag.evaluation.intervals import macro_interval
from lira_rag.evaluation.methods import AdaptorOnly, Backbone, Method, Oracle, Whole
from lira_rag.evaluation.tables import figures, measure
from lira_rag.functional.alignment import unit
from lira_rag.functional.reward import RewardWeights, feature_rows, rewards
from lira_rag.protocols import Actor, Choice, FloatArray

__all__ = ["ABLATED", "decide", "measure_rung", "without"]

Values = dict[str, FloatArray]
"""Per-query figures in [0, 1], by block name."""
ABLATED = {"actor without the judge": ("fidelity", "emotion", "tone"), "actor without sim": ("similarity",)}
"""Actors that are trained and asked without some scores."""
FIRST, ACTOR, OWN, OWN_WORDS = "first", "actor, seed 0", "own path", "own path and words"


async def measure_rung(
    found: Sequence[Candidates],
    actors: Sequence[Actor],
    bench: Bench,
    reliability: Mapping[str, float] | None = None,
    ablated: Mapping[str, Actor] | None = None,
) -> dict[str, Any]:
    """Figures of every row, 0 to 100, with paired differences.

    Args:
        found: scored candidates of the blocks to measure on.
        actors: the trained actor of each seed, at least one.
        reliability: by language, what confidences are multiplied by (`evaluation.reliability`); 1 for others.
        ablated: actors of `ABLATED`, by name.
    """
    decided = [[decide(own, actor) for own in found] for actor in actors]
    chosen = await _chosen(found, decided, bench)
    for name, actor in (ablated or {}).items():
        chosen[name] = _worth(found, [decide(without(own, *ABLATED[name]), actor) for own in found])
    paths = await _paths(found, decided[0], bench, reliability or {})
    paths[ACTOR] = chosen[ACTOR]
    return {
        "chosen": {name: _row(values, {FIRST: chosen[FIRST]}) for name, values in chosen.items()},
        "paths": {name: _row(values, _alone(name, paths)) for name, values in paths.items()},
        "standing": {own.block.name: round(100 * float(own.standing.mean()), 1) for own in found},
    }


def _alone(name: str, paths: Mapping[str, Values]) -> dict[str, Values]:
    """What a fused row has to beat: either of its paths alone."""
    own = OWN_WORDS if name.endswith("and words") else OWN
    return {own: paths[own], ACTOR: paths[ACTOR]} if name.startswith("both") else {}


def _row(values: Values, others: Mapping[str, Values]) -> dict[str, Any]:
    gaps = {name: _gap(values, other) for name, other in others.items() if other is not values}
    return {**figures(values, None), "differences": gaps}


def _gap(values: Values, other: Values) -> dict[str, float]:
    gaps = [100 * (values[name] - other[name]) for name in values]
    low, high = macro_interval(gaps)
    mean = float(np.mean([gap.mean() for gap in gaps]))
    return {"mean": round(mean, 2), "low": round(low, 2), "high": round(high, 2)}


def decide(own: Candidates, actor: Actor) -> list[Choice]:
    """The actor's choice for each query among candidates no guard objects to, or among all where none stands."""
    choices = []
    for scores, stands in zip(own.scores, own.standing, strict=True):
        places = np.flatnonzero(stands) if stands.any() else np.arange(len(scores))
        choice = actor.choose([scores[place] for place in places])
        shares = np.zeros(len(scores))
        shares[places] = choice.probabilities
        choices.append(
            Choice(int(places[choice.index]), tuple(shares.tolist()), choice.confidence if stands.any() else 0.0)
        )
    return choices


async def _chosen(
    found: Sequence[Candidates], decided: Sequence[Sequence[Sequence[Choice]]], bench: Bench
) -> dict[str, Values]:
    """Searching with one translation, by each way to choose it."""
    rows = {FIRST: {own.block.name: own.utility[:, 0] for own in found}}
    rows["mean of the drawn"] = {own.block.name: own.utility.mean(axis=1) for own in found}
    rows["greedy, not among them"] = {
        own.block.name: measure(own.greedy_vectors @ (await bench.pool(own.block)).T, own.block).main for own in found
    }
    rows["argmax-sim"] = {own.block.name: _best(own, _features(own)[..., 3]) for own in found}
    rows["argmax-reward"] = {
        own.block.name: _best(own, np.stack([rewards(f, RewardWeights()) for f in _features(own)])) for own in found
    }
    for seed, parts in enumerate(decided):
        rows[f"actor, seed {seed}"] = _worth(found, parts)
    seeds = [rows[f"actor, seed {seed}"] for seed in range(len(decided))]
    rows["actor, mean of seeds"] = {name: np.mean([row[name] for row in seeds], axis=0) for name in seeds[0]}
    rows["oracle among them"] = {own.block.name: own.utility.max(axis=1) for own in found}
    rows["human"] = await _run(Oracle(), found, [bench] * len(found))
    return rows


def _worth(found: Sequence[Candidates], parts: Sequence[Sequence[Choice]]) -> Values:
    """What chosen candidates are worth."""
    return {
        own.block.name: own.utility[np.arange(len(part)), [choice.index for choice in part]]
        for own, part in zip(found, parts, strict=True)
    }


def without(own: Candidates, *scores: str) -> Candidates:
    """The same candidates without some of their scores."""
    absent = dict.fromkeys(scores)
    return replace(own, scores=[[replace(found, **absent) for found in row] for row in own.scores])  # type: ignore[arg-type]


def _features(own: Candidates) -> FloatArray:
    """c_k of every candidate [n, K, 4]; NaN for those a guard objects to, unless it objects to all."""
    features = np.stack([feature_rows(scores) for scores in own.scores])
    some_stand = np.asarray(own.standing.any(axis=1, keepdims=True))
    features[some_stand & ~own.standing] = np.nan
    return features


def _best(own: Candidates, values: FloatArray) -> FloatArray:
    """What the candidate with the highest value is worth, [n]; NaN is lowest."""
    index = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    worth: FloatArray = own.utility[np.arange(len(index)), index]
    return worth


class _Fused(Whole):
    """The engine's fusion, with English vectors that are given by query."""

    def __init__(self, vectors: Mapping[str, FloatArray] | None, lexical: bool, head: bool = False) -> None:
        super().__init__("both", lexical=lexical, head=head)
        self._vectors = vectors

    async def _english(self, bench: Bench, block: Block) -> tuple[tuple[str, ...], FloatArray]:
        texts, rows = await super()._english(bench, block)
        return texts, rows if self._vectors is None else np.stack([self._vectors[query] for query in block.queries])


async def _paths(
    found: Sequence[Candidates], decided: Sequence[Sequence[Choice]], bench: Bench, reliability: Mapping[str, float]
) -> dict[str, Values]:
    """The own path, the translation and both."""
    stated = [[1.0 if c.confidence is None else c.confidence for c in part] for part in decided]
    worth = [reliability.get(own.block.language, 1.0) for own in found]
    learnt = [[value * sure for sure in part] for value, part in zip(worth, stated, strict=True)]
    chosen = [[t[c.index] for t, c in zip(own.texts, p, strict=True)] for own, p in zip(found, decided, strict=True)]
    full = [[1.0] * len(part) for part in decided]
    unstated = [[UNSTATED] * len(part) for part in decided]
    every = {q: row for own, part in zip(found, decided, strict=True) for q, row in _all_of(own, part).items()}
    own_path: Method = Backbone() if bench.maps is None else AdaptorOnly()
    alone = [bench] * len(found)
    rows = {"backbone": await _run(Backbone(), found, alone), OWN: await _run(own_path, found, alone)}
    rows[OWN_WORDS] = await _run(Whole(translated=False), found, alone)
    kinds = {
        "greedy, unstated": ([own.greedy for own in found], unstated, None),
        "actor, full confidence": (chosen, full, None),
        "actor, its confidence": (chosen, stated, None),
        "actor, confidence x reliability": (chosen, learnt, None),
        "all four, confidence x reliability": (chosen, learnt, every),
    }
    for words in ("", " and words"):
        for kind, (texts, sure, vectors) in kinds.items():
            benches = _benches(found, texts, sure, bench)
            rows[f"both, {kind}{words}"] = await _run(_Fused(vectors, bool(words)), found, benches)
        if bench.head is not None and reliability:
            benches = _benches(found, chosen, learnt, bench)
            rows[f"both, by the fusion head{words}"] = await _run(_Fused(None, bool(words), head=True), found, benches)
    return rows


def _benches(
    found: Sequence[Candidates], texts: Sequence[Sequence[str]], sure: Sequence[Sequence[float]], bench: Bench
) -> list[Bench]:
    """A bench for each block, with a translation and its confidence for each query."""
    rows = (zip(own.block.queries, t, s, strict=True) for own, t, s in zip(found, texts, sure, strict=True))
    return [bench.translating({query: (text, confidence) for query, text, confidence in row}) for row in rows]


def _all_of(own: Candidates, choices: Sequence[Choice]) -> dict[str, FloatArray]:
    """By query the candidates' vectors, added by the actor's probabilities: unit [d]."""
    shares = np.array([choice.probabilities for choice in choices], dtype=np.float32)
    return dict(zip(own.block.queries, unit(np.einsum("nk,nkd->nd", shares, own.vectors)), strict=True))


async def _run(method: Method, found: Sequence[Candidates], benches: Sequence[Bench]) -> Values:
    return {
        own.block.name: measure(await method.scores(bench, own.block), own.block).main
        for own, bench in zip(found, benches, strict=True)
    }
