"""LaSR, the second component: from ranked passages to an answer in words.

`answer.py` is the flow. `prompts.py` holds every prompt, `packing.py` fits passages into a model's context,
`grounding.py` checks a reply against its passages, `quote.py` chooses a sentence when the reply will not do, and
`phrases.py` says that there is no answer.
"""

from lira_rag.lasr.answer import EXTRACT, answer
from lira_rag.lasr.quote import Quote, best_sentence

__all__ = ["EXTRACT", "Quote", "answer", "best_sentence"]
