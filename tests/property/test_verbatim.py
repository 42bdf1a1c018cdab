"""The quotation verifier: a copy is found where it was taken from, and what is found reads like the quotation."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lira_rag.lasr import find_verbatim
from lira_rag.text.breaks import graphemes, words

SEEDS = {
    "en": "You cannot return it: “final sale”. It costs 1,300 dollars, or 4.90 for a café’s cup. Don't ask again. ",
    "hi": "आप 30 दिनों के भीतर सामान वापस कर सकते हैं। क्षमा करें, ‘बिक्री’ अंतिम है। ",
    "th": "คืนสินค้าได้ภายใน 30 วัน นับจากวันที่ได้รับ ราคา ๔๙ บาท ",
    "zh": "您可以在三十天内退货。“特价商品”不退不换。价格是1,300元。",
    "ar": "يمكنك إرجاع المنتج خلال ٣٠ يومًا. «تخفيضات» لا تُرجع. ",
    "my": "ပစ္စည်းကို ရက် ၃၀ အတွင်း ပြန်ပို့နိုင်သည်။ ",
    "yo": "O lè dá ọjà padà láàárín ọjọ́ 30. Kò sí àyípadà. ",
    "ko": "30일 이내에 반품할 수 있습니다. “세일” 상품은 제외됩니다. ",
    "odd": "👩‍👩‍👧‍👦 z̸a̴l \u202eabc\u202c e\u0301e\u0301 ﬁn 🇰🇪🇹🇿 x\u200by ",
}
MARKS = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "«": '"', "»": '"'})


def plain(text: str) -> str:
    """Another way to say what is not compared: NFC, marks, white space, formatting characters."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in "\u200c\u200d")
    return "".join(unicodedata.normalize("NFC", shown).translate(MARKS).split())


@st.composite
def passages(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.sampled_from([*SEEDS.values(), "\n\n", "  ", "\t"]), min_size=1, max_size=4))
    return "".join(parts) + draw(st.text(max_size=8))


@st.composite
def copies(draw: st.DrawFn) -> tuple[str, str]:
    """A passage, and a run of its words as somebody else might type it."""
    passage = draw(passages())
    spans = list(words(passage))
    first = draw(st.integers(0, len(spans) - 1))
    last = draw(st.integers(first, min(first + 12, len(spans) - 1)))
    quote = passage[spans[first][0] : spans[last][1]]
    quote = draw(st.sampled_from([quote, unicodedata.normalize("NFD", quote), quote.translate(MARKS)]))
    return passage, draw(st.sampled_from([quote, " ".join(quote.split()), f" {quote}\n"]))


@given(copies())
@settings(deadline=None, max_examples=300)
def test_what_is_found_slices_back_to_the_quotation(case: tuple[str, str]) -> None:
    passage, quote = case
    span = find_verbatim(quote, passage)
    if span is None:
        return
    start, end = span
    assert 0 <= start < end <= len(passage)
    assert plain(passage[start:end]).strip("\"'…") == plain(quote).strip("\"'…")
    clusters = {0, *(stop for _, stop in graphemes(passage))}
    assert {start, end} <= clusters


@given(st.sampled_from([*SEEDS.values()]), st.data())
@settings(deadline=None, max_examples=200)
def test_a_copy_of_whole_words_is_found(seed: str, data: st.DataObject) -> None:
    pieces = seed.split()
    first = data.draw(st.integers(0, len(pieces) - 1))
    last = data.draw(st.integers(first, len(pieces) - 1))
    copy = " ".join(pieces[first : last + 1])
    if sum(char.isalnum() for char in plain(copy)) < 3:
        return
    changed = data.draw(st.sampled_from(["NFC", "NFD"]))
    assert find_verbatim(unicodedata.normalize(changed, copy), seed) is not None  # type: ignore[arg-type]


@given(passages(), st.text(max_size=30))
@settings(deadline=None, max_examples=200)
def test_anything_may_be_asked(passage: str, quote: str) -> None:
    span = find_verbatim(quote, passage)
    assert span is None or plain(passage[slice(*span)]).strip("\"'…") == plain(quote).strip("\"'…")


@pytest.mark.parametrize(
    ("quote", "passage"),
    [
        ("You can", SEEDS["en"]),
        ("300 dollars", SEEDS["en"]),
        ("it costs", SEEDS["en"]),
        ("costs 1,400 dollars", SEEDS["en"]),
        ("return it. final", SEEDS["en"]),
        ("सामा", SEEDS["hi"]),
        ("O le da", SEEDS["yo"]),
        ("it", SEEDS["en"]),
        ("", SEEDS["en"]),
        ("90 dollars", SEEDS["en"]),
    ],
)
def test_what_does_not_stand_there_is_not_found(quote: str, passage: str) -> None:
    assert find_verbatim(quote, passage) is None
