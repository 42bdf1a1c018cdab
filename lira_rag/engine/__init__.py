"""The engine: one object that indexes documents, searches them in any language, explains and answers.

`lira.py` is the public object; `ingest.py` adds documents, `search.py` runs the legs, `assemble.py` builds the parts
from settings, `ask.py` answers, `conversation.py` keeps turns, `bridge.py` lets sync code call async code.
"""

from lira_rag.engine.conversation import Conversation
from lira_rag.engine.ingest import AddReport
from lira_rag.engine.lira import Lira

__all__ = ["AddReport", "Conversation", "Lira"]
