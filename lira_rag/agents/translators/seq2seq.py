"""Translation models in this process: NLLB, M2M-100, MADLAD, OPUS-MT, from a local folder.

Through transformers; through CTranslate2 (several times faster on CPUs) where it is installed and the folder holds a
converted model (``model.bin``). The folder is read on the first use. Cancelling a call stops the model at the next
token.
"""

from __future__ import annotations

import math
import threading
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import anyio
from anyio import to_thread

from lira_rag.agents.translators.seq2seq_codes import Codes, Family, codes_for, guess_family, is_code
from lira_rag.errors import InvalidInput, MissingDependency, ModelError, ModelNotFound
from lira_rag.folders import check_config
from lira_rag.schema import Translation
from lira_rag.text.border import tokenizer_safe

__all__ = ["Seq2SeqTranslator"]

Hypothesis = tuple[str, float]


class Engine(Protocol):
    """What turns tokens into hypotheses."""

    def translate(
        self, tokens: list[str], first: str, count: int, most: int, stop: threading.Event
    ) -> list[tuple[list[str], float]]:
        """Up to `count` (tokens, mean log probability of a token), best first."""
        ...


class Seq2SeqTranslator:
    """Translates with an encoder-decoder model.

    Args:
        folder: what `from_pretrained` reads (safetensors), or a CTranslate2 model with its tokenizer; code in it is
            never run.
        family: how the model names languages; None tells it by the folder's config.json and name.
        candidates: K > 0, the best hypotheses of one beam search.
        max_tokens: > 0, of source and translation; a longer source is cut.
        timeout: > 0, seconds for one text, loading included.
        name: shown to users; None is the folder's name.

    Raises:
        InvalidInput: naming the value.
    """

    def __init__(
        self,
        folder: Path,
        *,
        family: Family | None = None,
        candidates: int = 1,
        max_tokens: int = 256,
        timeout: float = 60.0,
        name: str | None = None,
    ) -> None:
        for label, value in (("candidates", candidates), ("max_tokens", max_tokens), ("timeout", timeout)):
            if not value > 0:
                raise InvalidInput(f"{label} must be > 0, but got {value}")
        self.folder, self._family = Path(folder), family
        self._candidates, self._most, self._timeout = candidates, max_tokens, timeout
        self._name = self.folder.name if name is None else name
        self._lock = threading.Lock()  # one translation at a time; also guards loading
        self._tokenizer: Any = None
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """Changes with the model's folder and the number of candidates."""
        return f"{self.folder.name}-{self._candidates}"

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """Up to K candidates with their mean token probability as confidence; none for languages it does not know.

        Raises:
            ModelNotFound: the folder holds no model.
            ModelError: it cannot be loaded, or the time is over.
        """
        stop = threading.Event()
        try:
            with anyio.fail_after(self._timeout):
                work = partial(self._translate, text, source, target, stop)
                found = await to_thread.run_sync(work, abandon_on_cancel=True)
        except TimeoutError:
            raise ModelError(f"{self._name}: no translation within {self._timeout:g} s", retryable=True) from None
        finally:
            stop.set()
        return [Translation(text, self.name, target, confidence) for text, confidence in found]

    def _translate(self, text: str, source: str, target: str, stop: threading.Event) -> list[Hypothesis]:
        """Wait for the model, then translate; returns nothing as soon as `stop` is set."""
        while not self._lock.acquire(timeout=0.05):
            if stop.is_set():
                return []
        try:
            self._load()
            codes = codes_for(self._family or "nllb", source, target)
            return self._hypotheses(text, codes, stop) if codes is not None else []
        finally:
            self._lock.release()

    def _hypotheses(self, text: str, codes: Codes, stop: threading.Event) -> list[Hypothesis]:
        tokenizer, engine = self._tokenizer, self._engine
        assert engine is not None
        if not (self._knows(codes.before) or self._family == "opus") or not self._knows(codes.first):
            return []
        ids = tokenizer(tokenizer_safe(text), add_special_tokens=False)["input_ids"][: self._most]
        tokens = [*tokenizer.convert_ids_to_tokens(ids), tokenizer.eos_token]
        if codes.before and self._knows(codes.before):  # a bilingual OPUS model has no token for its only target
            tokens.insert(0, codes.before)
        found: list[Hypothesis] = []
        for written, score in engine.translate(tokens, codes.first, self._candidates, self._most, stop):
            kept = [t for t in written if t not in tokenizer.all_special_tokens and not is_code(t)]
            translated = tokenizer.convert_tokens_to_string(kept).strip()
            if translated and translated not in (text for text, _ in found):
                found.append((translated, min(math.exp(min(score, 0.0)), 1.0)))
        return found

    def _knows(self, token: str) -> bool:
        return not token or token in self._tokenizer.get_vocab()

    def _load(self) -> None:
        if self._engine is not None:
            return
        from transformers import AutoTokenizer

        if not self.folder.is_dir():
            raise ModelNotFound(f"no folder {self.folder} for {self._name!r}")
        converted = (self.folder / "model.bin").is_file()
        if self._family is None:
            kind = "" if converted else str(check_config(self.folder).get("model_type", ""))
            self._family = guess_family(kind, self.folder.name)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            self._engine = _converted(self.folder) if converted else _Transformers(self.folder, self._tokenizer)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{self._name}: the model cannot be loaded: {type(error).__name__}") from error


class _Transformers:
    """A model through transformers, by beam search."""

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM

        check_config(folder)
        self._model: Any = AutoModelForSeq2SeqLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        ).eval()
        self._tokenizer = tokenizer

    def translate(
        self, tokens: list[str], first: str, count: int, most: int, stop: threading.Event
    ) -> list[tuple[list[str], float]]:
        """See `Engine`."""
        import torch

        ids = torch.tensor([self._tokenizer.convert_tokens_to_ids(tokens)])
        forced = {"forced_bos_token_id": self._tokenizer.convert_tokens_to_ids(first)} if first else {}
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                num_beams=max(count, 2),
                num_return_sequences=count,
                max_new_tokens=most,
                early_stopping=True,
                return_dict_in_generate=True,
                output_scores=True,
                stopping_criteria=[_Stop(stop)],
                **forced,
            )
        scores = out.sequences_scores.tolist()
        return [
            (self._tokenizer.convert_ids_to_tokens(row.tolist(), skip_special_tokens=True), score)
            for row, score in zip(out.sequences, scores, strict=True)
        ]


class _Stop:
    """Ends a generation when nobody waits for it any more."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: Any, scores: Any, **_: object) -> Any:
        """bool [batch]."""
        return input_ids.new_full((len(input_ids),), self._stop.is_set(), dtype=bool)


def _converted(folder: Path) -> Engine:
    try:
        ctranslate2 = import_module("ctranslate2")
    except ImportError as error:
        raise MissingDependency(
            f"{folder} holds a CTranslate2 model, and ctranslate2 is not installed", hint="pip install ctranslate2"
        ) from error
    return CTranslate2Engine(ctranslate2.Translator(str(folder)))


class CTranslate2Engine:
    """A converted model.

    Args:
        translator: a `ctranslate2.Translator`.
    """

    def __init__(self, translator: Any) -> None:
        self._translator = translator

    def translate(
        self, tokens: list[str], first: str, count: int, most: int, stop: threading.Event
    ) -> list[tuple[list[str], float]]:
        """See `Engine`."""
        result = self._translator.translate_batch(
            [tokens],
            target_prefix=[[first]] if first else None,
            beam_size=max(count, 2),
            num_hypotheses=count,
            max_decoding_length=most,
            return_scores=True,
        )[0]
        return [(list(written), float(score)) for written, score in zip(result.hypotheses, result.scores, strict=True)]
