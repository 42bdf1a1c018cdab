"""lira_rag under mteb's benchmarks: the encoder alone, or the whole engine with words, anchors and fusion.

mteb.evaluate(LiraEncoder(build_arca(load_config(), None)), tasks)
mteb.evaluate(LiraSearch(), tasks)          # an `mteb` SearchProtocol: retrieval and reranking tasks
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from mteb.models import ModelMeta
from mteb.models.abs_encoder import AbsEncoder
from mteb.types import PromptType

from lira_rag.arca import Arca
from lira_rag.engine import Lira
from lira_rag.engine.bridge import run
from lira_rag.errors import InvalidInput, LiraError
from lira_rag.protocols import FloatArray
from lira_rag.schema import Document
from lira_rag.text.language import detect

__all__ = ["LiraEncoder", "LiraSearch"]

BLANK = "-"
"""Stands for a text without anything to read: benchmarks hold some, and want a row for each."""


def _meta(name: str, fingerprint: str, dimension: int | None) -> ModelMeta:
    facts = {"name": f"lira_rag/{name}", "revision": fingerprint, "embed_dim": dimension, "framework": ["PyTorch"]}
    return ModelMeta.create_empty(facts)


class LiraEncoder(AbsEncoder):
    """An `mteb` encoder: questions are anchored by their language, passages are the backbone's own.

    Args:
        arca: encodes.
        name: of the model in mteb's results.
        languages: BCP-47 tags that questions may be in; empty means any.
    """

    def __init__(self, arca: Arca, name: str = "arca", languages: Sequence[str] = ()) -> None:
        self.arca, self.languages = arca, tuple(languages)
        self.mteb_model_meta = _meta(name, arca.fingerprint, arca.dimension)

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: PromptType | None = None,
        **kwargs: Any,
    ) -> FloatArray:
        """float32 [n, d] unit rows. Texts of tasks without queries and documents are encoded as queries, as E5 asks."""
        texts = [text if text.strip() else BLANK for batch in inputs for text in batch["text"]]
        if prompt_type == PromptType.document:
            return run(partial(self.arca.encode, texts, "passage"))
        tags = [detect(text, self.languages or None).language for text in texts]
        return run(partial(self.arca.encode, texts, "query", tags))


class LiraSearch:
    """An `mteb` SearchProtocol over a `Lira` in memory: what users get, measured by mteb.

    Args:
        name: of the model in mteb's results.
        **settings: of `Lira.create`; the chat model is never asked.
    """

    def __init__(self, name: str = "lira", **settings: Any) -> None:
        self._settings = {"chat": "none", "search_deadline": 600.0, **settings}
        self._lira: Lira | None = None
        with self._new() as probe:
            self._facts = _meta(name, probe.arca.fingerprint, probe.arca.dimension)

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """Name and fingerprint."""
        return self._facts

    def _new(self) -> Lira:
        return Lira.create(None, **self._settings)

    def index(self, corpus: Any, **_: Any) -> None:
        """Index the rows of a corpus: "id", "text" and perhaps "title". Replaces what was indexed before."""
        self._lira = self._new()
        self._lira.add(Document(_text(row), id=str(row["id"])) for row in corpus)

    def search(
        self,
        queries: Any,
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: Any,
    ) -> dict[str, dict[str, float]]:
        """Scores of the `top_k` best documents of each query; with `top_ranked`, of those documents only.

        Raises:
            InvalidInput: nothing was indexed.
            LiraError: a part of the engine was left out: its figures would be of something else.
        """
        if self._lira is None:
            raise InvalidInput("index a corpus before searching it")
        return {str(row["id"]): self._best(self._lira, row, top_k, top_ranked) for row in queries}

    def _best(
        self, lira: Lira, row: Mapping[str, Any], k: int, top_ranked: Mapping[str, Sequence[str]] | None
    ) -> dict[str, float]:
        allowed = None if top_ranked is None else [str(key) for key in top_ranked.get(str(row["id"]), ())]
        if allowed == []:
            return {}
        text = row["text"] if isinstance(row["text"], str) else " ".join(row["text"])
        filters = None if allowed is None else {"document_id": allowed}
        found = lira.search(text if text.strip() else BLANK, k, filters=filters)
        if found.degraded:
            raise LiraError("; ".join(found.degraded))
        scores: dict[str, float] = {}
        for hit in found:  # the best passage speaks for its document
            scores.setdefault(hit.id, float(np.float64(hit.score)))
        return scores


def _text(row: Mapping[str, Any]) -> str:
    title, text = str(row.get("title") or ""), str(row.get("text") or "")
    joined = f"{title}\n{text}" if title.strip() else text
    return joined if joined.strip() else BLANK
