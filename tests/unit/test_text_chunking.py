"""Passages: by tokens, at sentences, under headings, and in linear time."""

import time

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text.breaks import graphemes
from lira_rag.text.chunking import BATCH, Span, chunk
from lira_rag.text.headings import HEADING_CHARS, sections


def by_word(text: str) -> int:
    return len(text.split())


def by_four(text: str) -> int:
    return (len(text) + 3) // 4


def cut(text: str, max_tokens: int = 8, overlap_tokens: int = 0) -> list[str]:
    spans = chunk(text, count_tokens=by_word, max_tokens=max_tokens, overlap_tokens=overlap_tokens)
    return [text[span.start : span.end] for span in spans]


def test_sentences_are_joined_up_to_the_limit() -> None:
    assert cut("One two three. Four five six. Seven eight nine. Ten.") == [
        "One two three. Four five six.",
        "Seven eight nine. Ten.",
    ]


def test_whole_sentences_overlap() -> None:
    text = "One two three. Four five. Six seven. Eight nine ten eleven. Twelve."
    assert cut(text, 7, 3) == [
        "One two three. Four five. Six seven.",
        "Six seven. Eight nine ten eleven. Twelve.",
    ]
    assert cut(text, 7, 1)[1] == "Eight nine ten eleven. Twelve."


def test_the_overlap_leaves_room_for_the_next_sentence() -> None:
    assert cut("A b c. D e f. G h i j k l.", 6, 3) == ["A b c. D e f.", "G h i j k l."]


def test_a_long_sentence_is_cut_between_words() -> None:
    words = [f"w{n}" for n in range(30)]
    parts = cut(" ".join(words) + ".", 8)
    assert " ".join(parts) == " ".join(words) + "."
    assert max(map(by_word, parts)) <= 8


def test_thai_is_cut_between_words() -> None:
    text = "แมววิ่งเข้าบ้าน" * 20
    spans = chunk(text, count_tokens=len, max_tokens=20, overlap_tokens=0)
    assert "".join(text[s.start : s.end] for s in spans) == text
    assert {text[s.start : s.start + 3] for s in spans} <= {"แมว", "วิ่", "เข้", "บ้า"}


def test_a_long_word_is_cut_between_clusters() -> None:
    text = "👨‍👩‍👧" * 100
    spans = chunk(text, count_tokens=len, max_tokens=12, overlap_tokens=0)
    assert {span.end - span.start for span in spans} == {5, 10}
    assert "".join(text[span.start : span.end] for span in spans) == text
    spans = chunk(text, count_tokens=len, max_tokens=3, overlap_tokens=0)  # a cluster is never cut
    assert [span.end - span.start for span in spans] == [5] * 100


MARKDOWN = """\
# Returns

## How to return

Send it back. Keep the slip.

```sh
# not a heading
```

## Empty
### Repairs ###

We repair it.

# End
"""


def test_headings_start_passages_and_stay_with_their_text() -> None:
    spans = chunk(MARKDOWN, count_tokens=by_word, max_tokens=20, overlap_tokens=5)
    assert [(span.heading, MARKDOWN[span.start : span.end].splitlines()[0]) for span in spans] == [
        ("How to return", "# Returns"),
        ("Repairs", "## Empty"),
        ("End", "# End"),
    ]
    assert "# not a heading" in MARKDOWN[spans[0].start : spans[0].end]
    assert MARKDOWN[spans[1].start : spans[1].end].endswith("We repair it.")


def test_a_heading_is_not_a_passage_even_when_its_text_is_too_long() -> None:
    text = "# One two three\n\n" + " ".join(f"w{n}" for n in range(20)) + "."
    parts = cut(text, 8)
    assert all("w" in part for part in parts)
    assert parts[0].startswith("# One two three\n\nw0")
    spans = chunk(text, count_tokens=by_word, max_tokens=8, overlap_tokens=2)
    assert {span.heading for span in spans} == {"One two three"}


def test_overlap_does_not_cross_a_heading() -> None:
    assert cut("First here.\n# Next\nSecond here. Third one.", 5, 4)[1] == "# Next\nSecond here."


def test_a_heading_is_remembered_up_to_a_length() -> None:
    assert len(next(sections("# " + "x" * 10_000 + "\ntext")).heading) == HEADING_CHARS


@pytest.mark.parametrize("text", ["", " \n\t\n", "\u3000"])
def test_white_space_has_no_passages(text: str) -> None:
    assert chunk(text, count_tokens=by_word) == []


def test_offsets_are_exact_with_astral_characters() -> None:
    text = "𝄞𝄞 one. 😀 two. 𞤀 three."
    assert [text[s.start : s.end] for s in chunk(text, count_tokens=by_word, max_tokens=2, overlap_tokens=0)] == [
        "𝄞𝄞 one.",
        "😀 two.",
        "𞤀 three.",
    ]


def test_a_tokenizer_whose_counts_do_not_add_up_is_still_obeyed() -> None:
    """Counts the pairs of words: more for a passage than for its sentences."""

    def pairs(text: str) -> int:
        return by_word(text) ** 2

    text = "One two. Three four. Five six. Seven eight. " * 5
    spans = chunk(text, count_tokens=pairs, max_tokens=10, overlap_tokens=4)
    assert max(pairs(text[s.start : s.end]) for s in spans) <= 10
    assert len({span.start for span in spans}) == len(spans)


def test_many_are_counted_at_once_and_each_only_a_few_times() -> None:
    calls: list[int] = []

    def count_many(texts: list[str]) -> list[int]:
        calls.append(sum(map(len, texts)))
        assert len(texts) <= BATCH
        return [by_four(text) for text in texts]

    text = "The order was late. We sent it back on Monday. Did it arrive?\n\n" * 3_000
    spans = chunk(text, count_tokens=by_word, count_many=count_many, max_tokens=64, overlap_tokens=8)
    assert max(by_four(text[s.start : s.end]) for s in spans) <= 64
    assert sum(calls) < 3 * len(text)
    assert len(calls) < 20


@pytest.mark.parametrize(
    "text", ["x" * 200_000, "e\u0301" * 100_000, "word " * 200_000, "a.\n" * 60_000, "# a\n" * 60_000]
)
def test_no_text_makes_it_slow(text: str) -> None:
    began = time.perf_counter()
    spans = chunk(text, count_tokens=by_four)
    assert time.perf_counter() - began < 5
    assert max(by_four(text[s.start : s.end]) for s in spans) <= 256


def test_a_200_000_character_word_keeps_every_character() -> None:
    text = "x" * 200_000
    assert "".join(text[s.start : s.end] for s in chunk(text, count_tokens=by_four)) == text


def test_clusters_stay_whole_around_white_space() -> None:
    text = "one. \u0301two. three.\n\u0301four"
    ends = {0} | {end for _, end in graphemes(text)}
    spans = chunk(text, count_tokens=by_word, max_tokens=1, overlap_tokens=0)
    assert {edge for s in spans for edge in (s.start, s.end)} <= ends


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_tokens": 0}, "max_tokens must be > 0, but got 0"),
        ({"overlap_tokens": -1}, "overlap_tokens must be ≥ 0 and < max_tokens 256, but got -1"),
        ({"max_tokens": 8, "overlap_tokens": 8}, "but got 8"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        chunk("text", count_tokens=by_word, **arguments)


def test_a_counter_with_missing_counts_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one count per text, but gave 1 for 3"):
        chunk("One. Two. Three.", count_tokens=by_word, count_many=lambda texts: [300])


def test_a_span_is_a_plain_record() -> None:
    assert chunk("Habari.", count_tokens=by_word) == [Span(0, 7, "")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": b"bytes"}, "text must be a str, but got bytes"),
        ({"max_tokens": 2.5}, "max_tokens must be an int, but got 2.5"),
        ({"max_tokens": True}, "max_tokens must be an int, but got True"),
        ({"overlap_tokens": "1"}, "overlap_tokens must be an int, but got '1'"),
        ({"language": "no such"}, "language must be a BCP-47 tag"),
    ],
)
def test_values_of_a_wrong_type_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        chunk(**{"text": "text", "count_tokens": by_word, **arguments})  # type: ignore[arg-type]


def test_a_text_that_fits_is_one_passage_and_counted_once() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return by_word(text)

    assert chunk(" One two. Three. ", count_tokens=count) == [Span(1, 16)]
    assert chunk("# Head\n\nOne two.", count_tokens=count) == [Span(0, 16, "Head")]
    assert len(counted) == 2
