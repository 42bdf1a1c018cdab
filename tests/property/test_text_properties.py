"""What holds for every text: nothing is lost, offsets are exact, clusters stay whole, cleaning twice is cleaning."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from lira_rag.errors import EmptyText
from lira_rag.text.border import QUERY_CHARS, clean_document, clean_query, prompt_safe, tokenizer_safe
from lira_rag.text.breaks import graphemes, sentences, words
from lira_rag.text.chunking import chunk
from lira_rag.text.headings import sections
from lira_rag.text.language import detect
from lira_rag.text.lexical import LONGEST_TERM, lexical_words
from lira_rag.text.marks import MARKS_PER_BASE

# Characters that meet each other badly: marks, joiners, selectors, tags, bidi, controls, astral, Jamo, prepended marks
TRICKY = [
    *"aZé1 .\n\t\r\x00#`'-",
    *"\u0301\u0316\u0344\u0334\u20e3\u3099",
    *"\u200b\u200c\u200d\u200e\u061c\ufe0f\ufe01\u2060\ufeff\u00ad",
    *"\u202e\u2066\u2069\u2028\x85",
    *"कक़्षिा़ँ।",
    *"রো্য",
    *"اکی\u064b\u0600۔",
    *"กำ่แ",
    *"ខ្ញុំ",
    *"ཀྱ་།",
    *"ᄀ\u1161\u11a8각",
    *"中カﾞ。",
    *"😀👩❤\U0001f3fd\U0001f3f4🇹🇿",
    *"\U000e0067\U000e0062\U000e007f\U000e0101",
    *"𝄞𞤀\U000110bd\u0d4e\ufdfa\U0001d160\ud800\udc00д",
]
PIECES = ["👨‍👩‍👧", "हिन्दी ", "می‌خواهم ", "KT-204 ", "แมววิ่ง ", "# Title\n", "Yes. ", "e" + "\u0301" * 20, "\u200b" * 20]
ANY = st.lists(st.sampled_from(TRICKY) | st.sampled_from(PIECES) | st.characters(), max_size=40).map("".join)
CLEAN = ANY.map(lambda text: clean_document(text).text)

many = settings(max_examples=300, deadline=None)


@many
@given(ANY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_document(text).text
    assert clean_document(once).text == once
    try:
        query = clean_query(text).text
    except EmptyText:
        return
    assert clean_query(query).text == query


@many
@given(ANY)
def test_what_a_clean_text_is(text: str) -> None:
    clean = clean_document(text).text
    assert unicodedata.is_normalized("NFC", clean)
    clean.encode("utf-8")
    assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in clean)
    marks = 0
    for char in clean:
        marks = marks + 1 if unicodedata.category(char).startswith("M") else 0
        assert marks <= MARKS_PER_BASE
    assert not {"\u202e", "\u2066", "\u2069"} & set(prompt_safe(clean))


@many
@given(ANY)
def test_letters_survive_cleaning(text: str) -> None:
    """All letters stay, in order, whatever stands around them (compared without marks)."""

    def letters(value: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", value) if c.isalnum())

    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert letters(clean_document(text).text) == letters(joined)


@settings(max_examples=50, deadline=None)
@given(ANY.filter(bool), st.integers(1, 60))
def test_a_long_query_is_short_and_clean_afterwards(text: str, times: int) -> None:
    try:
        query = clean_query(text * times * 10).text
    except EmptyText:
        return
    assert len(query) <= QUERY_CHARS
    assert clean_query(query).text == query


@many
@given(ANY)
def test_breaks_tile_the_text_and_keep_clusters_whole(text: str) -> None:
    clusters = list(graphemes(text))
    ends = {end for _, end in clusters}
    for spans in (clusters, list(words(text)), list(sentences(text)), list(words(text, "th"))):
        assert "".join(text[start:end] for start, end in spans) == text
        assert all(start < end for start, end in spans)
        assert {end for _, end in spans} <= ends


@many
@given(ANY)
def test_sections_tile_the_text(text: str) -> None:
    found = list(sections(text))
    assert "".join(text[s.start : s.end] for s in found) == text
    assert all(s.start <= s.body <= s.end for s in found)


@many
@given(CLEAN | ANY, st.integers(1, 12), st.integers(0, 6))
def test_passages_cover_the_text_and_keep_clusters_whole(text: str, limit: int, overlap: int) -> None:
    spans = chunk(text, count_tokens=len, max_tokens=limit, overlap_tokens=min(overlap, limit - 1))
    edges = {0} | {end for _, end in graphemes(text)}
    covered = [False] * len(text)
    for span in spans:
        assert {span.start, span.end} <= edges
        piece = text[span.start : span.end]
        assert piece.strip()
        assert len(piece) <= limit or len(list(graphemes(piece))) == 1
        covered[span.start : span.end] = [True] * len(piece)
    assert all(seen or char.isspace() for seen, char in zip(covered, text, strict=True))
    starts = [span.start for span in spans]
    assert starts == sorted(set(starts))


@many
@given(CLEAN)
def test_no_text_breaks_the_index_terms_or_the_detector(text: str) -> None:
    for term in lexical_words(text):
        assert 0 < len(term) <= LONGEST_TERM
        assert not any(char.isspace() for char in term)
    assert 0.0 <= detect(text).confidence <= 1.0


@many
@given(CLEAN)
def test_each_word_is_found_by_itself(text: str) -> None:
    terms = set(lexical_words(text))
    for start, end in words(text):
        word = text[start:end]
        if word.isascii() and word.isalnum():
            assert set(lexical_words(word)) & terms


@many
@given(ANY, st.integers(1, 9))
def test_soft_breaks_only_add_spaces(text: str, longest: int) -> None:
    safe = tokenizer_safe(text, longest)
    assert "".join(safe.split()) == "".join(text.split())
    assert max(map(len, safe.split()), default=0) <= longest


@many
@given(st.text(alphabet="abéọ̀ñкаकि가 ", max_size=40))
def test_composed_and_decomposed_queries_are_one(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert clean_document(composed) == clean_document(decomposed)
    assert lexical_words(clean_document(decomposed).text) == lexical_words(composed)
