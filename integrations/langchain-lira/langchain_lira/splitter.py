"""`ScriptAwareSplitter`: a LangChain text splitter whose sentences and words are those of every script."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

from langchain_core.documents import Document
from langchain_text_splitters import TextSplitter

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.text.chunking import Span, check_limits, chunk
from lira_rag.tokens import as_counter

__all__ = ["ScriptAwareSplitter"]


class ScriptAwareSplitter(TextSplitter):
    """Splits at sentences, by tokens, in any script; never inside a grapheme cluster.

    Every chunk is ``text[start:end]``, without white space around it. A new Markdown heading begins a new chunk.

    Args:
        chunk_size: most tokens of a chunk, > 0. Only a single grapheme cluster may have more.
        chunk_overlap: whole sentences of up to this many tokens are repeated, under the same heading; < chunk_size.
        length_function: counts the tokens of a text, as for LangChain's other splitters.
        counter: instead of `length_function`, anything `lira_rag.tokens.as_counter` takes: an encoder, a
            tokenizer, a model's name. With neither, the tokenizer of lira_rag's default encoder counts, when that model
            is on this machine, else an estimate; `counter.name` and `counter.exact` say which.
        language: BCP-47 tag, for a word breaker registered for that language; not needed otherwise.
        add_start_index: put the exact offset of each chunk into ``metadata["start_index"]``.
        add_heading: put the nearest heading into ``metadata["heading"]`` where there is one.

    Raises:
        InvalidInput: a number out of range, an unknown language, or no counter.
    """

    def __init__(
        self,
        chunk_size: int = 256,
        chunk_overlap: int = 32,
        length_function: Callable[[str], int] | None = None,
        *,
        counter: Any = None,
        language: str = UNKNOWN,
        add_start_index: bool = False,
        add_heading: bool = False,
    ) -> None:
        check_limits(chunk_size, chunk_overlap, ("chunk_size", "chunk_overlap"))
        if length_function is not None and counter is not None:
            raise InvalidInput("give length_function or counter, not both")
        self.counter = as_counter(counter if length_function is None else length_function)
        self.language = normalize_tag(language)
        self.add_heading = add_heading
        super().__init__(chunk_size, chunk_overlap, self.counter.count, add_start_index=add_start_index)

    @classmethod
    def from_encoder(cls, encoder: Any, **settings: Any) -> Self:
        """Count with an encoder of lira_rag: its tokens are what a passage has to fit.

        Args:
            encoder: an object with ``count_tokens``, or a model's name such as "e5-small-int4".
            **settings: as for the constructor.
        """
        return cls(counter=encoder, **settings)

    @classmethod
    def from_tokenizer(cls, tokenizer: Any, **settings: Any) -> Self:
        """Count with a tokenizer of `tokenizers`, `transformers` or `tiktoken`; settings as for the constructor."""
        return cls(counter=tokenizer, **settings)

    def _spans(self, text: str) -> list[Span]:
        return chunk(
            text,
            count_tokens=self.counter.count,
            count_many=self.counter.count_many,
            max_tokens=self._chunk_size,
            overlap_tokens=self._chunk_overlap,
            language=self.language,
        )

    def split_text(self, text: str) -> list[str]:
        """The chunks of a text, in order; none for white space."""
        return [text[span.start : span.end] for span in self._spans(text)]

    def create_documents(
        self, texts: Sequence[str], metadatas: Sequence[dict[Any, Any]] | None = None
    ) -> list[Document]:
        """The chunks of each text as documents with a copy of its metadata.

        Raises:
            InvalidInput: not one metadata for each text.
        """
        if metadatas and len(metadatas) != len(texts):
            raise InvalidInput(f"metadatas must be one for each of {len(texts)} texts, but got {len(metadatas)}")
        return [
            self._document(text, span, metadatas[n] if metadatas else {})
            for n, text in enumerate(texts)
            for span in self._spans(text)
        ]

    def _document(self, text: str, span: Span, metadata: dict[Any, Any]) -> Document:
        kept = copy.deepcopy(metadata)
        if self._add_start_index:
            kept["start_index"] = span.start
        if self.add_heading and span.heading:
            kept["heading"] = span.heading
        return Document(page_content=text[span.start : span.end], metadata=kept)
