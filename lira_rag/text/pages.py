"""The text of HTML and PDF files, by Beautiful Soup and pypdf (the extra ``files``)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lira_rag.errors import InvalidInput, MissingDependency

__all__ = ["html_text", "pdf_text", "require"]

_DROPPED = frozenset(["title", "script", "style", "noscript", "template", "svg"])
_PARAGRAPHS = re.compile(
    "address|article|aside|blockquote|caption|details|div|dl|fieldset|figcaption|figure|footer|form|header|hr|main|nav|ol"
    "|p|pre|section|summary|table|ul"
)
_BREAKS = dict.fromkeys(["br", "dd", "dt", "li", "option", "tr"], ("\n", ""))
_BREAKS |= dict.fromkeys(["td", "th"], ("", " "))
_BREAKS |= {f"h{level}": ("\n\n" + "#" * level + " ", "\n\n") for level in range(1, 7)}
"""Tag → what is written before and after its text; paragraphs stand between empty lines."""
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)++")


def require(module: str, package: str, what: str) -> Any:
    """Import a module of the extra ``files``.

    Raises:
        MissingDependency: it is not installed; names the package and the extra.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise MissingDependency(
            f"reading {what} needs {package}", hint='install it with: pip install "lira-rag[files]"'
        ) from None


def html_text(html: str) -> tuple[str, str]:
    """The visible text of a page, and its title.

    Scripts and styles are left out; h1 … h6 become Markdown headings (``# …``) so that passages know their heading.

    Raises:
        MissingDependency: Beautiful Soup is not installed.
    """
    soup = require("bs4", "beautifulsoup4", ".html files").BeautifulSoup(html, "html.parser")
    title = _SPACES.sub(" ", soup.title.get_text()).strip() if soup.title else ""
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(_strings(soup)).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip(), title


def _strings(soup: Any) -> Iterator[str]:
    """The strings of a parsed page in order, with the line breaks its blocks stand for. Pages can nest deep: no
    recursion."""
    plain = require("bs4", "beautifulsoup4", ".html files").NavigableString
    stack: list[Any] = [soup]
    while stack:
        node = stack.pop()
        if type(node) is str:  # what comes after a tag
            yield node
        elif type(node) is plain:  # not its kinds Comment, Doctype, Script …
            yield _SPACES.sub(" ", node)
        elif hasattr(node, "contents") and node.name not in _DROPPED:
            paragraph = "\n\n" if _PARAGRAPHS.fullmatch(node.name) else ""
            before, after = _BREAKS.get(node.name, (paragraph, paragraph))
            yield before
            stack.append(after)
            stack.extend(reversed(node.contents))


def pdf_text(path: Path) -> tuple[str, int]:
    """The text of a PDF, pages set apart by an empty line, and the number of pages.

    Raises:
        InvalidInput: damaged, or locked by a password.
        MissingDependency: pypdf is not installed.
    """
    pypdf = require("pypdf", "pypdf", ".pdf files")
    try:
        reader = pypdf.PdfReader(path)
        texts = [page.extract_text() for page in reader.pages]
    except Exception as error:  # pypdf raises many kinds on damaged files, RecursionError and KeyError among them
        locked = isinstance(error, pypdf.errors.FileNotDecryptedError)
        what = "is locked by a password" if locked else f"cannot be read as PDF ({type(error).__name__})"
        raise InvalidInput(f"{path.as_posix()} {what}", hint="save it again as plain PDF or as text") from error
    return "\n\n".join(texts), len(texts)
