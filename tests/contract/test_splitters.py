"""`ScriptAwareSplitter` with LangChain's own objects and `LiraNodeParser` with LlamaIndex's own."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import BaseDocumentTransformer, Document
from langchain_lira import ScriptAwareSplitter
from langchain_text_splitters import TextSplitter
from llama_index.core import Document as LlamaDocument
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import MetadataMode, NodeRelationship, TextNode
from llama_index.retrievers.lira import LiraNodeParser

from lira_rag.errors import InvalidInput
from lira_rag.evaluation.script_corpus import notices
from lira_rag.testing import FakeEncoder
from lira_rag.text.breaks import graphemes, register, unregister
from lira_rag.tokens import as_counter

TEXT = " ".join(notice.text for texts in notices().values() for notice in texts)
MARKDOWN = "# Returns\n\nSend it back. Keep the slip.\n\n# Repairs\n\nWe repair it. We do."
REPEATED = "Yes. No. " * 40


def by_word(text: str) -> int:
    return len(text.split())


def splitter(size: int = 8, overlap: int = 0, **settings: Any) -> ScriptAwareSplitter:
    return ScriptAwareSplitter(size, overlap, by_word, **settings)


def parser(size: int = 8, overlap: int = 0, **settings: Any) -> LiraNodeParser:
    return LiraNodeParser(size, overlap, counter=by_word, **settings)


# --- LangChain ------------------------------------------------------------------------------------------------


def test_it_is_a_langchain_splitter() -> None:
    assert isinstance(splitter(), TextSplitter)
    assert isinstance(splitter(), BaseDocumentTransformer)


def test_sentences_of_every_script_stay_whole() -> None:
    """The longest sentence fits, so none is cut."""
    for texts in notices().values():
        for notice in texts:
            longest = max(map(len, notice.sentences))
            pieces = ScriptAwareSplitter(longest + 2, 0, len).split_text(notice.text)
            assert all(any(sentence in piece for piece in pieces) for sentence in notice.sentences)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 300), st.integers(1, 30), st.integers(0, 20))
def test_start_index_is_exact_and_the_size_is_kept(start: int, length: int, size: int, overlap: int) -> None:
    text = TEXT[start : start + length]
    made = ScriptAwareSplitter(size, min(overlap, size - 1), len, add_start_index=True)
    ends = {0, *(end for _, end in graphemes(text))}
    documents = made.create_documents([text])
    for document in documents:
        at, piece = document.metadata["start_index"], document.page_content
        assert text[at : at + len(piece)] == piece
        assert {at, at + len(piece)} <= ends
        assert len(piece) <= size or len(list(graphemes(piece))) == 1
    assert [document.page_content for document in documents] == made.split_text(text)
    starts = [document.metadata["start_index"] for document in documents]
    assert starts == sorted(set(starts))


def test_start_index_where_the_same_text_comes_again() -> None:
    documents = splitter(2, 1, add_start_index=True).create_documents([REPEATED])
    starts = [document.metadata["start_index"] for document in documents]
    assert starts[:3] == [0, 5, 9]
    assert len(starts) == len(set(starts))


def test_documents_keep_their_metadata() -> None:
    source = [Document("One two. Three four.", metadata={"tags": ["a"]}), Document("Habari.", metadata={"n": 2})]
    made = splitter(2).split_documents(source)
    assert [(d.page_content, d.metadata) for d in made] == [
        ("One two.", {"tags": ["a"]}),
        ("Three four.", {"tags": ["a"]}),
        ("Habari.", {"n": 2}),
    ]
    made[0].metadata["tags"].append("b")
    assert made[1].metadata == source[0].metadata == {"tags": ["a"]}
    assert list(splitter(2).transform_documents(source)) == splitter(2).split_documents(source)


async def test_transforming_documents_async() -> None:
    source = [Document("One two. Three four.")]
    assert await splitter(2).atransform_documents(source) == splitter(2).split_documents(source)


def test_headings() -> None:
    made = splitter(20, add_heading=True, add_start_index=True).create_documents([MARKDOWN, "Plain."])
    assert [document.metadata for document in made] == [
        {"start_index": 0, "heading": "Returns"},
        {"start_index": MARKDOWN.index("# Repairs"), "heading": "Repairs"},
        {"start_index": 0},
    ]


def test_what_counts() -> None:
    encoder = FakeEncoder()
    assert ScriptAwareSplitter.from_encoder(encoder, chunk_size=3, chunk_overlap=0).counter.count("a b") == 2
    assert ScriptAwareSplitter.from_tokenizer(str.split).counter.count("a b c") == 3
    assert ScriptAwareSplitter(length_function=len).counter.count("abc") == 3


def test_langchains_own_constructors_work() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    made = ScriptAwareSplitter.from_huggingface_tokenizer(fast, chunk_size=3, chunk_overlap=0)
    assert made.split_text("One two. Three four.") == ["One two.", "Three four."]


@pytest.mark.models
def test_by_default_the_packaged_encoder_counts() -> None:
    made = ScriptAwareSplitter()
    assert (made.counter.name, made.counter.exact) == ("e5-small-int4", True)
    assert max(map(made.counter.count, made.split_text(TEXT))) <= 256


def test_without_a_model_an_estimate_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path))
    assert not ScriptAwareSplitter().counter.exact
    assert not LiraNodeParser().counter.exact


def test_a_registered_breaker_is_used() -> None:
    class Letters:
        def words(self, text: str) -> list[tuple[int, int]]:
            return [(at, at + 1) for at in range(len(text))]

        sentences = words

    register("yo", Letters())
    try:
        assert splitter(1, language="yo").split_text("abc") == ["abc"]  # one token
        assert ScriptAwareSplitter(1, 0, len, language="yo").split_text("abc") == ["a", "b", "c"]
        assert LiraNodeParser(1, 0, counter=len, language="yo").split_text("abc") == ["a", "b", "c"]
    finally:
        unregister("yo")


# --- LlamaIndex -----------------------------------------------------------------------------------------------


def test_it_is_a_llama_index_parser() -> None:
    assert isinstance(parser(), NodeParser)
    assert "NodeParser" in [base.__name__ for base in LiraNodeParser.__mro__]
    assert parser().class_name() == "LiraNodeParser"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 300), st.integers(1, 30), st.integers(0, 20))
def test_offsets_are_exact_and_the_size_is_kept(start: int, length: int, size: int, overlap: int) -> None:
    text = TEXT[start : start + length]
    made = LiraNodeParser(size, min(overlap, size - 1), counter=len)
    nodes = made.get_nodes_from_documents([LlamaDocument(text=text)])
    for node in nodes:
        assert isinstance(node, TextNode)
        assert text[node.start_char_idx : node.end_char_idx] == node.text
        assert len(node.text) <= size or len(list(graphemes(node.text))) == 1
    assert [node.get_content() for node in nodes] == made.split_text(text)


def test_offsets_where_the_same_text_comes_again() -> None:
    """LlamaIndex's own search would find an earlier one."""
    text = "Yes. No. Yes. Yes. No."
    nodes = parser(1).get_nodes_from_documents([LlamaDocument(text=text)])
    assert [(n.start_char_idx, n.end_char_idx) for n in nodes if isinstance(n, TextNode)] == [
        *[(0, 4), (5, 8), (9, 13), (14, 18), (19, 22)],
    ]


def test_relationships_and_metadata() -> None:
    documents = [
        LlamaDocument(text="One two. Three four.", metadata={"topic": "a"}, id_="d1"),
        LlamaDocument(text="Habari.", id_="d2"),
    ]
    first, second, third = parser(5).get_nodes_from_documents(documents)
    assert [node.ref_doc_id for node in (first, second, third)] == ["d1", "d1", "d2"]
    assert first.metadata == second.metadata == {"topic": "a"}
    assert first.relationships[NodeRelationship.NEXT].node_id == second.node_id  # type: ignore[union-attr]
    assert second.relationships[NodeRelationship.PREVIOUS].node_id == first.node_id  # type: ignore[union-attr]
    assert NodeRelationship.NEXT not in second.relationships
    assert third.relationships.keys() == {NodeRelationship.SOURCE}


def test_a_node_has_room_for_its_metadata() -> None:
    document = LlamaDocument(text="One two three. Four five six. Seven.", metadata={"topic": "rain in may"})
    for include, pieces in ((True, 2), (False, 1)):
        nodes = parser(9, include_metadata=include).get_nodes_from_documents([document])
        assert len(nodes) == pieces
    nodes = parser(9).get_nodes_from_documents([document])
    assert all(by_word(node.get_content(metadata_mode=MetadataMode.EMBED)) <= 9 for node in nodes)


def test_metadata_without_room_is_refused() -> None:
    document = LlamaDocument(text="One two.", metadata={"topic": "long " * 20})
    with pytest.raises(InvalidInput, match="chunk_size must be > the 21 tokens of the metadata, but got 8"):
        parser(8).get_nodes_from_documents([document])


def test_nodes_can_be_cut_again_and_headings_kept() -> None:
    nodes = parser(20, add_heading=True).get_nodes_from_documents([LlamaDocument(text=MARKDOWN, id_="d")])
    assert [node.metadata for node in nodes] == [{"heading": "Returns"}, {"heading": "Repairs"}]
    again = LiraNodeParser(8, 0, counter=by_word, include_metadata=False)(nodes)
    assert " ".join(node.get_content() for node in again).split() == MARKDOWN.split()
    assert {node.ref_doc_id for node in again} == {"d"}


def test_it_works_in_an_ingestion_pipeline_and_keeps_ids() -> None:
    made = parser(2, id_func=lambda n, document: f"{document.node_id}-{n}")
    nodes = IngestionPipeline(transformations=[made]).run(documents=[LlamaDocument(text="One two. Three.", id_="d")])
    assert [node.node_id for node in nodes] == ["d-0", "d-1"]


async def test_parsing_async_does_not_hold_the_loop() -> None:
    seen: set[int] = set()

    def count(text: str) -> int:
        seen.add(threading.get_ident())
        return by_word(text)

    made = LiraNodeParser(2, 0, counter=count)
    document = LlamaDocument(text="One two. Three four.")
    nodes = await made.aget_nodes_from_documents([document])
    assert [node.get_content() for node in nodes] == ["One two.", "Three four."]
    assert threading.get_ident() not in seen


def test_settings_survive_serialising() -> None:
    made = parser(9, 2, language="th", add_heading=True)
    again = LiraNodeParser.from_dict(made.to_dict())
    assert (again.chunk_size, again.chunk_overlap, again.language, again.add_heading) == (9, 2, "th", True)


@pytest.mark.parametrize("text", ["", " \n"])
def test_white_space_makes_nothing(text: str) -> None:
    assert splitter().create_documents([text]) == []
    assert parser().get_nodes_from_documents([LlamaDocument(text=text)]) == []


# --- both: refusals, packaging --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ScriptAwareSplitter, LiraNodeParser])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chunk_size": 0}, "chunk_size must be > 0, but got 0"),
        ({"chunk_size": 1.5}, "chunk_size must be an int, but got 1.5"),
        ({"chunk_overlap": -1}, "chunk_overlap must be ≥ 0 and < chunk_size 256, but got -1"),
        ({"chunk_size": 8, "chunk_overlap": 8}, "chunk_overlap must be ≥ 0 and < chunk_size 8, but got 8"),
        ({"language": "nonsense-tag"}, "language must be a BCP-47 tag"),
        ({"counter": 3}, "counter must be an encoder, a tokenizer or a function, but got int"),
    ],
)
def test_bad_settings_are_refused(kind: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        kind(**arguments)


def test_bad_calls_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not both"):
        ScriptAwareSplitter(length_function=len, counter=as_counter(len))
    with pytest.raises(InvalidInput, match="one for each of 2 texts, but got 1"):
        splitter().create_documents(["a", "b"], [{}])
    with pytest.raises(InvalidInput, match="text must be a str, but got NoneType"):
        splitter().split_text(None)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="text must be a str, but got int"):
        parser().split_text(3)  # type: ignore[arg-type]


ROOT = Path(__file__).parents[2] / "integrations" / "llama-index-retrievers-lira"


def test_the_llama_index_package_shares_its_namespace() -> None:
    """Beside llama-index-core and another retriever package: nobody owns llama_index or llama_index.retrievers."""
    assert not (ROOT / "llama_index" / "__init__.py").exists()
    assert not (ROOT / "llama_index" / "retrievers" / "__init__.py").exists()
    code = (
        "import llama_index.retrievers.bm25, llama_index.retrievers.lira as ours, llama_index.core; print(ours.__all__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment(), check=False)
    assert "'LiraNodeParser'" in done.stdout, done.stderr


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}
