"""The seams of lira_rag: small protocols, async first. Any object with the right methods fits; none need inherit.

Each has a shipped fake in `lira_rag.testing`.
"""

from lira_rag.protocols.agents import Actor, Choice, Critic, Guard, Scores, Translator
from lira_rag.protocols.chat import ChatModel, Message, Reply, Reranker, StreamingChat, StructuredChat
from lira_rag.protocols.encoding import Encoder, FloatArray, Kind, TokenEncoder, TwoPathEncoder
from lira_rag.protocols.serving import VectorServer
from lira_rag.protocols.stores import VectorStore, Where

__all__ = [
    "Actor",
    "ChatModel",
    "Choice",
    "Critic",
    "Encoder",
    "FloatArray",
    "Guard",
    "Kind",
    "Message",
    "Reply",
    "Reranker",
    "Scores",
    "StreamingChat",
    "StructuredChat",
    "TokenEncoder",
    "Translator",
    "TwoPathEncoder",
    "VectorServer",
    "VectorStore",
    "Where",
]
