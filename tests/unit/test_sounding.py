"""Romanised and code-mixed questions find texts in their own script; names meet across scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lira_rag.evaluation.demo_corpus import distractors
from lira_rag.stores import PassageIndex
from lira_rag.stores.bm25 import Lexicon
from lira_rag.stores.segments import build
from lira_rag.stores.sounding import sounding
from lira_rag.text.ngrams import index_terms
from tests.stores_data import document, new_index

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "romanised_queries.jsonl").read_text("utf-8").splitlines()
]


def filled(texts: dict[str, str]) -> PassageIndex:
    index = new_index(None)
    index.write([document(name, passages=1, words=[index_terms(text)]) for name, text in texts.items()])
    return index


def names(found: list[tuple[str, float]]) -> list[str]:
    return [id_.removesuffix("#0") for id_, _ in found]


@pytest.fixture(scope="module")
def rows() -> Iterator[PassageIndex]:
    """The passages of the hand-written questions, among longer texts in the same languages."""
    with filled({row["id"]: row["passage"] for row in ROWS} | {d.id: d.text for d in distractors()}) as index:
        yield index


@pytest.mark.parametrize("language", ["hi", "ur", "bn"])
def test_the_first_hit_does_not_hang_on_the_spelling(rows: PassageIndex, language: str) -> None:
    """Of all ways of typing a question at least 80 % find what the others find, and that is the right text."""
    stable = right = asked = 0
    for row in ROWS:
        if row["language"] != language:
            continue
        assert 3 <= len(row["queries"]) <= 5
        tops = [names(rows.sounding(index_terms(query), 1))[0] for query in row["queries"]]
        stable += Counter(tops).most_common(1)[0][1]
        right += tops.count(row["id"])
        asked += len(tops)
    assert asked >= 14 * 3
    assert stable >= 0.8 * asked
    assert right >= 0.8 * asked


def test_there_are_forty_questions_and_exact_words_do_not_find_them(rows: PassageIndex) -> None:
    assert len({row["id"] for row in ROWS}) >= 40
    asked = [(row["id"], query) for row in ROWS for query in row["queries"]]
    found = sum(names(rows.lexical(index_terms(query), 1)) == [id_] for id_, query in asked)
    assert found < 0.1 * len(asked)


NAMES = {
    "hi": "सैमसंग का नया फोन आज भारत में बिकने लगा",
    "ar": "أعلنت شركة سامسونج عن هاتف جديد",
    "en": "Nokia opens a repair shop in Nairobi",
    "ru": "Премьер-министр встретился с Меркель в Берлине",
    "th": "เที่ยวบินจากเบอร์ลินล่าช้าสองชั่วโมง",
    "bn": "ঢাকায় কেটলি এখন সস্তা",
    "ta": "சென்னையில் மழை பெய்தது",
}


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("samsung", "hi"),
        ("Samsung ka naya phone", "hi"),
        ("नैरोबी", "en"),
        ("নকিয়া নাইরোবি", "en"),
        ("نوکیا", "en"),
        ("Меркель", None),
        ("merkel berlin", "ru"),
        ("बर्लिन", "ru"),
        ("ketli", "bn"),
        ("chennaiyil malai", "ta"),
    ],
)
def test_names_meet_across_scripts(query: str, right: str | None) -> None:
    with filled(NAMES) as index:
        found = names(index.sounding(index_terms(query), 3))
    assert found[:1] == ([right] if right else [])


def test_a_word_that_is_there_counts_more_than_one_that_sounds_like_it() -> None:
    with filled({"exact": "samsung galaxy", "alike": "सैमसंग गैलेक्सी", "none": "शोर बहुत"}) as index:
        (first, best), (second, next_best) = index.sounding(["samsung", "galaxy"], 5)
    assert (first, second) == ("exact#0", "alike#0")
    assert 1.0 >= best > next_best > 0.0


def test_nothing_is_found_where_nothing_sounds_alike() -> None:
    with filled({"a": "only english words", "b": "and numbers 204"}) as index:
        assert index.sounding(["english", "words", "204"], 5) == []
        assert index.sounding([], 5) == []
    with new_index(None) as empty:
        assert empty.sounding(["samsung"], 5) == []


def test_exact_scores_know_nothing_of_sounds() -> None:
    with filled({"a": "samsung phone", "b": "सैमसंग फोन"}) as index:
        alone = [("a#0", index.lexical(["samsung"], 5)[0][1])]
        assert index.lexical(["samsung"], 5) == alone
        assert len(index.sounding(["samsung"], 5)) == 2
        assert index.lexical(["samsung"], 5) == alone


def test_a_filter_holds_for_sounds_too() -> None:
    with new_index(None) as index:
        for name, language in (("a", "hi"), ("b", "ur")):
            index.write([document(name, passages=1, words=[["सैमसंग"]], language=language)])
        assert names(index.sounding(["samsung"], 5)) == ["a", "b"]
        assert names(index.sounding(["samsung"], 5, {"language": "ur"})) == ["b"]


def test_the_share_is_that_of_one_whole_index_and_the_dead_are_silent() -> None:
    texts = [f"सैमसंग फोन {n}" for n in range(6)] + ["شور بہت ہے", "samsung phone"]
    entries = [(n, f"{n}", index_terms(text)) for n, text in enumerate(texts)]
    whole = Lexicon([build(e for e in entries if e[0] not in (1, 4))])
    parts = Lexicon([build(entries[:3]), build(entries[3:])], np.array([0, 2, 3, 5, 6, 7]))
    for words in (["samsung"], ["samsung", "phone", "kharab"], ["bohot", "shor"]):
        one, other = sounding(whole, words, 10), sounding(parts, words, 10)
        assert [key for key, _ in one] == [key for key, _ in other] != []
        assert [share for _, share in one] == pytest.approx([share for _, share in other], rel=1e-5)
        assert all(0 < share <= 1 for _, share in one)


def test_a_native_question_to_an_index_of_its_own_script_does_not_load_uroman() -> None:
    """English documents and questions never do; this is about not asking for sounds nobody can answer."""
    code = (
        "import sys; from lira_rag.stores.segments import build; from lira_rag.stores.bm25 import Lexicon\n"
        "from lira_rag.stores.sounding import sounding\n"
        "latin = Lexicon([build([(1, 'a', ['kettle', 'samsung'])])])\n"
        "assert sounding(latin, ['kettle'], 3) == [] and 'uroman' not in sys.modules\n"
        "native = Lexicon([build([(1, 'a', ['केतली'])], lambda word: ['2kitli'])])\n"
        "assert sounding(native, ['केतली'], 3) == [] and 'uroman' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
