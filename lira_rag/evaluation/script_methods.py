"""What `lira demo scripts` compares: three word searches, two sentence finders, three splitters, each by its defaults.

Peers that are not installed are left out. Each is used as its own documentation shows first, without settings for a
language, because a collection in many languages has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lira_rag.text.breaks import sentences
from lira_rag.text.chunking import chunk
from lira_rag.text.lexical import lexical_words

__all__ = ["LIMIT", "NOTES", "sentence_finders", "splitters", "word_searches"]

LIMIT = 20
"""Size a splitter is given, in its own unit."""

OURS = "lira"
BM25S, LLAMA, LANGCHAIN = "bm25s", "LlamaIndex", "LangChain"

NOTES = {
    BM25S: 'words: bm25s.tokenize with its default pattern and stop words "english"',
    LLAMA: f"words: BM25Retriever; sentences: SentenceSplitter's first step; cuts: SentenceSplitter({LIMIT} tokens)",
    LANGCHAIN: f"cuts: RecursiveCharacterTextSplitter({LIMIT} characters); it has no sentence step",
    OURS: f"words: lexical_words under the same BM25; sentences: breaks.sentences; cuts: chunk({LIMIT} characters)",
}

Search = Callable[[str], Mapping[int, float]]
"""A word -> the score of each text that has one, by its position."""


def word_searches() -> dict[str, Callable[[Sequence[str]], Search]]:
    """Name -> what makes a search over texts."""
    found: dict[str, Callable[[Sequence[str]], Search]] = {BM25S: _bm25s_default}
    if _installed("llama_index.retrievers.bm25"):
        found[LLAMA] = _llama_bm25
    return {**found, OURS: _ours}


def sentence_finders() -> dict[str, Callable[[str], list[str]]]:
    """Name -> a text's sentences."""
    found: dict[str, Callable[[str], list[str]]] = {}
    if _installed("llama_index.core"):
        found[LLAMA] = import_module("llama_index.core.node_parser.text.utils").split_by_sentence_tokenizer()
    return {**found, OURS: lambda text: [text[start:end] for start, end in sentences(text)]}


def splitters() -> dict[str, Callable[[str], list[str]]]:
    """Name -> a text's pieces of at most `LIMIT`."""
    found: dict[str, Callable[[str], list[str]]] = {}
    if _installed("langchain_text_splitters"):
        made = import_module("langchain_text_splitters").RecursiveCharacterTextSplitter
        found[LANGCHAIN] = made(chunk_size=LIMIT, chunk_overlap=0).split_text
    if _installed("llama_index.core"):
        made = import_module("llama_index.core.node_parser").SentenceSplitter
        found[LLAMA] = made(chunk_size=LIMIT, chunk_overlap=0).split_text
    return {**found, OURS: _pieces}


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _pieces(text: str) -> list[str]:
    spans = chunk(text, count_tokens=len, max_tokens=LIMIT, overlap_tokens=0)
    return [text[span.start : span.end] for span in spans]


def _index(words: Sequence[Sequence[str]]) -> Any:
    """bm25s over ready words; None when no text has any."""
    import bm25s

    vocabulary = {word: n for n, word in enumerate(dict.fromkeys(word for row in words for word in row))}
    if not vocabulary:
        return None
    index = bm25s.BM25()
    index.index(([[vocabulary[word] for word in row] for row in words], vocabulary), show_progress=False)
    return index


def _over(words: Sequence[Sequence[str]], cut: Callable[[str], Iterable[str]]) -> Search:
    index = _index(words)

    def search(query: str) -> Mapping[int, float]:
        known = [word for word in cut(query) if index is not None and word in index.vocab_dict]
        return dict(enumerate(map(float, index.get_scores(known)))) if known else {}

    return search


def _ours(texts: Sequence[str]) -> Search:
    return _over([lexical_words(text) for text in texts], lexical_words)


def _bm25s_default(texts: Sequence[str]) -> Search:
    import bm25s

    def cut(text: str) -> list[str]:
        return list(bm25s.tokenize(text, return_ids=False, show_progress=False)[0])

    return _over([cut(text) for text in texts], cut)


def _llama_bm25(texts: Sequence[str]) -> Search:
    node = import_module("llama_index.core.schema").TextNode
    made = import_module("llama_index.retrievers.bm25").BM25Retriever
    nodes = [node(text=text, id_=str(n)) for n, text in enumerate(texts)]
    retriever = made.from_defaults(nodes=nodes, similarity_top_k=len(nodes))

    def search(query: str) -> Mapping[int, float]:
        return {int(hit.node.node_id): float(hit.score or 0) for hit in retriever.retrieve(query)}

    return search
