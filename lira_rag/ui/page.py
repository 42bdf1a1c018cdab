"""The Gradio page: a conversation, a question, the language of the answers. What it shows is made in `talk`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from anyio import to_thread

from lira_rag.engine import Lira
from lira_rag.engine.files import documents_of
from lira_rag.engine.ingest import Skipped
from lira_rag.errors import LiraError, MissingDependency
from lira_rag.languages import display_name, normalize_tag
from lira_rag.schema import Document
from lira_rag.ui.labels import Labels
from lira_rag.ui.talk import Session, Talk

__all__ = ["FONTS", "LABELS", "SAME", "build_page", "import_gradio", "language_choices"]

SAME = ""
"""The switch's value for "in the language of the question"."""
USUAL = ("en", "sw", "bn", "ur", "th", "fil", "hi", "id", "ms", "vi", "am", "ha", "yo", "ar", "fr", "es", "zh")
FONTS = ("system-ui", "Noto Sans", "sans-serif")
HELLO = (
    "Ask in any language.<br>Uliza kwa lugha yoyote.<br>যেকোনো ভাষায় জিজ্ঞাসা করুন।<br>"
    '<bdi lang="ur" dir="rtl">کسی بھی زبان میں پوچھیں۔</bdi><br>ถามได้ทุกภาษา'
)
LABELS = """<script>
new MutationObserver(() => {
  for (const message of document.querySelectorAll("#lira-log [data-testid][aria-label*='<']"))
    message.setAttribute("aria-label", message.dataset.testid === "user" ? "question" : "answer");
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label"]});
</script>"""
"""Gradio labels each message with its whole source; a screen reader would read the markup aloud."""
AT_ONCE = 8
"""Answers made side by side; more wait."""


def import_gradio() -> Any:
    """Gradio with its telemetry off.

    Raises:
        MissingDependency: it is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio
    except ImportError as error:
        raise MissingDependency("the page needs gradio", hint="pip install 'lira-rag[ui]'") from error
    return gradio


def language_choices(languages: Sequence[str], labels: Labels | None = None) -> list[tuple[str, str]]:
    """(name as its readers know it, tag) for the switch: the languages users write in, else the usual ones."""
    same = (labels or Labels()).text("as the question")
    import langcodes

    def name(tag: str) -> str:
        own = langcodes.Language.get(tag).autonym()
        return own if own == display_name(tag) else f"{own} ({display_name(tag)})"

    return [(same, SAME), *((name(tag), tag) for tag in dict.fromkeys(languages or USUAL))]


def build_page(
    lira: Lira,
    *,
    title: str = "lira",
    deadline: float | None = None,
    answer_language: str | None = None,
    uploads: bool = False,
) -> Any:
    """The page as gradio.Blocks.

    Args:
        lira: the index; open for writing when `uploads` is on.
        title: shown above.
        deadline: seconds for an answer; None is the index's setting.
        answer_language: what the switch begins with; None is "as the question".
        uploads: show a button that adds files to the index.
    """
    gr = import_gradio()
    first = normalize_tag(answer_language) if answer_language else SAME
    spoken = [*filter(None, [first]), *(lira.config.languages or USUAL)]
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        parts = _parts(gr, title, first, spoken)
        if uploads:
            _uploading(gr, lira)
        _wire(gr, Talk(lira, deadline), parts, _Relabel(gr, spoken))
    page.queue(default_concurrency_limit=AT_ONCE, max_size=8 * AT_ONCE)
    return page


@dataclass(frozen=True)
class _Parts:
    """The components of the page."""

    session: Any
    log: Any
    question: Any
    language: Any
    why: Any
    new: Any
    reasons: Any


class _Relabel:
    """Puts the controls into a reader's language: updates of question, language, why and new."""

    def __init__(self, gr: Any, spoken: Sequence[str]) -> None:
        self.gr, self.spoken = gr, spoken

    def __call__(self, labels: Labels, **question: Any) -> tuple[Any, ...]:
        """The updates; `question` is what else changes in the box for questions."""
        update, css = self.gr.update, {"elem_classes": [f"lira-{labels.direction}"]}
        return (
            update(placeholder=labels.text("Ask in any language"), **css, **question),
            update(label=labels.text("Answer in"), choices=language_choices(self.spoken, labels), **css),
            update(value=labels.text("Why was this found?"), **css),
            update(value=labels.text("New conversation"), **css),
        )


def _parts(gr: Any, title: str, first: str, spoken: Sequence[str]) -> _Parts:
    labels, choices = Labels(first or "en"), language_choices(spoken, Labels(first or "en"))
    way = [f"lira-{labels.direction}"]
    session = gr.State(Session(language=labels.language), time_to_live=3600)
    gr.Markdown(f"<h1>{escape(title)}</h1>", elem_id="lira-title")  # gr.HTML would need eval
    log = gr.Chatbot(
        elem_id="lira-log", show_label=False, height="65vh", latex_delimiters=[], placeholder=HELLO, buttons=[],
        layout="panel", feedback_options=None, allow_file_downloads=False,
    )  # fmt: skip
    question = gr.Textbox(
        elem_id="lira-question", show_label=False, placeholder=labels.text("Ask in any language"), lines=1,
        max_lines=6, max_length=2000, submit_btn=True, stop_btn=False, autofocus=True, elem_classes=way,
    )  # fmt: skip
    with gr.Row():
        named = labels.text("Answer in")
        language = gr.Dropdown(choices, value=first, label=named, elem_id="lira-language", elem_classes=way)
        with gr.Column():
            why = gr.Button(labels.text("Why was this found?"), elem_id="lira-why-button", elem_classes=way)
            new = gr.Button(labels.text("New conversation"), elem_id="lira-new", elem_classes=way)
    reasons = gr.Markdown(elem_id="lira-reasons", latex_delimiters=[])
    return _Parts(session, log, question, language, why, new, reasons)


def _wire(gr: Any, talk: Talk, page: _Parts, relabel: _Relabel) -> None:
    """What a question, a stop and the buttons do. While an answer is made, the send button is a stop button."""
    ready, quiet = {"submit_btn": True, "stop_btn": False}, {"api_visibility": "private", "show_progress": "hidden"}

    async def respond(text: str, tag: str, before: Session) -> AsyncIterator[tuple[Any, ...]]:
        if not text.strip():
            yield gr.skip(), gr.skip(), gr.skip(), "", *unchanged
            return
        busy: tuple[Any, ...] = ()
        async for after in talk.ask(text.strip(), tag or None, before):
            first, *others = busy or relabel(after.labels, value="", submit_btn=False, stop_btn=True)
            yield list(after.messages), after, "", first, *others
            busy = (gr.skip(), *unchanged)  # what is typed meanwhile stays
        yield gr.skip(), gr.skip(), "", gr.update(**ready), *unchanged

    def anew(before: Session) -> tuple[Any, ...]:
        return [], Session(language=before.language), "", gr.update(**ready)

    def switched(tag: str, before: Session) -> tuple[Any, ...]:
        labels = Labels(tag) if tag else before.labels
        return replace(before, language=labels.language), *relabel(labels)

    unchanged = [gr.skip()] * 3
    labelled = [page.question, page.language, page.why, page.new]
    shown = [page.log, page.session, page.reasons]
    asked = page.question.submit(respond, [page.question, page.language, page.session], [*shown, *labelled], **quiet)
    page.question.stop(lambda: gr.update(**ready), None, page.question, cancels=[asked], **quiet)
    page.language.input(switched, [page.language, page.session], [page.session, *labelled], **quiet)
    page.new.click(anew, page.session, [*shown, page.question], cancels=[asked], **quiet)
    page.why.click(talk.why, page.session, page.reasons, **quiet)


def _uploading(gr: Any, lira: Lira) -> None:
    """A button that adds files; what was added is said by number, and what was left out by reason."""

    async def add(paths: list[str]) -> str:
        try:
            report = await lira.aadd(_named(paths))
        except LiraError as error:
            return str(error)
        finally:
            await to_thread.run_sync(_remove, paths)
        return f"{report.added} documents added, {report.unchanged} known already, {report.skipped} left out"

    types = [".txt", ".md", ".html", ".pdf", ".jsonl", ".csv"]
    button = gr.UploadButton("Add documents", file_count="multiple", file_types=types, elem_id="lira-upload")
    said = gr.Markdown(elem_id="lira-uploaded")
    button.upload(add, button, said, api_visibility="private")


def _remove(paths: Sequence[str]) -> None:
    """Gradio's copies: what is indexed is in the index."""
    for path in paths:
        Path(path).unlink(missing_ok=True)


def _named(paths: Sequence[str]) -> Iterator[Document | Skipped]:
    """Documents by the name of their file, not by the folder it was uploaded to."""
    for item in documents_of(paths):
        yield replace(item, source=Path(item.source).name) if isinstance(item, Document) else item
