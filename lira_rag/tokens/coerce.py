"""What counts the tokens of a passage: anything that can, made into one shape.

`as_counter` takes an encoder, a model's name, a tokenizer of `tokenizers`, `transformers` or `tiktoken`, or a plain
function. Given nothing it takes the tokenizer of the default encoder, when that model is on this machine, else a rule.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lira_rag.config import load_config
from lira_rag.errors import InvalidInput
from lira_rag.tokens.choose import counter_for
from lira_rag.tokens.tokenizer import TokenizerCounter

__all__ = ["Counter", "as_counter", "estimate_tokens"]

CountMany = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts tokens, special tokens left out.

    Attributes:
        name: what counts, as shown to people.
        exact: False when it is an estimate.
        count_many: texts -> the tokens of each.
    """

    name: str
    exact: bool
    count_many: CountMany

    def count(self, text: str) -> int:
        """The tokens of one text."""
        return self.count_many([text])[0]


def as_counter(what: Any = None) -> Counter:
    """Make a counter of what the caller has.

    Args:
        what: None (see the module), the name of a packaged model or of one of OpenAI's, a model folder, an object with
            ``count_many`` or ``count_tokens`` (encoders), a tokenizer, or a function from a text to its number of
            tokens, or to the tokens themselves. Truncation and padding set on a tokenizer do not count, and stay.

    Raises:
        InvalidInput: nothing of the kind.
        ModelNotFound: no such model on this machine.
    """
    if isinstance(what, Counter):
        return what
    if what is None:
        return _default()
    if isinstance(what, str):
        return _of_name(what)
    name = type(what).__name__
    if hasattr(what, "count_many"):
        return Counter(name, bool(getattr(what, "exact", True)), what.count_many)
    if hasattr(what, "count_tokens"):
        return Counter(name, True, lambda texts: [what.count_tokens(text) for text in texts])
    return _of_tokenizer(what, name)


def _of_tokenizer(what: Any, name: str) -> Counter:
    what = getattr(what, "backend_tokenizer", what)  # transformers' fast tokenizers
    if hasattr(what, "encode_batch_fast"):
        return _of_fast(what, name)
    if hasattr(what, "encode_ordinary"):  # tiktoken
        return Counter(name, True, lambda texts: [len(what.encode_ordinary(text)) for text in texts])
    if not callable(what):
        raise InvalidInput(f"counter must be an encoder, a tokenizer or a function, but got {name}")
    return Counter(name, True, lambda texts: [_number(what(text)) for text in texts])


def _number(counted: Any) -> int:
    """A function's result as a number: it may give the tokens themselves."""
    if isinstance(counted, int) and counted >= 0:
        return counted
    if isinstance(counted, Sequence) and not isinstance(counted, str):
        return len(counted)
    raise InvalidInput(f"the counter must give a number of tokens or a list of them, but gave {type(counted).__name__}")


def _of_fast(tokenizer: Any, name: str) -> Counter:
    from lira_rag.encoders.word_counts import WordCounts

    if tokenizer.truncation is not None or tokenizer.padding is not None:
        tokenizer = copy.deepcopy(tokenizer)
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return Counter(name, True, WordCounts(tokenizer))


def _of_name(name: str) -> Counter:
    """OpenAI's models by their vocabulary; for others the tokenizer on disk, word by word."""
    counter = counter_for(name)
    if isinstance(counter, TokenizerCounter):
        return _of_model(name)
    return Counter(counter.name, counter.exact, counter.count_many)


@lru_cache(maxsize=4)
def _of_model(name: str) -> Counter:
    """The tokenizer of a model that is on this machine; its weights are not loaded."""
    from lira_rag.encoders.tokens import load_tokenizer
    from lira_rag.models import locate

    tokenizer = load_tokenizer(locate(name, offline=True))
    tokenizer.encode_special_tokens = True  # one that is written in a text is plain text
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _of_fast(tokenizer, name)


def _default() -> Counter:
    from lira_rag.models import CATALOG, is_pulled

    encoder = load_config().encoder
    if encoder not in CATALOG or is_pulled(encoder):
        return _of_model(encoder)
    return Counter("estimate", False, lambda texts: [estimate_tokens(text) for text in texts])


_ONE_EACH = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]")


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is when no tokenizer is at hand, on the high side for XLM-R's.

    One for each Han, kana or Hangul character, one for every three others, rounded up.
    """
    single = len(_ONE_EACH.findall(text))
    return single + (len(text) - single + 2) // 3
