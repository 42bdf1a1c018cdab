"""LaSR, the second component: from ranked passages to an answer in words.

`node.py` is the public object, `answering.py` its flow, and each stage has its file: `reranking.py`, `packing.py`,
`asking.py` (with `prompts.txt` and `replies.py`), `checking.py` (with `verbatim.py` and `grounding.py`), `guarantee.py`
(the answer's language; with `tongue.py` and `translating.py`), `quote.py` for when no reply will do, `phrases.py` for
when there is no answer, and `condensing.py` for follow-ups.
"""

from lira_rag.lasr.answering import EXTRACT
from lira_rag.lasr.condensing import Condensed
from lira_rag.lasr.node import LaSR
from lira_rag.lasr.quote import Quote, best_sentence
from lira_rag.lasr.verbatim import find_verbatim

__all__ = ["EXTRACT", "Condensed", "LaSR", "Quote", "best_sentence", "find_verbatim"]
