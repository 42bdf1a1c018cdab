"""Views as HTML. Every text is escaped, and each stands in its own language and direction.

A message is one line of HTML inside one <div>: Markdown shows that as it is, so nothing in a text becomes a link, an
image or a heading.
"""

from __future__ import annotations

import re
from html import escape

from lira_rag.ui.labels import Labels
from lira_rag.ui.present import AnswerView, Note, SourceView, direction

__all__ = ["answer_html", "div", "draft_html", "line", "question_html", "trouble_html"]

ENGLISH = Labels()
BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def question_html(text: str, language: str) -> str:
    """What the user wrote."""
    return div("lira-question", _said(text, language))


def draft_html(text: str, language: str, status: str, labels: Labels = ENGLISH) -> str:
    """An answer on its way; it can still be taken back, and looks so."""
    shown = _said(text, language) if text else ""
    return div("lira-draft", shown + div("lira-status", f"{line(labels.status(status))}…", labels))


def answer_html(view: AnswerView, sure: float | None, labels: Labels = ENGLISH) -> str:
    """A whole answer with its sources and notes.

    Args:
        sure: confidence that the question is in the language it was taken for, in [0, 1]; None when unknown.
        labels: the reader's.
    """
    text = f'<div class="lira-text" {_in(view.language)}>{_lines(view.text)}</div>'
    parts = [text, _chips(view, sure, labels)]
    if view.standalone:
        understood = f"<bdi {_in(view.question_language)}>{line(view.standalone)}</bdi>"
        parts.append(f'<div class="lira-understood">{labels.html("understood as")}: {understood}</div>')
    if view.sources:
        title = "Sources" if any(source.cited for source in view.sources) else "Found, but not used"
        shown = "".join(_source(source, labels) for source in view.sources)
        opened = "" if view.abstained else " open"
        parts.append(_details("lira-sources", f"{labels.html(title)} ({len(view.sources)})", shown, opened))
    if view.notes:
        notes = "".join(_note(note, labels) for note in view.notes)
        parts.append(_details("lira-notes", f"{labels.html('What was left out')} ({len(view.notes)})", notes))
    return div("lira-answer", "".join(parts), labels)


def trouble_html(plain: str, detail: str, labels: Labels = ENGLISH) -> str:
    """A question that could not be answered at all."""
    told = f'<p>{labels.html(plain)}</p><p><small dir="auto">{_lines(detail)}</small></p>'
    return div("lira-trouble", told, labels)


def _chips(view: AnswerView, sure: float | None, labels: Labels) -> str:
    asked = f"{labels.html('question')}: {line(labels.name(view.question_language))}"
    asked += f" · {labels.html('{} % sure').format(f'{100 * sure:.0f}')}" if sure is not None else ""
    chips = [asked, f"{labels.html('answer')}: {line(labels.name(view.language))}", labels.html(view.action)]
    chips.append(labels.html("quoted, not written by a model") if view.quoted and not view.abstained else "")
    shown = "".join(f'<span class="lira-chip">{chip}</span>' for chip in chips if chip)
    return f'<div class="lira-chips">{shown}</div>'


def _source(source: SourceView, labels: Labels) -> str:
    facts = line(labels.name(source.language))
    facts += f" · {labels.html('relevance')} {source.relevance} %" if source.relevance is not None else ""
    title = f"<bdi>{line(source.title)}</bdi>"
    head = f'<div class="lira-head">[{source.number}] {title} <small>{facts}</small></div>'
    text = "".join(f"<mark>{_lines(p.text)}</mark>" if p.quoted else _lines(p.text) for p in source.pieces)
    quote = f"<blockquote {_in(source.language)}>{text}</blockquote>"
    return div("lira-source", head + quote + "".join(_translation(text, labels) for text in source.translations))


def _translation(text: str, labels: Labels) -> str:
    said = f"<small>{labels.html('translation')}:</small>"
    return f'<div class="lira-translation">{said} <bdi>{_lines(text)}</bdi></div>'


def _note(note: Note, labels: Labels) -> str:
    return f'<p>{labels.html(note.plain)}<br><small dir="auto">{line(note.detail)}</small></p>'


def _details(name: str, title: str, inside: str, opened: str = "") -> str:
    return f'<details class="{name}"{opened}><summary>{title}</summary>{inside}</details>'


def _said(text: str, language: str) -> str:
    return f'<div class="lira-text" {_in(language)}>{_lines(text)}</div>'


def _in(language: str) -> str:
    return f'lang="{line(language)}" dir="{direction(language)}"'


def div(name: str, inside: str, labels: Labels | None = None) -> str:
    """A block of a class; `inside` is HTML. With labels it stands in their language and direction."""
    own = f" {_in(labels.language)}" if labels is not None else ""
    return f'<div class="{name}"{own}>{inside}</div>'


def _lines(text: str) -> str:
    """Escaped, with line breaks; no line feed is left that would end the HTML block for Markdown."""
    return BREAK.sub("<br>", escape(text))


def line(text: str) -> str:
    """Escaped, on one line."""
    return escape(" ".join(text.split()))
