"""Model servers and chat models: any OpenAI-compatible endpoint, vLLM first, and one in this process.

`openai_chat.py` chats, whole, structured or in pieces (`chat_stream.py`); `vllm.py` adds what vLLM can do beyond that:
vectors (`pooling.py`), relevance (`scoring.py`), token counts and health (`model_card.py`). They speak through
`transport.py` (deadline, retries, bounded body), which uses `retry.py` (when to send again) and `breaker.py` (when not
to send at all); `balance.py` makes several servers one. `local_chat.py` runs a small model from a folder. Nothing here
reads the environment: addresses and keys are passed in.
"""

from lira_rag.clients.balance import Balancer
from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.local_chat import LocalChat
from lira_rag.clients.model_card import ModelCard, Tokenized
from lira_rag.clients.openai_chat import NO_THINKING, OpenAIChat
from lira_rag.clients.vllm import VLLMEndpoint

__all__ = [
    "NO_THINKING",
    "Balancer",
    "CircuitBreaker",
    "LocalChat",
    "ModelCard",
    "OpenAIChat",
    "Tokenized",
    "VLLMEndpoint",
]
