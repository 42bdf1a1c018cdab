"""Requests and replies of the server, in the forms of OpenAI's embeddings and of the usual rerank interface."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["MOST_CHARACTERS", "MOST_TEXTS", "EmbeddingsRequest", "RerankRequest"]

MOST_TEXTS = 2048
"""Inputs of one request, as OpenAI allows."""
MOST_CHARACTERS = 100_000
"""Characters of one input; the encoder reads its first tokens only, and a tokenizer reads everything."""

NO_TOKENS = (
    "input must be text, but got token ids: they belong to another model's vocabulary and would give meaningless "
    "vectors; send strings (in LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False)"
)


class EmbeddingsRequest(BaseModel):
    """The body of POST /v1/embeddings.

    Attributes:
        input: one text or several.
        model: a name from /v1/models; behind a colon "query" or "passage" may say what the texts are.
        encoding_format: "float", or "base64" for little-endian float32.
        dimensions: refused unless it is the encoder's own.
        input_type: what the texts are; it decides prefix and anchoring.
        language: BCP-47 tag of the queries; None detects it.
    """

    model_config = ConfigDict(extra="ignore")

    input: list[str]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    input_type: Literal["query", "passage"] | None = None
    language: str | None = None

    @field_validator("input", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts:
            raise ValueError("input must be a text, or a list of at least one")
        if any(isinstance(text, int | float | list) for text in texts):
            raise ValueError(NO_TOKENS)
        return checked_texts(texts, "input")


class RerankRequest(BaseModel):
    """The body of POST /v1/rerank: `top_n` best of `documents` for `query`, all without it."""

    model_config = ConfigDict(extra="ignore")

    query: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    documents: list[str]
    model: str = ""
    top_n: int | None = Field(None, gt=0)
    return_documents: bool = True
    language: str | None = None

    @field_validator("documents", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, list) or not value:
            raise ValueError("documents must be a list of at least one text")
        return checked_texts([v.get("text") if isinstance(v, dict) else v for v in value], "documents")


def checked_texts(texts: list[Any], name: str) -> list[Any]:
    """Texts within the limits, or a ValueError that names the first that is not."""
    if len(texts) > MOST_TEXTS:
        raise ValueError(f"{name} must hold at most {MOST_TEXTS} texts, but got {len(texts)}")
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name}[{place}] must be a text that is not blank")
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"{name}[{place}] must have at most {MOST_CHARACTERS} characters, but has {len(text)}")
    return texts
