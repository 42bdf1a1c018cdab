"""Stand-ins for models and servers, for tests of programs that use lira_rag. They import no test framework.

`encoder.py`: vectors from hashed words. `chat.py`: chat models that reply, echo, dawdle or fail as told.
`translator.py`: a table. `server.py`: a loopback server with a script of faults.
"""

from lira_rag.testing.chat import EchoChat, FailingChat, FakeChat, SlowChat
from lira_rag.testing.encoder import FakeEncoder
from lira_rag.testing.server import FaultServer, Received, Step, completion
from lira_rag.testing.translator import FakeTranslator

__all__ = [
    "EchoChat",
    "FailingChat",
    "FakeChat",
    "FakeEncoder",
    "FakeTranslator",
    "FaultServer",
    "Received",
    "SlowChat",
    "Step",
    "completion",
]
