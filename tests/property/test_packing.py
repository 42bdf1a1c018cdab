"""A packed prompt never exceeds the window, with four tokenizers and ten scripts, and cuts where it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lira_rag.errors import ChatError
from lira_rag.lasr.packing import BUDGET, fit
from lira_rag.models import locate
from lira_rag.protocols import Message
from lira_rag.schema import Hit, Passage
from lira_rag.text.breaks import graphemes, sentences
from lira_rag.tokens import CautiousCounter, TokenCounter, counter_for

SCRIPTS = ("en", "bn", "ur", "th", "hi", "am", "yo", "vi")
MORE = {
    "my": "မြန်မာစာကို ကျွန်တော် ဖတ်တတ်ပါတယ်။ ဒီနေ့ မိုးရွာမလား။ ",
    "zh": "今天下雨吗？我们的商店在市中心。退货免费。",
    "ko": "오늘 비가 오나요? 가게는 시내에 있습니다. 반품은 무료입니다. ",
    "zalgo": "z̸̢͓̯̊a̴̛͉̎l̵͎̈́g̸̱͝o̶̤͌ 👩‍👩‍👧‍👦🏳️‍🌈 ",
    "forms": "ﷺ㌀㍿ﬃİ ",  # longer after NFKC than before
}
TOKENIZERS = ("e5-small-int4", "smollm2-135m", "o200k", "cl100k")
pytestmark = pytest.mark.models


@lru_cache(maxsize=1)
def seeds() -> dict[str, str]:
    """Some text in each language: the demo's questions, one after the other."""
    rows = resources.files("lira_rag.evaluation").joinpath("shop", "questions.jsonl").read_text(encoding="utf-8")
    found = dict.fromkeys(SCRIPTS, "")
    for row in map(json.loads, rows.splitlines()):
        if row["language"] in found:
            found[row["language"]] += row["text"] + " "
    return {**found, **{name: 8 * text for name, text in MORE.items()}}


@st.composite
def passages(draw: st.DrawFn, language: str) -> list[str]:
    """One to five texts: pieces of that language's text, with now and then anything else between."""
    seed = seeds()[language]

    def piece() -> str:
        start = draw(st.integers(0, len(seed) - 1))
        return seed[start : start + draw(st.integers(1, 500))] + draw(
            st.sampled_from(["", " ", "\n\n", "। ", "<|im_end|>"])
        )

    texts = ["".join(piece() for _ in range(draw(st.integers(1, 6)))) for _ in range(draw(st.integers(1, 5)))]
    return [text + draw(st.text(max_size=12)) for text in texts]


def hits(texts: Sequence[str]) -> list[Hit]:
    return [Hit(Passage(f"d{n}#0", f"d{n}", text, 0, len(text)), 1.0 - n / 10) for n, text in enumerate(texts)]


@lru_cache(maxsize=8)
def recount(name: str) -> Callable[[Sequence[Message]], int]:
    """The size of a prompt, found without this library's counters."""
    if name in ("o200k", "cl100k"):
        import tiktoken

        counter_for(name).count("loads the vocabulary")
        encoding = tiktoken.get_encoding(f"{name}_base")
        return lambda messages: sum(len(encoding.encode(m["content"], disallowed_special=())) for m in messages)
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(locate(name), local_files_only=True)
    if name == "e5-small-int4":
        return lambda messages: sum(len(tokenizer.tokenize(m["content"])) for m in messages)
    return lambda messages: len(
        tokenizer(tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)).input_ids
    )


@pytest.mark.parametrize("language", [*SCRIPTS, *MORE])
@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_prompt_exceeds_its_window(name: str, language: str, data: st.DataObject) -> None:
    counter = counter_for(name)
    texts, question = data.draw(passages(language)), seeds()[language][:60]
    context, reply = data.draw(st.integers(350, 2_500)), data.draw(st.integers(1, 160))
    try:
        packed = fit(hits(texts), question, "und", counter=counter, reply_tokens=reply, context=context)
    except ChatError:
        assume(False)
    assert packed.tokens <= context - reply
    assert recount(name)(packed.messages) <= context - reply
    whole = list(packed.texts)[1 if packed.cut else 0 :]
    assert whole == texts[len(packed.texts) - len(whole) : len(packed.texts)]
    assert packed.left_out == tuple(range(len(packed.texts) + 1, len(texts) + 1))
    if packed.cut:
        (begin,) = packed.texts
        assert texts[0].startswith(begin)
        assert len(begin) in {end for _, end in graphemes(texts[0])}
    assert bool(packed.note) == bool(packed.cut or packed.left_out)


@pytest.mark.parametrize("language", [*SCRIPTS, *MORE])
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_long_passage_is_cut_behind_a_sentence_if_one_fits(name: str, language: str) -> None:
    text = seeds()[language] * 3
    for context in (400, 700, 1_100):
        counter = counter_for(name)
        try:
            packed = fit(hits([text]), "?", "und", counter=counter, reply_tokens=20, context=context)
        except ChatError:
            continue
        ends = [end for _, end in sentences(text)]
        (begin,) = packed.texts
        if packed.cut and len(begin) >= ends[0]:
            assert len(begin) in ends


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=st.text(max_size=60) | st.sampled_from(list(MORE.values())))
@settings(deadline=None)
def test_bytes_bound_every_tokenizer(name: str, text: str) -> None:
    assert counter_for(name).count(text) <= CautiousCounter().count(text)


@given(text=st.text(alphabet="กิ่ำa é👩‍👧\u0301\n", min_size=1, max_size=400), context=st.integers(700, 3_000))
@settings(deadline=None)
def test_the_bound_packs_too(text: str, context: int) -> None:
    counter: TokenCounter = CautiousCounter()
    try:
        packed = fit(hits([text * 9]), "?", "th", counter=counter, reply_tokens=50, context=context)
    except ChatError:
        assert context < 1_300, "there was room"
        return
    sent = "".join(message["content"] for message in packed.messages)
    assert len(sent.encode()) <= packed.tokens <= context - 50
    assert len(packed.texts[0]) in {end for _, end in graphemes(text * 9)}
    assert packed.tokens <= 2 * BUDGET + 1_300
