"""`lira chat`: a conversation with an index in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from lira_rag.cli.console import out, parse_filters, printable
from lira_rag.cli.options import Deadline, Filters, IndexPath, Settings, parse_settings
from lira_rag.cli.search import show_explanation
from lira_rag.engine import Conversation, Lira
from lira_rag.errors import LiraError
from lira_rag.languages import normalize_tag
from lira_rag.schema import Answer
from lira_rag.text.breaks import last_cluster_end
from lira_rag.ui.present import AnswerView, Piece, SourceView, language_name, present

__all__ = ["Chat", "chat"]

HELP = """/why        why the last answer was found: languages, legs, ranks
/lang TAG   answer in this language, such as /lang sw; /lang alone: in that of each question
/new        forget what was said
/help       this
/quit       end (so does Ctrl-D)"""
AROUND = 120
"""Characters of a source shown before and after its quotation."""
END = ("/quit", "/exit", "/q")

Read = Callable[[], str]


def chat(
    index: IndexPath,
    lang: Annotated[str | None, typer.Option("--lang", metavar="TAG", help="Answer in this language.")] = None,
    k: Annotated[int | None, typer.Option("-k", help="Passages an answer may draw on.")] = None,
    filters: Filters = None,
    deadline: Deadline = None,
    settings: Settings = None,
) -> None:
    """Talk with an index: follow-ups, in any language and from one to the next; /help lists the commands."""
    where = parse_filters(filters or [])
    with Lira.open(index, read_only=True, **parse_settings(settings)) as lira:
        conversation = Conversation(lira, k=k, filters=where, answer_language=lang)
        Chat(conversation, out, _prompt, deadline=deadline).run()


def _prompt() -> str:
    """The next line; no prompt is written into a pipe."""
    return input("> " if sys.stdin.isatty() else "")


class Chat:
    """The loop of `lira chat`.

    Args:
        conversation: what is asked.
        console: where it is shown.
        read: gives the next line; EOFError ends.
        deadline: seconds for each answer; None is the index's setting.
    """

    def __init__(
        self, conversation: Conversation, console: Console, read: Read, *, deadline: float | None = None
    ) -> None:
        self.conversation, self.console, self.deadline = conversation, console, deadline
        self._read, self._last = read, ""

    def run(self) -> None:
        """Until /quit, the end of the input, or Ctrl-C at the prompt. Ctrl-C in an answer ends only that answer."""
        self.console.print("Ask in any language; /help lists the commands.", style="dim")
        while True:
            try:
                line = self._read().strip()
            except (EOFError, KeyboardInterrupt):
                return
            if line in END:
                return
            try:
                self._take(line)
            except KeyboardInterrupt:
                self.console.print("stopped", style="yellow")
            except LiraError as error:
                self.console.print(Text(printable(str(error)), style="red"))

    def _take(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command == "/why":
            self._why()
        elif command == "/lang":
            self._speak(rest.strip())
        elif command == "/new":
            self.conversation.clear()
            self._last = ""
        elif command.startswith("/"):
            self.console.print(HELP)
        elif line:
            self._show(self._answer(line))

    def _answer(self, question: str) -> Answer:
        """The answer; in a terminal its draft is shown while it is written, and gives way to it."""
        draft, answer = "", None
        events = self.conversation.stream(question, deadline=self.deadline)
        with closing(events), Live(console=self.console, transient=True, auto_refresh=False) as live:  # type: ignore[type-var]
            for event in events:
                answer = event.answer or answer
                draft = "" if event.kind == "reset" else draft + event.text if event.kind == "text" else draft
                status = f"{event.text}…" if event.kind == "status" else ""
                live.update(Text(printable(draft or status), style="dim"), refresh=True)
        assert answer is not None  # the last event of a stream
        return answer

    def _show(self, answer: Answer) -> None:
        view = present(answer)
        self._last = answer.standalone or answer.question
        self.console.print(Text(printable(view.text), style="bold"))
        self.console.print(Text(_chips(view), style="cyan"))
        for source in view.sources:
            self.console.print(_source(source))
        for note in view.notes:
            self.console.print(Text(f"  note - {note.plain} ({printable(note.detail)})", style="yellow"))

    def _why(self) -> None:
        if self._last:
            show_explanation(self.conversation.lira.explain(self._last, deadline=self.deadline), self.console)
        else:
            self.console.print("nothing was asked yet")

    def _speak(self, tag: str) -> None:
        wanted = normalize_tag(tag) if tag else None
        self.conversation.answer_language = wanted
        name = language_name(wanted) if wanted else "the language of each question"
        self.console.print(f"answers are in {name} now")


def _chips(view: AnswerView) -> str:
    """``[ur → sw · translated into this language]``."""
    chips = [f"{view.question_language} → {view.language}", view.action]
    chips.append("quoted" if view.quoted and not view.abstained else "")
    return f"[{' · '.join(filter(None, chips))}]"


def _source(source: SourceView) -> Text:
    facts = ", ".join([source.language, *([f"relevance {source.relevance} %"] if source.relevance is not None else [])])
    shown = Text(f"  [{source.number}] {printable(source.title)} ({facts})\n      ")
    pieces = source.pieces
    for number, piece in enumerate(pieces):
        ends = (number == 0, number == len(pieces) - 1)
        shown.append(_excerpt(piece, *ends), style="bold" if piece.quoted else "")
    for translation in source.translations:
        shown.append(f"\n      translation: {printable(translation)}")
    return shown


def _excerpt(piece: Piece, first: bool, last: bool) -> str:
    """A quotation whole; of what is around it the end before it and the beginning after it; all on one line."""
    text = " ".join(printable(piece.text).split())
    before, after = piece.text[:1].isspace(), piece.text[-1:].isspace()
    if not piece.quoted and len(text) > AROUND:
        if last:
            text = text[: last_cluster_end(text, AROUND)] + "…"
        elif first:
            text = "…" + text[last_cluster_end(text, len(text) - AROUND) :]
    text = f"«{text}»" if piece.quoted else text  # seen in a pipe too, where there is no style
    return f"{' ' if before else ''}{text}{' ' if after else ''}"
