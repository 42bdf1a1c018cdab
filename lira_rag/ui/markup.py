"""Views as HTML. Every text is escaped, and each stands in its own language and direction.

A message is one line of HTML inside one <div>: Markdown shows that as it is, so nothing in a text becomes a link, an
image or a heading.
"""

from __future__ import annotations

import re
from html import escape

from lira_rag.ui.present import AnswerView, Note, SourceView, direction, language_name

__all__ = ["answer_html", "div", "draft_html", "line", "question_html", "trouble_html"]

BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def question_html(text: str, language: str) -> str:
    """What the user wrote."""
    return div("lira-question", _said(text, language))


def draft_html(text: str, language: str, status: str) -> str:
    """An answer on its way; it can still be taken back, and looks so."""
    shown = _said(text, language) if text else ""
    return div("lira-draft", f'{shown}<div class="lira-status">{line(status)}…</div>')


def answer_html(view: AnswerView, sure: float | None) -> str:
    """A whole answer with its sources and notes.

    Args:
        sure: confidence that the question is in the language it was taken for, in [0, 1]; None when unknown.
    """
    text = f'<div class="lira-text" {_in(view.language)}>{_lines(view.text)}</div>'
    parts = [text, _chips(view, sure)]
    if view.standalone:
        understood = f"<bdi {_in(view.question_language)}>{line(view.standalone)}</bdi>"
        parts.append(f'<div class="lira-understood">understood as: {understood}</div>')
    if view.sources:
        title = "Sources" if any(source.cited for source in view.sources) else "Found, but not used"
        shown = "".join(map(_source, view.sources))
        opened = "" if view.abstained else " open"
        parts.append(_details("lira-sources", f"{title} ({len(view.sources)})", shown, opened))
    if view.notes:
        parts.append(_details("lira-notes", f"What was left out ({len(view.notes)})", "".join(map(_note, view.notes))))
    return div("lira-answer", "".join(parts))


def trouble_html(plain: str, detail: str) -> str:
    """A question that could not be answered at all."""
    return div("lira-trouble", f"<p>{line(plain)}</p>" + (f"<p><small>{_lines(detail)}</small></p>"))


def _chips(view: AnswerView, sure: float | None) -> str:
    asked = language_name(view.question_language)
    asked += f", {100 * sure:.0f} % sure" if sure is not None else ""
    chips = [f"question: {asked}", f"answer: {language_name(view.language)}", view.action]
    chips.append("quoted, not written by a model" if view.quoted and not view.abstained else "")
    shown = "".join(f'<span class="lira-chip">{line(chip)}</span>' for chip in chips if chip)
    return f'<div class="lira-chips">{shown}</div>'


def _source(source: SourceView) -> str:
    facts = [language_name(source.language)]
    facts += [f"relevance {source.relevance} %"] if source.relevance is not None else []
    title = f"<bdi>{line(source.title)}</bdi>"
    head = f'<div class="lira-head">[{source.number}] {title} <small>{line(" · ".join(facts))}</small></div>'
    text = "".join(f"<mark>{_lines(p.text)}</mark>" if p.quoted else _lines(p.text) for p in source.pieces)
    quote = f"<blockquote {_in(source.language)}>{text}</blockquote>"
    return div("lira-source", head + quote + "".join(map(_translation, source.translations)))


def _translation(text: str) -> str:
    return f'<div class="lira-translation" dir="auto"><small>translation:</small> {_lines(text)}</div>'


def _note(note: Note) -> str:
    return f'<p>{line(note.plain)}<br><small dir="auto">{line(note.detail)}</small></p>'


def _details(name: str, title: str, inside: str, opened: str = "") -> str:
    return f'<details class="{name}"{opened}><summary>{line(title)}</summary>{inside}</details>'


def _said(text: str, language: str) -> str:
    return f'<div class="lira-text" {_in(language)}>{_lines(text)}</div>'


def _in(language: str) -> str:
    return f'lang="{line(language)}" dir="{direction(language)}"'


def div(name: str, inside: str) -> str:
    """A block of a class; `inside` is HTML."""
    return f'<div class="{name}">{inside}</div>'


def _lines(text: str) -> str:
    """Escaped, with line breaks; no line feed is left that would end the HTML block for Markdown."""
    return BREAK.sub("<br>", escape(text))


def line(text: str) -> str:
    """Escaped, on one line."""
    return escape(" ".join(text.split()))
