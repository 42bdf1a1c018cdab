"""A small chat model in this process: transformers, CPU, greedy, one generation at a time.

Deadlines are real here: cancelling `chat` makes the model stop within one layer's time, also while it reads the prompt.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio import to_thread

from lira_rag.clients.local_prompt import as_paragraphs, defused, no_progress_bar
from lira_rag.clients.local_stream import SentenceStreamer, whole_sentences
from lira_rag.clients.thinking import without_thinking
from lira_rag.errors import ChatError, InvalidInput, ModelNotFound
from lira_rag.protocols import Message

__all__ = ["LocalChat"]

LOOKUP_TOKENS = 8
"""Tokens guessed at once by copying from the prompt (prompt lookup decoding): replies quote, so most guesses hold."""

PARAGRAPH = "\n\n"
"""Where the reply of a base model ends."""

Heard = Callable[[str], None]


class _Stopped(Exception):
    """Raised inside the model when nobody waits for its reply any more."""


class LocalChat:
    """A causal language model from a local folder (safetensors, tokenizer and chat template).

    A base model, which has no chat template, is given the messages as paragraphs of one text and continues it to the
    next empty line: show it what to do by earlier turns.

    The folder is read on the first call, once. Threads and event loops may share one object.

    Args:
        folder: what `from_pretrained` reads; code in it is never run.
        name: the model's name as shown to users.
        languages: BCP-47 tags it reads and writes well enough; empty when that is not known.
        small: it needs short prompts and its replies a strict check, as models below a billion parameters do.
        timeout: seconds for one `chat`, loading included.
        precision: "auto" is bfloat16 where the processor computes in it, else float32.

    Raises:
        InvalidInput: a value breaks its rule.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        languages: Sequence[str] = ("en",),
        small: bool = True,
        timeout: float = 60.0,
        precision: Literal["auto", "bfloat16", "float32"] = "auto",
    ) -> None:
        if not timeout > 0:
            raise InvalidInput(f"timeout must be > 0 seconds, but got {timeout}")
        if precision not in ("auto", "bfloat16", "float32"):
            raise InvalidInput(f"precision must be auto, bfloat16 or float32, but got {precision!r}")
        self.folder, self.timeout = Path(folder), timeout
        self.languages, self.small = tuple(languages), small
        self._name, self._precision = name, precision
        self._lock = threading.Lock()  # one generation at a time; also guards loading
        self._tokenizer_lock = threading.Lock()  # a fast tokenizer must not be used by two threads at once
        self._stop = threading.Event()  # of the generation that runs now
        self._model: Any = None
        self._tokenizer: Any = None

    def __repr__(self) -> str:
        return f"LocalChat({self._name!r})"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    def count_tokens(self, text: str) -> int:
        """Number of the model's tokens in `text`; loads the tokenizer."""
        with self._tokenizer_lock:
            return len(self._load_tokenizer()(text, add_special_tokens=False)["input_ids"])

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        """The greedy reply. One that is cut at `max_tokens` loses its unfinished last sentence.

        Raises:
            InvalidInput: max_tokens is not > 0.
            ModelNotFound: the folder holds no model.
            ChatError: ``<name>: <kind>: <detail>``; kinds: too_long (prompt and reply do not fit the context),
                timeout, empty.
        """
        return (await self._replies(messages, max_tokens, {}))[0]

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncGenerator[str, None]:
        """The reply of `chat`, sentence by sentence; closing the iterator stops the model.

        Raises:
            InvalidInput, ModelNotFound, ChatError: as `chat`.
        """
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def heard(piece: str) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        task = asyncio.create_task(self._replies(messages, max_tokens, {}, heard))
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        given = ""
        try:
            while (piece := await pieces.get()) is not None:
                given += piece
                yield piece
            rest = (await task)[0][len(given) :]
            if rest:
                yield rest
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def sample(
        self, messages: Sequence[Message], *, count: int, max_tokens: int = 256, temperature: float = 0.7, seed: int = 0
    ) -> list[str]:
        """Up to `count` different replies drawn at `temperature`, side by side in one generation.

        Args:
            seed: the same gives the same replies on the same machine.

        Raises:
            InvalidInput: count, max_tokens or temperature is not > 0.
            ChatError: as `chat`.
        """
        for name, value in (("count", count), ("temperature", temperature)):
            if not value > 0:
                raise InvalidInput(f"{name} must be > 0, but got {value}")
        drawn = {"do_sample": True, "temperature": temperature, "top_p": 0.95, "num_return_sequences": count}
        return await self._replies(messages, max_tokens, {**drawn, "seed": seed})

    async def _replies(
        self, messages: Sequence[Message], max_tokens: int, drawn: dict[str, Any], heard: Heard | None = None
    ) -> list[str]:
        """Distinct replies that are not empty, at least one."""
        if max_tokens <= 0:
            raise InvalidInput(f"max_tokens must be > 0, but got {max_tokens}")
        stop = threading.Event()
        try:
            with anyio.fail_after(self.timeout):
                work = partial(self._reply, list(messages), max_tokens, drawn, stop, heard)
                texts = [without_thinking(text) for text in await to_thread.run_sync(work, abandon_on_cancel=True)]
        except TimeoutError:
            raise ChatError(f"{self._name}: timeout: no reply within {self.timeout:g} s", retryable=True) from None
        finally:
            stop.set()
        if not any(texts):
            raise ChatError(f"{self._name}: empty: the model wrote nothing")
        return list(dict.fromkeys(text for text in texts if text))

    def _reply(
        self,
        messages: list[Message],
        max_tokens: int,
        drawn: dict[str, Any],
        stop: threading.Event,
        heard: Heard | None,
    ) -> list[str]:
        """Wait for the model, then generate; returns nothing as soon as `stop` is set."""
        while not self._lock.acquire(timeout=0.05):
            if stop.is_set():
                return []
        try:
            self._stop = stop
            return self._generate(messages, max_tokens, drawn, heard)
        except _Stopped:
            return []
        finally:
            self._lock.release()

    def _generate(
        self, messages: list[Message], max_tokens: int, drawn: dict[str, Any], heard: Heard | None
    ) -> list[str]:
        """One reply, greedily; or several, drawn as `drawn` says (generation settings and a seed)."""
        import torch

        model, prompt = self._load_model(), self._prompt(messages)
        length, context = prompt["input_ids"].shape[1], model.config.max_position_embeddings
        if length + max_tokens > context:
            raise ChatError(
                f"{self._name}: too_long: {length} prompt tokens and {max_tokens} to write do not fit "
                f"the model's context of {context}",
                hint="send fewer or shorter passages",
            )
        settings: dict[str, Any] = {"do_sample": False, "prompt_lookup_num_tokens": LOOKUP_TOKENS}
        if drawn:
            settings = {key: value for key, value in drawn.items() if key != "seed"}
        if self._load_tokenizer().chat_template is None:
            settings["stopping_criteria"] = [partial(self._past_paragraph, length)]
        if heard is not None:
            settings["streamer"] = SentenceStreamer(self._begun, heard)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            if drawn:
                torch.manual_seed(drawn["seed"])
            tokens = model.generate(**prompt, max_new_tokens=max_tokens, **settings)
        return [self._decoded(written, max_tokens) for written in tokens[:, length:]]

    def _past_paragraph(self, prompt: int, tokens: Any, *_: object, **__: object) -> Any:
        """bool [batch]: a base model has written an empty line behind its first words. `tokens`: [batch, L]."""
        with self._tokenizer_lock:
            texts = self._load_tokenizer().batch_decode(tokens[:, prompt:], skip_special_tokens=True)
        return tokens.new_tensor([PARAGRAPH in text.lstrip() for text in texts]).bool()

    def _decoded(self, written: Any, max_tokens: int) -> str:
        """The text of token ids [L]; one that was cut loses its unfinished last sentence."""
        with self._tokenizer_lock:
            tokenizer = self._load_tokenizer()
            text = str(tokenizer.decode(written, skip_special_tokens=True))
        if tokenizer.chat_template is None and PARAGRAPH in text.lstrip():
            return text.lstrip().partition(PARAGRAPH)[0]
        pad = tokenizer.pad_token_id
        cut = len(written) >= max_tokens and (pad is None or int(written[-1]) != pad)
        return whole_sentences(text) if cut else text

    def _begun(self, written: list[int]) -> str:
        """The text of token ids [L], up to where it ends for sure."""
        with self._tokenizer_lock:
            tokenizer = self._load_tokenizer()
            text = str(tokenizer.decode(written, skip_special_tokens=True))
        return text.lstrip().partition(PARAGRAPH)[0] if tokenizer.chat_template is None else text

    def _prompt(self, messages: list[Message]) -> Any:
        """Token ids [1, L]; control tokens written in a message's text lose their power."""
        with self._tokenizer_lock:
            tokenizer = self._load_tokenizer()
            control = [str(token) for token in tokenizer.added_tokens_decoder.values()]
            plain = [{"role": m["role"], "content": defused(m["content"], control)} for m in messages]
            if tokenizer.chat_template is None:
                return tokenizer(as_paragraphs(plain), return_tensors="pt", return_token_type_ids=False)
            return tokenizer.apply_chat_template(
                plain, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )

    def _load_tokenizer(self) -> Any:
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            self._require_folder()
            self._tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        return self._tokenizer

    def _load_model(self) -> Any:
        if self._model is None:
            import torch
            from transformers import AutoModelForCausalLM

            self._require_folder()
            dtype = torch.bfloat16 if self._half() else torch.float32
            with no_progress_bar():
                model: Any = AutoModelForCausalLM.from_pretrained(
                    self.folder, dtype=dtype, local_files_only=True, use_safetensors=True
                )
            model.eval()
            for module in model.modules():
                if isinstance(module, torch.nn.Linear):
                    module.register_forward_pre_hook(self._check)
            self._model = model
        return self._model

    def _half(self) -> bool:
        """bfloat16 halves memory and, with AVX512-BF16 or AMX, doubles reading speed; elsewhere it is emulated."""
        if self._precision != "auto":
            return self._precision == "bfloat16"
        import torch

        able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch cannot say
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))

    def _check(self, *_: object) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _require_folder(self) -> None:
        if not (self.folder / "config.json").is_file():
            raise ModelNotFound(f"no model in the folder of {self._name!r}", hint="run: lira models pull")
