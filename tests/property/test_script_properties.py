"""What holds for strings of every script: pieces join to the text, clusters stay whole, a budget is kept."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from lira_rag.encoders.word_counts import WordCounts, separable
from lira_rag.evaluation.script_corpus import notices
from lira_rag.text.breaks import Offsets, graphemes, register, sentences, unregister, words
from lira_rag.text.chunking import chunk
from lira_rag.text.plugins import WordList, thai

BLOCKS = [
    *[(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x8FF), (0x900, 0xDFF), (0xE00, 0xEFF)],
    *[(0xF00, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x139F), (0x1400, 0x16FF), (0x1700, 0x18AF)],
    *[(0x1900, 0x1AAF), (0x1B00, 0x1C7F), (0x2000, 0x206F), (0x2D30, 0x2D7F), (0x3000, 0x30FF), (0x4E00, 0x4E80)],
    *[(0xA4D0, 0xA63F), (0xA840, 0xA8FF), (0xA900, 0xAAFF), (0xABC0, 0xABFF), (0xA960, 0xA97F), (0xAC00, 0xAC80)],
    *[(0xD7B0, 0xD7FF), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x10A00, 0x10A60), (0x11080, 0x1114F)],
    *[(0x11180, 0x11245), (0x16FE0, 0x16FF1), (0x1E900, 0x1E95F), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF)],
    *[(0x1F440, 0x1F4AF), (0xE0020, 0xE007F)],
]
PIECES = [
    "👩🏽‍🚀",
    "👨‍👩‍👧‍👦",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "🇹🇿🇰🇪",
    "🇹",
    "1️⃣",
    "❤️‍🔥",
]
PIECES += [
    "\u1100\u1161\u11a8",
    "\u1100\u1100",
    "각\u11a8",
    "क्ष्म्य",
    "ক্ষ্ণ",
    "ന്‍റെ",
    "ශ්‍රී",
    "ខ្ញុំ",
    "သ္တြီ",
    "བསྒྲུབས",
    "กำ",
    "ນ້ຳ",
]
PIECES += [
    " ",
    "  ",
    "\n",
    "\n\n",
    ". ",
    "। ",
    "။ ",
    "። ",
    "།",
    "; ",
    "Τι; ",
    "# ",
    "\u200b",
    "\u200d",
    "\u200c",
    "\u0301",
    "\t",
]
NOTICES = [sentence for texts in notices().values() for notice in texts for sentence in notice.sentences]
BLOCK = st.sampled_from(BLOCKS).flatmap(lambda block: st.characters(min_codepoint=block[0], max_codepoint=block[1]))
ANY = st.lists(BLOCK | st.sampled_from(PIECES) | st.sampled_from(NOTICES), max_size=30).map("".join)
LANGUAGES = st.sampled_from(["und", "th", "km", "bo", "el", "hi", "zh", "en"])

many = settings(max_examples=300, deadline=None)


def check_spans(text: str, spans: list[Offsets]) -> None:
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)
    assert {end for _, end in spans} <= {end for _, end in graphemes(text)}


@many
@given(ANY, LANGUAGES)
def test_breaks_tile_the_text_and_keep_clusters_whole(text: str, language: str) -> None:
    check_spans(text, list(words(text, language)))
    check_spans(text, list(sentences(text, language)))


@many
@given(ANY, LANGUAGES, st.integers(1, 40), st.integers(0, 20))
def test_passages_keep_the_budget_whatever_counts(text: str, language: str, limit: int, overlap: int) -> None:
    """Bytes: every character costs one to four, and a cluster many."""

    def size(piece: str) -> int:
        return len(piece.encode("utf-8", "surrogatepass"))

    spans = chunk(text, count_tokens=size, max_tokens=limit, overlap_tokens=min(overlap, limit - 1), language=language)
    edges = {0, *(end for _, end in graphemes(text))}
    missed = set(range(len(text)))
    for span in spans:
        piece = text[span.start : span.end]
        assert {span.start, span.end} <= edges
        assert size(piece) <= limit or len(list(graphemes(piece))) == 1
        missed -= set(range(span.start, span.end))
    assert all(text[at].isspace() for at in missed)
    starts = [span.start for span in spans]
    assert starts == sorted(set(starts))


@functools.cache
def tokenizer(kind: str) -> Tokenizer:
    """A small Unigram tokenizer with a space mark, or a WordPiece one as BERT's."""
    letters = sorted({char for notice in NOTICES for char in notice})
    if kind == "unigram":
        pieces = [("<unk>", -9.0), ("▁", -2.0), *((char, -4.0) for char in letters), ("▁ma", -3.0), ("อน", -3.0)]
        made = Tokenizer(models.Unigram(pieces, unk_id=0))
        made.normalizer = normalizers.Sequence([normalizers.Replace("\n", " "), normalizers.NFKC()])
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
        return made
    vocabulary = {"[UNK]": 0} | {piece: n for n, piece in enumerate([*letters, *(f"##{char}" for char in letters)], 1)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


@many
@given(st.lists(ANY, max_size=4), st.sampled_from(["wordpiece", "unigram"]))
def test_counting_by_words_is_counting(texts: list[str], kind: str) -> None:
    made = tokenizer(kind)
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    counter = WordCounts(made)
    expected = [len(made.encode(text, add_special_tokens=False).ids) for text in texts]
    assert counter(texts) == expected
    assert counter(texts) == expected  # now from memory


def test_both_of_these_tokenizers_are_counted_by_words() -> None:
    assert separable(tokenizer("wordpiece"))
    assert separable(tokenizer("unigram"))


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_a_plugged_in_breaker_tiles_and_keeps_clusters_whole(text: str) -> None:
    register("th", thai())
    register("lo", WordList("lo", lambda text: [*text]))  # cuts every character off
    register("km", WordList("km", str.split))
    try:
        for language in ("th", "lo", "km"):
            check_spans(text, list(words(text, language)))
            check_spans(text, list(sentences(text, language)))
    finally:
        for language in ("th", "lo", "km"):
            unregister(language)
