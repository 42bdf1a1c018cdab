"""Counting tokens by words, and making a counter of whatever the caller has."""

import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from lira_rag.encoders import load_encoder
from lira_rag.encoders.word_counts import WordCounts, separable
from lira_rag.errors import InvalidInput, ModelNotFound
from lira_rag.testing import FakeEncoder
from lira_rag.tokens import Counter, as_counter, estimate_tokens
from tests.tiny_models import make_model

LETTERS = "abcdefghijklmnopqrstuvwxyz.,!?"


def made(before: Any, normalizer: Any = None) -> Tokenizer:
    """Every letter is a token."""
    vocabulary = [("<unk>", -9.0), ("▁", -2.0), *((letter, -3.0) for letter in LETTERS)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.pre_tokenizer = before
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return tokenizer


SPACES = normalizers.Sequence(
    [
        normalizers.Replace(Regex(r"[\x{a}\x{a0}\x{3000}]"), " "),
        normalizers.Replace(Regex(" {2,}"), " "),
        normalizers.Strip(),
    ]
)


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        (made(pre_tokenizers.Whitespace()), True),
        (made(pre_tokenizers.BertPreTokenizer()), True),
        (made(pre_tokenizers.Metaspace(), SPACES), True),
        (made(pre_tokenizers.Metaspace()), False),  # two spaces would be two tokens
        (made(pre_tokenizers.Metaspace(prepend_scheme="first")), False),
        (made(pre_tokenizers.ByteLevel()), False),
        (made(pre_tokenizers.Whitespace(), normalizers.Replace(Regex(r"a b"), "c")), False),
        (made(pre_tokenizers.Whitespace(), normalizers.Prepend("x")), False),
    ],
)
def test_which_tokenizers_take_words_one_by_one(tokenizer: Tokenizer, expected: bool) -> None:
    assert separable(tokenizer) is expected
    text = "one  two\nthree, four.\n\n five " * 3
    assert WordCounts(tokenizer)([text, "", " "]) == [
        len(tokenizer.encode(part, add_special_tokens=False).ids) for part in (text, "", " ")
    ]


class Clusters:
    """Stands for a tokenizer that works by clusters: a mark that clings to a space costs one more."""

    normalizer: Any = None
    pre_tokenizer: Any = pre_tokenizers.Whitespace()

    class Described:
        def __getstate__(self) -> bytes:
            return json.dumps({"type": "Precompiled"}).encode()

    normalizer = Described()

    def get_added_tokens_decoder(self) -> dict[int, Any]:
        return {}

    def encode_batch_fast(self, texts: list[str], *, add_special_tokens: bool) -> list[range]:
        return [range(len(text.split()) + 5 * text.count(" \u0301")) for text in texts]


def test_a_mark_that_clings_to_a_space_is_counted_with_its_text() -> None:
    counter = WordCounts(Clusters())
    assert counter(["a b", "a \u0301b", "b c d"]) == [2, 7, 3]
    assert counter(["\u0301b a"]) == [2]


@pytest.mark.models
@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(min_size=1, max_size=8), st.sampled_from(["\u0301x", "\ufdfa", "½", "</s>", "\u3164", "\u115f"])
        ),
        min_size=2,
        max_size=12,
    )
)
def test_new_words_counted_together_cost_what_each_costs_alone(words: list[str]) -> None:
    tokenizer = packaged_tokenizer("e5-small-int4")
    words = [word for word in words if word.strip()]
    alone = [len(tokenizer.encode(word, add_special_tokens=False).ids) for word in words]
    assert WordCounts(tokenizer)([" ".join(words), *words])[1:] == alone


@lru_cache(maxsize=1)
def packaged_tokenizer(name: str) -> Tokenizer:
    from lira_rag.encoders.tokens import load_tokenizer
    from lira_rag.models import locate

    tokenizer = load_tokenizer(locate(name))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def test_words_that_a_tokenizer_cuts_or_loses_are_counted_one_by_one() -> None:
    apart = made(pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]))
    joined = made(pre_tokenizers.WhitespaceSplit())
    lost = made(pre_tokenizers.WhitespaceSplit(), normalizers.Replace("!", " "))
    for tokenizer in (apart, joined, lost):
        words = ["ab,c", "!", "d", "e!f"]
        alone = [len(tokenizer.encode(word, add_special_tokens=False).ids) for word in words]
        assert WordCounts(tokenizer)([" ".join(words), *words])[1:] == alone


def test_memory_is_bounded() -> None:
    counter = WordCounts(made(pre_tokenizers.Whitespace()), kept=600)
    for n in range(50):
        word = chr(97 + n % 26) * (n + 1)
        assert counter([f"{word} ab", "ab"]) == [n + 3, 2]
        assert len(counter._known) < 20


def test_threads_may_share_it() -> None:
    counter = WordCounts(made(pre_tokenizers.Whitespace()))
    wrong: list[int] = []

    def count(seed: int) -> None:
        wrong.extend(n for n in range(200) if counter(["ab " * (n % 7) + LETTERS[seed]]) != [2 * (n % 7) + 1])

    threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_encoder_counts_many_as_it_counts_one(tmp_path: Path) -> None:
    make_model(tmp_path / "m")
    encoder = load_encoder(tmp_path / "m", name="m", pooling="mean", max_tokens=8)
    texts = ["the cat sat", "", "cat " * 500, "the\ncat"]
    assert encoder.count_many(texts) == [encoder.count_tokens(text) for text in texts] == [3, 0, 500, 2]


@pytest.mark.models
@pytest.mark.parametrize("name", ["e5-small-int4", "minilm-l6"])
def test_the_packaged_encoders_are_counted_by_words(name: str) -> None:
    from lira_rag.evaluation.script_corpus import notices

    tokenizer = packaged_tokenizer(name)
    assert separable(tokenizer)
    texts = ["\n\n ".join(notice.text for notice in rows) for rows in notices().values()]
    texts += [f"{text}  \u3000\u200b KT-204\t\u0301x \u00a0" for text in texts]
    assert as_counter(name).count_many(texts) == [len(tokenizer.encode(t, add_special_tokens=False).ids) for t in texts]


def test_what_a_counter_is_made_of() -> None:
    words = made(pre_tokenizers.Whitespace())
    assert as_counter(words).count("ab c") == 3
    assert as_counter(len).count_many(["ab", "abc"]) == [2, 3]
    assert as_counter(str.split).count("one two") == 2
    assert as_counter(FakeEncoder()).count("one two") == FakeEncoder().count_tokens("one two")
    same = Counter("x", True, lambda texts: [1 for _ in texts])
    assert as_counter(same) is same


def test_truncation_and_padding_of_a_tokenizer_stay_and_do_not_count() -> None:
    words = made(pre_tokenizers.Whitespace())
    words.enable_truncation(2)
    words.enable_padding(length=8)
    assert as_counter(words).count("abcdef") == 6
    assert len(words.encode("abcdef").ids) == 8


def test_tiktoken_and_transformers_tokenizers() -> None:
    import tiktoken
    from transformers import PreTrainedTokenizerFast

    ranks = {bytes([n]): n for n in range(256)}
    byte = tiktoken.Encoding("bytes", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={"<|end|>": 256})
    assert as_counter(byte).count("añ<|end|>") == 10  # the special token is plain text
    fast = PreTrainedTokenizerFast(tokenizer_object=made(pre_tokenizers.Whitespace()))
    assert as_counter(fast).count("ab c") == 3


@pytest.mark.parametrize("what", [7, object(), b"e5", ["a"]])
def test_what_cannot_count_is_refused(what: Any) -> None:
    with pytest.raises(InvalidInput, match=r"counter must be .* but got"):
        as_counter(what)


@pytest.mark.parametrize("gives", ["text", None, -1, 2.5])
def test_a_function_that_gives_no_number_is_refused(gives: Any) -> None:
    with pytest.raises(InvalidInput, match="must give a number of tokens"):
        as_counter(lambda text: gives).count("a")


def test_a_model_that_is_not_here_is_named() -> None:
    with pytest.raises(ModelNotFound, match="no-such-model"):
        as_counter("no-such-model")


def test_the_estimate_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path))
    counter = as_counter()
    assert (counter.name, counter.exact) == ("estimate", False)
    assert counter.count("") == 0
    assert counter.count("水を飲む") == estimate_tokens("水を飲む") == 4
    assert counter.count("abcdefg") == 3
