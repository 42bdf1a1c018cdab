"""A chat page over an index, and the plain view of an answer that the page and the terminal share.

`present.py`: an answer as what a reader sees. `markup.py`: that as HTML, everything escaped. `talk.py`: a question and
its events as messages. `page.py`: the Gradio page. `guard.py`, `serve.py`: the server around it.
"""

from lira_rag.ui.present import AnswerView, Piece, SourceView, present

__all__ = ["AnswerView", "Piece", "SourceView", "present"]
