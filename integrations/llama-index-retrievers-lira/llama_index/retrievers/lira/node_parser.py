"""`LiraNodeParser`: a LlamaIndex node parser whose sentences and words are those of every script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.callbacks import CallbackManager
from llama_index.core.node_parser.interface import MetadataAwareTextSplitter
from llama_index.core.node_parser.node_utils import build_nodes_from_splits, default_id_func
from llama_index.core.schema import BaseNode, Document, MetadataMode, TextNode
from llama_index.core.utils import get_tqdm_iterable

from lira_rag.errors import InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag
from lira_rag.text.chunking import Span, check_limits, chunk
from lira_rag.tokens import Counter, as_counter

__all__ = ["LiraNodeParser"]


class LiraNodeParser(MetadataAwareTextSplitter):
    """Splits at sentences, by tokens, in any script; never inside a grapheme cluster.

    Every node's text is ``document.text[start_char_idx:end_char_idx]``, exactly. A node and the metadata that is shown
    with it have at most `chunk_size` tokens together. White space alone makes no node.

    Raises:
        InvalidInput: a number out of range, an unknown language, no counter, or metadata that leaves no room.
    """

    chunk_size: int = Field(256, gt=0, description="Most tokens of a node with its metadata.")
    chunk_overlap: int = Field(32, ge=0, description="Whole sentences of up to this many tokens are repeated.")
    language: str = Field(UNKNOWN, description="BCP-47 tag, for a word breaker registered for that language.")
    add_heading: bool = Field(False, description='Put the nearest Markdown heading into metadata["heading"].')

    _counter: Counter = PrivateAttr()

    def __init__(
        self,
        chunk_size: int = 256,
        chunk_overlap: int = 32,
        *,
        counter: Any = None,
        language: str = UNKNOWN,
        add_heading: bool = False,
        callback_manager: CallbackManager | None = None,
        include_metadata: bool = True,
        include_prev_next_rel: bool = True,
        id_func: Callable[[int, BaseNode], str] | None = None,
    ) -> None:
        """As the class; `counter` is anything `lira_rag.tokens.as_counter` takes: an encoder, a tokenizer, a
        model's name, a function. None takes the tokenizer of lira_rag's default encoder when that is on this machine,
        else an estimate: see `counter`."""
        check_limits(chunk_size, chunk_overlap, ("chunk_size", "chunk_overlap"))
        fields: dict[str, Any] = {
            "chunk_size": chunk_size,
            "chunk_overlap": chunk_overlap,
            "language": normalize_tag(language),
            "add_heading": add_heading,
            "callback_manager": callback_manager or CallbackManager([]),
            "include_metadata": include_metadata,
            "include_prev_next_rel": include_prev_next_rel,
            "id_func": id_func if callable(id_func) else default_id_func,  # from_dict gives its name in a dict
        }
        super().__init__(**fields)
        self._counter = as_counter(counter)

    @classmethod
    def class_name(cls) -> str:
        return "LiraNodeParser"

    @property
    def counter(self) -> Counter:
        """What counts: its name, and whether it is exact. It is not part of the parser's serialised form."""
        return self._counter

    def split_text(self, text: str) -> list[str]:
        """The pieces of a text, in order."""
        return [text[span.start : span.end] for span in self._spans(text)]

    def split_text_metadata_aware(self, text: str, metadata_str: str) -> list[str]:
        """The pieces of a text that leave room for its metadata."""
        return [text[span.start : span.end] for span in self._spans(text, metadata_str)]

    def _spans(self, text: str, metadata: str = "") -> list[Span]:
        used = self._counter.count(metadata) if metadata else 0
        room = self.chunk_size - used
        if room < 1:
            raise InvalidInput(
                f"chunk_size must be > the {used} tokens of the metadata, but got {self.chunk_size}",
                hint="raise chunk_size, exclude metadata keys, or set include_metadata=False",
            )
        return chunk(
            text,
            count_tokens=self._counter.count,
            count_many=self._counter.count_many,
            max_tokens=room,
            overlap_tokens=min(self.chunk_overlap, room // 2) if used else self.chunk_overlap,
            language=self.language,
        )

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any) -> list[BaseNode]:
        parsed: list[BaseNode] = []
        for node in get_tqdm_iterable(nodes, show_progress, "Parsing nodes"):
            text = node.get_content(metadata_mode=MetadataMode.NONE)
            spans = self._spans(text, self._get_metadata_str(node) if self.include_metadata else "")
            pieces = [text[span.start : span.end] for span in spans]
            for made, span in zip(build_nodes_from_splits(pieces, node, id_func=self.id_func), spans, strict=True):
                made.start_char_idx, made.end_char_idx = span.start, span.end
                if self.add_heading and span.heading:
                    made.metadata["heading"] = span.heading
                parsed.append(made)
        return parsed

    async def _aparse_nodes(
        self, nodes: Sequence[BaseNode], show_progress: bool = False, **kwargs: Any
    ) -> list[BaseNode]:
        return await asyncio.to_thread(self._parse_nodes, nodes, show_progress, **kwargs)

    def _postprocess_parsed_nodes(self, nodes: list[BaseNode], parent_doc_map: dict[str, Document]) -> list[BaseNode]:
        """As the base class, which searches for each node's text again and may find an equal one elsewhere."""
        exact = [(node.start_char_idx, node.end_char_idx) for node in nodes if isinstance(node, TextNode)]
        done = super()._postprocess_parsed_nodes(nodes, parent_doc_map)
        for node, (start, end) in zip((n for n in done if isinstance(n, TextNode)), exact, strict=True):
            node.start_char_idx, node.end_char_idx = start, end
        return done
