"""From a question in any language to the input of a language model: [BOS; mapped rows; boundary; prompt tokens].

The mapped rows are those of `modules.prompt_mapping`: bins of g(x), and bins of h(T(x)) where there is a translation.
A path that is missing is left out of the sequence. What is made here is a matrix of embeddings; `lasr.frozen_llm` reads
it in this process, `lasr.prompt_embeds` sends it to a vLLM server.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lira_rag.errors import ConfigError
from lira_rag.functional.pooling import bin_pool, bin_weights, stack_states
from lira_rag.lasr.mappings import Mapping, read_mapping
from lira_rag.lasr.token_table import TokenTable
from lira_rag.protocols import TokenEncoder, Translator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SoftPrompts", "assemble", "bins_of", "translations_of"]

_logger = logging.getLogger("lira_rag")


async def bins_of(encoder: TokenEncoder, texts: Sequence[str], bins: int) -> tuple[Tensor, Tensor]:
    """Bins [n, S, d] of texts as queries, and in each the tokens of the text itself [n, S].

    What the encoder puts around a text (its prefix and first special tokens, and one at the end) is read with it but
    not counted: a bin of such tokens only counts 0 and is left out, as all bins of an empty text are.
    """
    import torch

    rows = torch.zeros(len(texts), bins, encoder.dimension)
    counts = torch.zeros(len(texts), bins)
    some = [place for place, text in enumerate(texts) if text.strip()]
    if some:
        stacked, mask = stack_states(await encoder.encode_tokens([texts[place] for place in some], "query"))
        rows[some], _ = bin_pool(stacked, mask, bins)
        own = torch.zeros_like(mask)
        for row, place in enumerate(some):
            length = int(mask[row].sum())
            frame = length - min(encoder.count_tokens(texts[place]), length)
            own[row, max(frame - 1, 0) : length - min(frame, 1)] = 1
        counts[some] = torch.einsum("nls,nl->ns", bin_weights(mask, bins), own)
    return rows, counts


async def translations_of(translator: Translator | None, texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    """The first English candidate of each text, "" where there is none or the translator failed."""
    found: list[str] = []
    for text, language in zip(texts, languages, strict=True):
        try:
            candidates = [] if translator is None else await translator.translate(text, language)
        except Exception as error:  # a user's own translator may raise anything; its text may hold secrets
            _logger.debug("the translator raised %s: its path is left out", type(error).__name__)
            candidates = []
        found.append(candidates[0].text if candidates else "")
    return found


class SoftPrompts:
    """Makes soft prompts of texts.

    Args:
        mapping: the trained network.
        encoder: g, the multilingual encoder it was trained with.
        english: h; None is `encoder`.
        translator: T; None, or one that has nothing to say, leaves that path out.

    Raises:
        ConfigError: the mapping's widths are not those of the encoders.
    """

    def __init__(
        self,
        mapping: Mapping,
        encoder: TokenEncoder,
        english: TokenEncoder | None = None,
        translator: Translator | None = None,
    ) -> None:
        self.mapping, self.encoder = mapping.eval(), encoder
        self.english, self.translator = english or encoder, translator
        widths = (mapping.dim, encoder.dimension), (mapping.english_dim, self.english.dimension)
        for wanted, width in widths:
            if wanted != width:
                raise ConfigError(f"the mapping was made for encoders of width {wanted}, and got one of {width}")

    @classmethod
    def load(
        cls,
        folder: Path,
        encoder: TokenEncoder,
        llm: TokenTable,
        english: TokenEncoder | None = None,
        translator: Translator | None = None,
    ) -> SoftPrompts:
        """A saved mapping with its encoders.

        Args:
            llm: the language model that is to read the prompts, or its `EmbeddingTable`.

        Raises:
            CheckpointError, FingerprintMismatch: as `read_mapping`.
        """
        mark = "" if english is None else english.fingerprint
        mapping = read_mapping(folder, encoder=encoder.fingerprint, english=mark, llm=llm)
        return cls(mapping, encoder, english, translator)

    async def rows(self, texts: Sequence[str], languages: Sequence[str]) -> list[Tensor]:
        """Soft prompts: for each text float32 [r, d_llm], the boundary last.

        r is the number of bins with tokens of both paths, and 1.

        Args:
            languages: BCP-47 tag of each text; "und" where it is not known.
        """
        import torch

        said = await translations_of(self.translator, texts, languages)
        native = await bins_of(self.encoder, texts, self.mapping.bins)
        english = await bins_of(self.english, said, self.mapping.bins) if any(said) else (None, None)
        with torch.inference_mode():
            made, kept = self.mapping(*native, *english)
        return [row[keep].clone() for row, keep in zip(made, kept, strict=True)]


def assemble(start: Tensor, soft: Tensor | None, prompt: Tensor) -> Tensor:
    """[BOS; soft rows and boundary; prompt]: the language model's input, [L, d_llm].

    Args:
        start: embedding of BOS, [1, d_llm], or [0, d_llm] where the model has none.
        soft: what `SoftPrompts.rows` gave; None leaves it out.
        prompt: the prompt tokens' own embeddings, [p, d_llm].
    """
    import torch

    parts = [start.float(), prompt.float()] if soft is None else [start.float(), soft.float(), prompt.float()]
    return torch.cat(parts)
