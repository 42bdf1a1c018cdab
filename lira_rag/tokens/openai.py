"""Counting for OpenAI's models with tiktoken, whose vocabularies are found on this machine and never fetched silently.

tiktoken by itself downloads a vocabulary on first use. Here it is given a folder that holds the file, looked for where
tiktoken keeps its own, inside an installed llama-index-core (its wheel ships both files), and among what
``lira models pull o200k`` put into LIRA_HOME. The file's SHA-256 is checked before tiktoken sees it, because on a wrong
one tiktoken would delete it and go to the network.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from lira_rag.errors import CorruptModel, MissingDependency, ModelNotFound
from lira_rag.folders import sha256_file
from lira_rag.models import CATALOG, folder_of
from lira_rag.protocols import Message
from lira_rag.tokens.counter import CachedCounter

__all__ = ["TiktokenCounter", "encoding_name"]

PER_MESSAGE = 4
PER_REPLY = 3
"""Tokens that OpenAI's chat format adds to each message (its role included) and for the beginning of the reply."""

_VOCABULARY = {"o200k_base": "o200k", "o200k_harmony": "o200k", "cl100k_base": "cl100k"}
"""tiktoken's encodings and the catalogue entry that holds their vocabulary."""
_CACHE_DIR = "TIKTOKEN_CACHE_DIR"
_environment = threading.Lock()


class TiktokenCounter(CachedCounter):
    """The tokenizer of an OpenAI model.

    Args:
        model: a model such as "gpt-4o", or an encoding: "o200k", "cl100k", "o200k_base", "cl100k_base".
        folders: where to look for the vocabulary, under the name tiktoken's cache gives it; None looks in tiktoken's
            own cache, an installed llama-index-core, and LIRA_HOME.

    Raises:
        ModelNotFound: no such model or encoding, or (on first use) its vocabulary is not on this machine.
        MissingDependency: tiktoken is not installed.
    """

    def __init__(self, model: str, *, folders: Sequence[Path] | None = None) -> None:
        super().__init__()
        found = encoding_name(model)
        if found is None:
            raise ModelNotFound(
                f"no OpenAI model or encoding is called {model!r}",
                hint="for example gpt-4o, gpt-4, o200k or cl100k; other models have tokenizers of their own",
            )
        self._model, self._encoding_name, self._folders = model, found, folders

    def __repr__(self) -> str:
        return f"TiktokenCounter({self._model!r})"

    @property
    def name(self) -> str:
        """As given."""
        return self._model

    @property
    def exact(self) -> bool:
        """Always True."""
        return True

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt in OpenAI's chat format."""
        texts = [message["content"] for message in messages]
        return sum(self.count_many(texts)) + PER_MESSAGE * len(texts) + PER_REPLY

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        return [len(self._encoding.encode_ordinary(text)) for text in texts]

    @cached_property
    def _encoding(self) -> Any:
        import tiktoken

        folder = vocabulary_folder(_VOCABULARY[self._encoding_name], self._folders)
        with _environment, _cache_at(folder):
            return tiktoken.get_encoding(self._encoding_name)


def encoding_name(model: str) -> str | None:
    """tiktoken's encoding of an OpenAI model, or None for a name that is not OpenAI's or an encoding out of use.

    Raises:
        MissingDependency: tiktoken is not installed.
    """
    found = model if model in _VOCABULARY else f"{model}_base"
    if found not in _VOCABULARY:
        try:
            from tiktoken.model import encoding_name_for_model
        except ImportError:
            raise MissingDependency("counting for OpenAI's models needs tiktoken", hint=_INSTALL) from None
        try:
            found = encoding_name_for_model(model)
        except KeyError:
            return None
    return found if found in _VOCABULARY else None


_INSTALL = 'pip install "lira-rag[tokens]"'


def vocabulary_folder(entry: str, folders: Sequence[Path] | None = None) -> Path:
    """The folder that holds the vocabulary of a catalogue entry: the first of `folders`, or of the usual ones.

    Raises:
        ModelNotFound: it is nowhere; names the command that pulls it.
        CorruptModel: what is there is another file.
    """
    (source,) = CATALOG[entry].sources
    file = Path(source.file).name
    wrong = []
    for folder in _usual(entry, source.package, source.file) if folders is None else folders:
        if not (folder / file).is_file():
            continue
        if sha256_file(folder / file) == source.sha256:
            return folder
        wrong.append(folder / file)
    if wrong:
        raise CorruptModel(f"{wrong[0]} is not the vocabulary {entry}", hint=f"lira models pull {entry} --force")
    raise ModelNotFound(f"the vocabulary {entry} is not on this machine", hint=f"lira models pull {entry}")


def _usual(entry: str, package: str, file: str) -> Iterator[Path]:
    """Where the vocabulary may be: tiktoken's own cache, an installed package, LIRA_HOME."""
    own = os.environ.get(_CACHE_DIR) or os.environ.get("DATA_GYM_CACHE_DIR")
    yield Path(own) if own else Path(tempfile.gettempdir()) / "data-gym-cache"
    with suppress(metadata.PackageNotFoundError):
        yield Path(str(metadata.distribution(package).locate_file(file))).parent
    yield folder_of(entry)


@contextmanager
def _cache_at(folder: Path) -> Iterator[None]:
    """tiktoken reads its cache folder from the environment only; the old value comes back."""
    before = os.environ.get(_CACHE_DIR)
    os.environ[_CACHE_DIR] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CACHE_DIR]
        else:
            os.environ[_CACHE_DIR] = before
