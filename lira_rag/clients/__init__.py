"""Chat models: one behind an OpenAI-compatible endpoint, one in this process.

`openai_chat.py` speaks to vLLM and its like through `transport.py` (deadline, retries, bounded body), which uses
`retry.py` (when to send again) and `breaker.py` (when not to send at all). `local_chat.py` runs a small model from a
folder. Nothing here reads the environment: addresses and keys are passed in.
"""

from lira_rag.clients.breaker import CircuitBreaker
from lira_rag.clients.local_chat import LocalChat
from lira_rag.clients.openai_chat import NO_THINKING, OpenAIChat

__all__ = ["NO_THINKING", "CircuitBreaker", "LocalChat", "OpenAIChat"]
