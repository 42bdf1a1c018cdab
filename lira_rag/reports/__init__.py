"""Reports for people and for continuous integration: how well each language is served, and what has changed.

::

    from lira_rag.reports import evaluate, read_questions

    report = evaluate(lira, read_questions(Path("questions.jsonl")))
    Path("report.html").write_text(report.to_html(), encoding="utf-8")
"""

from lira_rag.reports.drift import Drift, drift, read_log
from lira_rag.reports.questions import Asked, read_questions
from lira_rag.reports.report import Report, aevaluate, evaluate

__all__ = ["Asked", "Drift", "Report", "aevaluate", "drift", "evaluate", "read_log", "read_questions"]
