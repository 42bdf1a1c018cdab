"""Your own data as an mteb task: questions in any languages, a corpus, and which documents answer which question.

    mteb.evaluate(LiraSearch(), folder_task("my-data"))     # queries.jsonl, corpus.jsonl and qrels.tsv
    mteb.evaluate(LiraSearch(), afriqa_task("data"))        # AfriQA's dev questions against English passages

Every query language is a subset with figures of its own. Nothing is fetched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import langcodes
from datasets import Dataset
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from mteb.abstasks.task_metadata import TaskMetadata

from lira_rag.errors import InvalidInput
from lira_rag.evaluation.beir import read_beir
from lira_rag.evaluation.blocks import Block, read_task
from lira_rag.languages import UNKNOWN

__all__ = ["LocalRetrieval", "Subset", "afriqa_task", "folder_task", "local_task"]

SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Subset:
    """Questions in one language.

    Attributes:
        language: BCP-47 tag of the questions.
        queries: text by id.
        corpus: text by id.
        relevant: grade > 0 of each relevant document, by query id; every query has one.
    """

    language: str
    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]


class LocalRetrieval(AbsTaskRetrieval):
    """A retrieval task over data in memory; `local_task` makes one.

    Attributes:
        subsets: by mteb's name of each.
    """

    subsets: Mapping[str, Subset]

    def load_data(self, num_proc: int | None = None, **_: Any) -> None:
        """Hand the data over in mteb's form."""
        self.dataset = {key: {SPLIT: _split(self.subsets[key])} for key in self.hf_subsets}
        self.data_loaded = True


def local_task(name: str, subsets: Mapping[str, Subset], description: str = "") -> LocalRetrieval:
    """A task for `mteb.evaluate`.

    Args:
        name: of the task in mteb's results.
        subsets: at least one; their names are those of mteb's subsets.
        description: for mteb's metadata.

    Raises:
        InvalidInput: there is no subset, a query has no relevant document, or one that is in no corpus.
    """
    _check(name, subsets)
    metadata = TaskMetadata(
        name=name,
        type="Retrieval",
        category="t2t",
        description=description or name,
        dataset={"path": name, "revision": "local"},
        eval_splits=[SPLIT],
        eval_langs={key: [code_of(subset.language)] for key, subset in subsets.items()},
        main_score="ndcg_at_10",
    )
    made: LocalRetrieval = type("LocalTask", (LocalRetrieval,), {"metadata": metadata, "subsets": dict(subsets)})()
    return made  # mteb reads the metadata from the class, and drops an instance's own after a run


def folder_task(folder: str | Path, name: str = "") -> LocalRetrieval:
    """A folder in BEIR's form as a task: one subset for each language that questions are in.

    ``queries.jsonl`` has one ``{"_id": …, "text": …, "language": "sw"}`` a line (the language is detected where it is
    not given), ``corpus.jsonl`` one ``{"_id": …, "text": …, "title": …}``, and ``qrels.tsv`` (or ``qrels/test.tsv``)
    query, document and grade, separated by tabs.

    Args:
        folder: holds the three files.
        name: of the task; the folder's own name unless given.

    Raises:
        InvalidInput: a file cannot be read, a row lacks a field, or no question has a relevant document.
    """
    root = Path(folder)
    qrels = next((path for path in (root / "qrels.tsv", root / "qrels" / "test.tsv") if path.is_file()), None)
    if qrels is None:
        raise InvalidInput(f"{root} must hold qrels.tsv or qrels/test.tsv")
    found = read_beir(root / "queries.jsonl", root / "corpus.jsonl", qrels)
    by_language: dict[str, dict[str, str]] = defaultdict(dict)
    for key, text in found.queries.items():
        by_language[found.languages[key]][key] = text
    subsets = {
        tag: Subset(tag, queries, found.corpus, {key: found.qrels[key] for key in queries})
        for tag, queries in sorted(by_language.items())
    }
    return local_task(name or root.resolve().name, subsets)


def afriqa_task(folder: str | Path, languages: Sequence[str] = ()) -> LocalRetrieval:
    """AfriQA's dev questions, which find the English Wikipedia passages that answer them: task T2 of `lira eval tasks`.

    Args:
        folder: holds ``afriqa/`` with ``gold_passages.XXX.dev.jsonl`` (and ``.train.jsonl``, which fill the corpus).
        languages: names of files, such as "hau"; empty means all there are.

    Raises:
        InvalidInput: the folder has no such questions.
    """
    blocks = [block for block in read_task("T2", Path(folder)) if not languages or block.name in languages]
    if not blocks:
        raise InvalidInput(f"{folder} must hold afriqa/gold_passages.XXX.dev.jsonl")
    subsets = {block.name: _subset(block) for block in blocks}
    return local_task("AfriQA-English-passages", subsets, "African questions, English passages (CC BY 4.0)")


def code_of(tag: str) -> str:
    """A BCP-47 tag as mteb writes languages, such as "swa-Latn"; English where the tag says nothing."""
    if tag == UNKNOWN:
        return "eng-Latn"
    full = langcodes.Language.get(tag).maximize()
    return f"{full.to_alpha3()}-{full.script or 'Latn'}"


def _subset(block: Block) -> Subset:
    corpus = {f"d{row}": text for row, text in enumerate(block.pool)}
    queries = {f"{block.name}{row}": text for row, text in enumerate(block.queries)}
    relevant = {key: {f"d{gold}": 1} for key, gold in zip(queries, block.gold.tolist(), strict=True)}
    return Subset(block.language, queries, corpus, relevant)


def _split(subset: Subset) -> RetrievalSplitData:
    corpus = Dataset.from_dict({"id": list(subset.corpus), "text": list(subset.corpus.values())})
    queries = Dataset.from_dict({"id": list(subset.queries), "text": list(subset.queries.values())})
    relevant = {key: dict(grades) for key, grades in subset.relevant.items()}
    return {"corpus": corpus, "queries": queries, "relevant_docs": relevant, "top_ranked": None}


def _check(name: str, subsets: Mapping[str, Subset]) -> None:
    if not subsets or not all(subset.queries for subset in subsets.values()):
        raise InvalidInput(f"the task {name!r} must have a subset, and each subset a query")
    for key, subset in subsets.items():
        for query in subset.queries:
            if not subset.relevant.get(query) or not subset.relevant[query].keys() <= subset.corpus.keys():
                raise InvalidInput(f"query {query!r} of subset {key!r} must have relevant documents, all in the corpus")
