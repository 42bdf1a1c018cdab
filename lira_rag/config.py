"""Every setting of an engine, in one frozen record: presets, keyword arguments and LIRA_* environment variables.

An explicit argument beats the environment, the environment beats the preset, the preset beats the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lira_rag.errors import ConfigError
from lira_rag.languages import normalize_tag

__all__ = ["INDEX_SETTINGS", "PRESETS", "LiraConfig", "Preset", "load_config"]

Preset = Literal["fast", "balanced", "thorough"]

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"precision": "int8", "candidates": 30, "translate": False},
    "balanced": {"precision": "int8", "candidates": 50, "translate": True},
    "thorough": {"precision": "fp32", "candidates": 200, "translate": True},
}

RERANKERS = ("none", "head", "relevance", "listwise")

INDEX_SETTINGS = (
    "encoder",
    "encoder_model",
    "precision",
    "pooling",
    "query_prefix",
    "passage_prefix",
    "adaptor",
    "chunk_tokens",
    "chunk_overlap",
)
"""Settings that decide what is stored; an index keeps them and `Lira.open` takes them from it."""


class LiraConfig(BaseSettings):
    """Settings of an engine. Unknown names are refused."""

    model_config = SettingsConfigDict(env_prefix="LIRA_", frozen=True, extra="forbid")

    preset: Preset = Field("balanced", description="fast: no translation; thorough: full precision, more candidates")
    encoder: str = Field("e5-small-int4", description="packaged model, local folder, hub id, or URL of a model server")
    encoder_model: str | None = Field(None, description="the model's name at that URL; None asks the server")
    encoder_api_key: SecretStr | None = Field(None, description="key for that URL; best set as LIRA_ENCODER_API_KEY")
    precision: Literal["int8", "fp32"] = Field("int8", description="arithmetic of the encoder's layers")
    pooling: Literal["mean", "cls", "last"] | None = Field(None, description="only for encoders not in the table")
    query_prefix: str | None = Field(None, description="text before a query; None takes the encoder's own")
    passage_prefix: str | None = Field(None, description="text before a passage; None takes the encoder's own")
    adaptor: str | None = Field(None, description="folder of a trained Arca adaptor; None is the identity")
    maps: str = Field(
        "packaged", description='anchoring maps for questions: "packaged", "none", or a folder of `lira train arca`'
    )
    head: str = Field(
        "packaged",
        description='fusion head for translated questions: "packaged", "none", or a folder of `lira train lasr`',
    )
    lexicon: str | None = Field(
        None, description="folder of `lira train lexicon`: glosses questions into English when no translator is given"
    )
    store: Literal["chroma", "memory"] = Field("chroma", description="where vectors are searched")
    chroma_url: str | None = Field(None, description="URL of a `chroma run` server; None embeds Chroma")
    chunk_tokens: int = Field(256, gt=8, description="longest passage, in tokens of the encoder")
    chunk_overlap: int = Field(32, ge=0, description="shared tokens of neighbouring passages, in whole sentences")
    languages: tuple[str, ...] = Field((), description="BCP-47 tags users write in; empty means any")
    candidates: int = Field(50, gt=0, description="how many passages each leg proposes")
    lexical_weight: float = Field(
        6.0, ge=0, description="worth of full word coverage, in standard deviations of unrelated cosines"
    )
    min_relevance: float = Field(0.0, ge=0, le=1, description="leave out hits of less relevance, where it is known")
    language_neutral: bool = Field(True, description="in a mixed pool, do not prefer passages of the query's language")
    translate: bool = Field(True, description="use the translator, when there is one")
    passages: int = Field(5, gt=0, description="how many passages an answer may draw on")
    reranker: str = Field(
        "none",
        description='order of the hits an answer is made from: "none", "head" (LaSR\'s fused vector), "relevance", '
        '"listwise" (by the chat model), or URL of a server with /rerank',
    )
    reranker_model: str | None = Field(None, description="the model's name at that URL; None asks the server")
    reranker_api_key: SecretStr | None = Field(None, description="key for that URL; best set as LIRA_RERANKER_API_KEY")
    chat: str = Field("smollm2-135m", description='in-process chat model; "none" quotes instead')
    chat_url: str | None = Field(
        None,
        description="OpenAI-compatible endpoint, such as vLLM's http://host:8000/v1; several in a list or by commas",
    )
    chat_model: str | None = Field(None, description="model name at chat_url")
    chat_api_key: SecretStr | None = Field(None, description="key for chat_url; best set as LIRA_CHAT_API_KEY")
    speculate: bool = Field(
        False,
        description="begin an answer while the question is still translated; dropped, at the cost of its tokens, when "
        "the translation changes what the chat model reads",
    )
    query_log: Path | None = Field(None, description="file for languages and figures of each search, never its text")
    search_deadline: float = Field(10.0, gt=0, description="seconds for one search")
    ask_deadline: float = Field(60.0, gt=0, description="seconds for one answer, its search included")
    add_deadline: float = Field(600.0, gt=0, description="seconds for one window of documents while adding")
    write_deadline: float = Field(60.0, gt=0, description="seconds for a deletion, for statistics and for closing")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        if isinstance(data, dict):
            preset = data.get("preset", "balanced")
            if isinstance(preset, str):
                return {**PRESETS.get(preset, {}), **data}
        return data

    @field_validator("chat_url", "encoder", "reranker", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        return ",".join(value) if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value) else value

    @field_validator("languages")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(normalize_tag(tag) for tag in value)

    @field_validator("reranker")
    @classmethod
    def _known_reranker(cls, value: str) -> str:
        if value not in RERANKERS and not value.startswith(("http://", "https://")):
            raise ValueError(f"must be one of {', '.join(RERANKERS)}, or a URL")
        return value

    @field_validator("query_log")
    @classmethod
    def _in_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.parent.is_dir():
            raise ValueError("must be a file in a folder that exists")
        return value

    @model_validator(mode="after")
    def _agree(self) -> LiraConfig:
        if self.chunk_overlap * 2 > self.chunk_tokens:
            half = self.chunk_tokens // 2
            raise ValueError(
                f"chunk_overlap must be at most half of chunk_tokens ({half}), but got {self.chunk_overlap}"
            )
        if self.chat_url is not None and self.chat_model is None:
            raise ValueError("chat_url needs chat_model, the model's name at that endpoint")
        return self


def load_config(**settings: Any) -> LiraConfig:
    """Build a LiraConfig.

    Raises:
        ConfigError: naming each wrong setting, its value and the rule.
    """
    try:
        return LiraConfig(**settings)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(e) for e in error.errors()), hint=_hint(error)) from None


def _explain(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown setting {name!r}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}, but got {error['input']!r}" if name else message


def _hint(error: ValidationError) -> str:
    if any(e["type"] == "extra_forbidden" for e in error.errors()):
        return f"known settings: {', '.join(LiraConfig.model_fields)}"
    return ""
