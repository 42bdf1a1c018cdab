"""Stand-ins for models and servers, for tests of programs that use lira_rag. They import no test framework.

`encoder.py`: vectors from hashed words. `chat.py`: chat models that reply, echo, dawdle or fail as told.
`writers.py`: chat models with structured output that write in pieces. `translator.py`: a table. `agents.py`: critics,
guards and translators that are late, fail or follow a table.
`typing_chat.py`: a chat model that is watched writing.
`choices.py`: scored candidates for training an actor. `server.py`: a loopback server with a script of faults, and
`served.py`: what its routes reply when nothing is wrong.
"""

from lira_rag.testing.agents import FailingTranslator, FakeCritic, FakeGuard, SlowTranslator
from lira_rag.testing.chat import EchoChat, FailingChat, FakeChat, SlowChat
from lira_rag.testing.choices import synthetic_choices
from lira_rag.testing.encoder import FakeEncoder
from lira_rag.testing.served import embeddings, ranking, streamed, token_states, tokenized, vectors_for
from lira_rag.testing.server import FaultServer, Received, Step, completion
from lira_rag.testing.translator import FakeTranslator
from lira_rag.testing.typing_chat import TypingChat
from lira_rag.testing.writers import ObeyingChat, ScriptedChat, WritingChat, cited

__all__ = [
    "EchoChat",
    "FailingChat",
    "FailingTranslator",
    "FakeChat",
    "FakeCritic",
    "FakeEncoder",
    "FakeGuard",
    "FakeTranslator",
    "FaultServer",
    "ObeyingChat",
    "Received",
    "ScriptedChat",
    "SlowChat",
    "SlowTranslator",
    "Step",
    "TypingChat",
    "WritingChat",
    "cited",
    "completion",
    "embeddings",
    "ranking",
    "streamed",
    "synthetic_choices",
    "token_states",
    "tokenized",
    "vectors_for",
]
