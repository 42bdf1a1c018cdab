"""How many tokens a text is, by the tokenizer of the model that will read it.

"Four characters a token" is true of English and of one tokenizer. The same sentence takes two to eight times as many
tokens in Thai, Amharic or Burmese, so a budget counted that way overflows, or wastes most of its room. Here every
count comes from a `TokenCounter`:

| counter | asks | exact |
|---|---|---|
| `ServedCounter` | the server itself, ``POST /tokenize`` (vLLM, SGLang) | yes, or `reason` says why not |
| `TokenizerCounter` | the tokenizer of a model folder or packaged model | yes |
| `TiktokenCounter` | tiktoken, for OpenAI's models, offline | yes |
| `ChatCounter` | the ``count_tokens`` of a chat model object | as that object |
| `CautiousCounter` | nobody: the bytes of the text, an upper bound | no |

`counter_for` picks one for a configuration or a model's name; `at_hand` lists those that need no download. `as_counter`
makes one of anything else that can count: an encoder, a tokenizer, a function.
"""

from lira_rag.tokens.choose import at_hand, counter_for, counter_of
from lira_rag.tokens.coerce import Counter, as_counter, estimate_tokens
from lira_rag.tokens.counter import CautiousCounter, ChatCounter, TokenCounter, context_of, message_tokens
from lira_rag.tokens.openai import TiktokenCounter
from lira_rag.tokens.served import ServedCounter
from lira_rag.tokens.tokenizer import TokenizerCounter

__all__ = [
    "CautiousCounter",
    "ChatCounter",
    "Counter",
    "ServedCounter",
    "TiktokenCounter",
    "TokenCounter",
    "TokenizerCounter",
    "as_counter",
    "at_hand",
    "context_of",
    "counter_for",
    "counter_of",
    "estimate_tokens",
    "message_tokens",
]
