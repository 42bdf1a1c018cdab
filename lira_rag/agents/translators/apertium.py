"""Apertium, the rule-based translator of free-software systems, as a program that is started for each text.

It serves some fifty pairs, among them Catalan, Basque, Breton, Maltese and Serbo-Croatian into English. Debian and
Ubuntu have it: ``apt install apertium apertium-eu-en``.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import anyio

from lira_rag.errors import InvalidInput, MissingDependency, ModelError
from lira_rag.languages import primary_language
from lira_rag.schema import Translation

__all__ = ["ApertiumTranslator"]

MOST_BYTES = 1_000_000
_MODE = re.compile(r"[A-Za-z]{2,8}(?:_[A-Za-z]+)?-[A-Za-z]{2,8}(?:_[A-Za-z]+)?")
_UNKNOWN = re.compile(r"(?<!\w)[*@#](?=\w)")


class ApertiumTranslator:
    """Translates with the `apertium` command.

    Args:
        modes: from a language tag to Apertium's mode, for example ``{"eu": "eu-en"}``; None asks the program what it
            has (``apertium -l``) and takes the modes into English.
        program: its name or path.
        timeout: > 0, seconds for one text; the program is killed then.
        name: shown to users.

    Raises:
        InvalidInput: a mode that is not ``xx-yy``, or a timeout that is not > 0.
    """

    def __init__(
        self,
        modes: Mapping[str, str] | None = None,
        *,
        program: str | Path = "apertium",
        timeout: float = 5.0,
        name: str = "apertium",
    ) -> None:
        if not timeout > 0:
            raise InvalidInput(f"timeout must be > 0 seconds, but got {timeout}")
        for mode in (modes or {}).values():
            if not _MODE.fullmatch(mode):
                raise InvalidInput(f"an Apertium mode is written like 'eu-en', but got {mode!r}")
        self._modes = {primary_language(tag): mode for tag, mode in modes.items()} if modes is not None else None
        self._program, self._timeout, self._name = str(program), timeout, name

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def modes(self) -> dict[str, str]:
        """Modes into English by source language.

        Raises:
            MissingDependency: the program is not installed.
            ModelError: it failed or took too long.
        """
        if self._modes is None:
            listed = re.findall(r"^\s*(\S+)-en(g?)\s*$", await self._run("-l"), re.MULTILINE)
            found: dict[str, str] = {}
            for source, three in listed:
                try:
                    found.setdefault(primary_language(source), f"{source}-en{three}")
                except InvalidInput:
                    continue  # a name of Apertium's own that is no language tag
            self._modes = found
        return self._modes

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """One translation; none for a pair without a mode.

        Raises:
            MissingDependency: the program is not installed.
            ModelError: it failed, wrote nothing or took longer than the timeout.
        """
        mode = (await self.modes()).get(primary_language(source))
        if mode is None or primary_language(target) != "en" or not text.strip():
            return []
        written = await self._run(mode, stdin=" ".join(text.split()))
        found = " ".join(_UNKNOWN.sub("", written).split())
        if not found:
            raise ModelError(f"{self._name}: the program wrote nothing for mode {mode}")
        return [Translation(found, self.name, "en")]

    async def _run(self, argument: str, stdin: str = "") -> str:
        """What the program writes; it is killed when the caller stops waiting or the time is over."""
        path = shutil.which(self._program)
        if path is None:
            raise MissingDependency(
                f"the program {self._program!r} is not installed", hint="on Debian: apt install apertium"
            )
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(path, argument, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise ModelError(f"{self._name}: the program cannot be run: {type(error).__name__}") from error
        try:
            with anyio.fail_after(self._timeout):  # communicate() forgives a program that does not read its input
                written, _ = await process.communicate(stdin.encode("utf-8", "replace"))
        except TimeoutError:
            raise ModelError(f"{self._name}: no translation within {self._timeout:g} s", retryable=True) from None
        finally:
            if process.returncode is None:
                process.kill()
                with anyio.CancelScope(shield=True):
                    await process.wait()
        if process.returncode != 0:
            raise ModelError(f"{self._name}: {argument} ended with status {process.returncode}")
        return written[:MOST_BYTES].decode("utf-8", "replace")
