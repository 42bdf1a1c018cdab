"""From pairs to a head's material: what was held out stays unseen, every form is there, and the command's whole way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.agents.translators.lexicon import Lexicon
from lira_rag.arca.bins import BinEncoder, encode_bins
from lira_rag.arca.parallel import Pair, Pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import Block
from lira_rag.evaluation.head_tables import head_rows, heads_markdown
from lira_rag.evaluation.methods import Whole
from lira_rag.lasr.head import LasrHead
from lira_rag.modules.fusion import FusionHead
from lira_rag.testing import FakeEncoder
from lira_rag.training.crossfit import Sides, crossfit_anchored, crossfit_glosses, folds_of
from lira_rag.training.head_items import head_items, learned_from
from lira_rag.training.head_material import FORMS, encode_head_material
from lira_rag.training.head_settings import HeadSettings
from lira_rag.training.lasr import train_lasr
from lira_rag.training.maps import fit_map
from lira_rag.training.settings import MapSettings
from tests.unit.test_train_maps import made_up

MAPS = MapSettings(buckets=64, rank=8, sentence_rank=8)


def asked(count: int = 120, language: str = "sw") -> tuple[Pair, ...]:
    """Questions, each with a passage that holds its words and more."""
    return tuple(
        Pair(pair.text, language, f"{pair.english}?", f"{pair.english} and also number {n}")
        for n, pair in enumerate(made_up(count, language))
    )


def test_only_languages_that_can_be_judged_are_learned_from() -> None:
    pairs = Pairs({"sw": asked(), "ha": asked(99, "ha"), "bn": made_up(300, "bn")})
    assert list(learned_from(pairs)) == ["sw"]
    assert set(learned_from(Pairs({"bn": made_up(300, "bn")}))) == {"bn"}
    with pytest.raises(InvalidInput, match="at least 64 pairs"):
        learned_from(Pairs({"bn": made_up(20, "bn")}))


def test_a_gloss_comes_from_a_lexicon_that_has_not_seen_the_pair() -> None:
    """The same gloss as a lexicon fitted by hand on the other folds, and another than that of one fitted on all."""
    pairs, wanted = made_up(90), range(0, 90, 7)
    found = crossfit_glosses(pairs, "sw", wanted, ())
    fold = folds_of(90, 0)
    for place in wanted:
        rest = [(p.text, p.english) for p, own in zip(pairs, fold, strict=True) if own != fold[place]]
        assert found[place] == Lexicon.fit(rest, "sw").gloss(pairs[place].text)
    assert list(found) != []
    assert set(found) == set(wanted)


async def test_an_anchored_vector_comes_from_a_map_that_has_not_seen_the_pair() -> None:
    pairs, encoder = made_up(90), FakeEncoder()
    vectors = await encoder.encode([p.text for p in pairs], "query")
    sides = Sides(pairs, vectors, await encoder.encode([p.english for p in pairs], "query"))
    found, fold = crossfit_anchored(sides, 0.7, MAPS), folds_of(90, MAPS.seed)
    own = fit_map(sides, np.flatnonzero(fold != fold[4]), 0.7, MAPS)
    np.testing.assert_allclose(found[4], own(vectors[4:5], [pairs[4].text])[0], atol=1e-5)
    seen = fit_map(sides, np.arange(90), 0.7, MAPS)(vectors[4:5], [pairs[4].text])[0]
    assert np.abs(found[4] - seen).max() > 1e-3
    np.testing.assert_array_equal(crossfit_anchored(sides, 0.0, MAPS), vectors)


async def test_bins_are_the_encoders_own_states() -> None:
    encoder = FakeEncoder()
    found = await encode_bins(encoder, ["one two three", "", "four"], "query", 2)
    np.testing.assert_allclose(
        found.vectors[[0, 2]], await encoder.encode(["one two three", "four"], "query"), atol=1e-6
    )
    states = (await encoder.encode_tokens(["one two three"], "query"))[0]
    np.testing.assert_allclose(found.rows[0], [states[:2].mean(axis=0), states[2]], atol=1e-6)
    assert found.counts.tolist() == [[2, 1], [0, 0], [1, 0]]
    assert not found.vectors[1].any()
    assert BinEncoder(encoder, 2).fingerprint != BinEncoder(encoder, 4).fingerprint


async def test_every_form_of_a_question_is_encoded() -> None:
    pairs, encoder = Pairs({"sw": asked()}), FakeEncoder()
    glosses = {pair.text: (pair.english.upper(), 0.4) for pair in pairs.by_language["sw"]}
    items = head_items(pairs, glosses)
    found = await encode_head_material(items, pairs, encoder, None, VectorCache(), bins=2)
    rows = np.arange(5)
    assert found.paths(rows, "gloss").evidence.tolist() == pytest.approx(np.array([[0.4, 0.5]] * 5))
    assert found.paths(rows, "native").counts[:, 1].sum() == 0
    np.testing.assert_allclose(
        found.english["wrong"].vectors[0], found.english["human"].vectors[-(len(items) // 2)], atol=1e-6
    )
    np.testing.assert_allclose(found.anchored[3], (await encoder.encode([items[3].pair.text], "query"))[0], atol=1e-6)
    assert {form: len(found.paths(rows, form).anchored) for form in FORMS} == dict.fromkeys(FORMS, 5)
    assert all(found.passages[found.gold[n]] @ found.target[n] > 0.5 for n in rows)


async def test_the_whole_way_writes_a_head_or_nothing(tmp_path: Path) -> None:
    pairs, encoder = Pairs({"sw": asked()}), FakeEncoder()
    settings = HeadSettings(epochs=2, width=16, heads=2, bins=2, folds=2)
    made = await train_lasr(pairs, encoder, tmp_path / "out", settings=settings)
    assert (tmp_path / "out").exists() == made.verdict.passed == (made.head is not None)
    assert made.verdict.reason.startswith(("passed: ", "refused: "))
    assert not (tmp_path / "out.partial").exists()
    if made.head is not None:
        LasrHead.load(tmp_path / "out", encoder.fingerprint, "")


async def block_and_bench(language: str = "sw") -> tuple[Block, Bench]:
    pairs = asked(30)
    block = Block(
        task="T2",
        name="swa",
        language=language,
        queries=tuple(pair.text for pair in pairs),
        pool=tuple(pair.passage for pair in pairs),
        gold=np.arange(30),
        pool_languages=("en",) * 30,
    )
    translations = {pair.text: (pair.english, 0.9) for pair in pairs[:20]}
    return block, Bench(FakeEncoder(), VectorCache(), translations=translations)


def head(**card: object) -> LasrHead:
    return LasrHead(FusionHead(32, bins=2, languages=1), {"embedded": ["sw"], "languages": ["sw"], **card})


async def test_an_untrained_head_is_the_anchored_path_in_the_tables() -> None:
    block, bench = await block_and_bench()
    bench.head = head(alone=True)
    fused = await Whole(lexical=False, head=True).scores(bench, block)
    np.testing.assert_allclose(fused, await Whole(lexical=False, translated=False).scores(bench, block), atol=1e-5)


@pytest.mark.parametrize(("language", "moved"), [("sw", 20), ("ha", 0), ("en", 0)])
async def test_where_a_head_was_not_passed_the_rule_stays(language: str, moved: int) -> None:
    """A third of the questions has no translation, and the card says nothing of moving those."""
    block, bench = await block_and_bench(language)
    bench.head = head()
    fused = await Whole(lexical=False, head=True).scores(bench, block)
    rule = await Whole(lexical=False).scores(bench, block)
    assert int((np.abs(fused - rule).max(axis=1) > 1e-4).sum()) == moved


@pytest.mark.parametrize(("language", "moved"), [("sw", 20), ("ha", 0)])
async def test_in_a_mixed_pool_too_the_rule_stays_where_no_question_is_moved(language: str, moved: int) -> None:
    block, bench = await block_and_bench(language)
    mixed = replace(block, pool_languages=("en", language) * 15)
    bench.head = head()
    fused = await Whole(lexical=False, head=True).scores(bench, mixed)
    rule = await Whole(lexical=False).scores(bench, mixed)
    assert int((np.abs(fused - rule).max(axis=1) > 1e-4).sum()) == moved


async def test_tables_of_heads_name_every_row() -> None:
    block, bench = await block_and_bench()
    rows = await head_rows([block], {"lasr": [head(), head()], "no queue": [head()]}, bench)
    assert rows["today's rule"]["mean"] == pytest.approx(rows["today's rule"]["by_language"]["swa"])
    assert rows["lasr"]["seeds"] == {"n": 2, "low": rows["lasr"]["mean"], "high": rows["lasr"]["mean"]}
    text = heads_markdown({"T2": rows}, ["about"])
    for name in ("today's rule", "untrained sum", "lasr", "no queue", "lira+lasr", "lira"):
        assert f"| {name} |" in text


async def test_a_task_without_translations_has_no_row_that_needs_them() -> None:
    block, bench = await block_and_bench()
    bench.translations = {}
    rows = await head_rows([block], {"lasr": [head()]}, bench)
    assert rows.keys() == {"today's rule", "native path alone", "lira", "lasr", "lira+lasr"}


async def test_one_head_for_each_language_is_measured_in_its_own() -> None:
    block, bench = await block_and_bench()
    other = replace(block, name="hau", language="ha")
    moving, still = head(languages=["sw", "ha"]), head(languages=[])
    torch.nn.init.constant_(moving.head.share.bias, 2.0)
    tables = {
        name: await head_rows([block, other], {"lasr": [heads]}, bench, words=False)
        for name, heads in (("one", moving), ("each", {"sw": moving, "ha": still}))
    }
    one, each = (tables[name]["lasr"]["by_language"] for name in ("one", "each"))
    assert each["swa"] == one["swa"]
    assert each["hau"] == tables["one"]["today's rule"]["by_language"]["hau"] != one["hau"]
