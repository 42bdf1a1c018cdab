"""The Apertium translator with scripts in the program's place: it lists, translates, fails, hangs and floods."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import anyio
import pytest

from lira_rag.agents.translators import ApertiumTranslator
from lira_rag.errors import InvalidInput, MissingDependency, ModelError
from lira_rag.protocols import Translator


def program(folder: Path, body: str) -> Path:
    path = folder / "apertium"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


GOOD = 'if [ "$1" = "-l" ]; then echo "  eu-en"; echo "  es-ca"; echo "  hbs-eng"; else tr a-z A-Z; fi'


async def test_it_asks_for_the_modes_and_translates(tmp_path: Path) -> None:
    translator = ApertiumTranslator(program=program(tmp_path, GOOD))
    assert isinstance(translator, Translator)
    assert await translator.modes() == {"eu": "eu-en", "sh": "hbs-eng"} or "eu" in await translator.modes()
    (found,) = await translator.translate("kaixo  mundua\nbai", "eu")
    assert (found.text, found.translator, found.language) == ("KAIXO MUNDUA BAI", "apertium", "en")
    assert await translator.translate("kaixo", "sw") == []
    assert await translator.translate("kaixo", "eu", "fr") == []
    assert await translator.translate("  ", "eu") == []


async def test_marks_of_unknown_words_are_taken_off(tmp_path: Path) -> None:
    path = program(tmp_path, "echo '*Bilbo is a #city of *Euskadi, 5*3'")
    (found,) = await ApertiumTranslator({"eu": "eu-en"}, program=path).translate("x", "eu")
    assert found.text == "Bilbo is a city of Euskadi, 5*3"


async def test_text_is_no_option_and_no_shell(tmp_path: Path) -> None:
    path = program(tmp_path, "cat")
    (found,) = await ApertiumTranslator({"eu": "eu-en"}, program=path).translate("$(touch x); -l `id`", "eu")
    assert found.text == "$(touch x); -l `id`"


@pytest.mark.parametrize(
    ("body", "message"),
    [("exit 3", "status 3"), ("cat >/dev/null", "wrote nothing"), ("echo oops >&2; kill -9 $$", "status -9")],
)
async def test_failures_are_model_errors(tmp_path: Path, body: str, message: str) -> None:
    translator = ApertiumTranslator({"eu": "eu-en"}, program=program(tmp_path, body))
    with pytest.raises(ModelError, match=message):
        await translator.translate("kaixo", "eu")


async def test_a_program_that_hangs_is_killed(tmp_path: Path) -> None:
    marker = tmp_path / "alive"
    path = program(tmp_path, f"exec sleep 30; touch {marker}")
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"within 0\.2 s"):
        await ApertiumTranslator({"eu": "eu-en"}, program=path, timeout=0.2).translate("kaixo", "eu")
    assert time.monotonic() - started < 5 and not marker.exists()


async def test_it_can_be_cancelled(tmp_path: Path) -> None:
    translator = ApertiumTranslator({"eu": "eu-en"}, program=program(tmp_path, "exec sleep 30"), timeout=60)
    started = time.monotonic()
    with anyio.move_on_after(0.2) as scope:
        await translator.translate("kaixo", "eu")
    assert scope.cancelled_caught and time.monotonic() - started < 5


async def test_an_absent_program_is_named() -> None:
    with pytest.raises(MissingDependency, match="no-such-apertium"):
        await ApertiumTranslator(program="no-such-apertium").translate("kaixo", "eu")


async def test_a_program_that_cannot_run_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "apertium"
    path.write_bytes(b"\0\1\2")
    path.chmod(0o755)
    with pytest.raises(ModelError):
        await ApertiumTranslator({"eu": "eu-en"}, program=path).translate("kaixo", "eu")


@pytest.mark.parametrize("mode", ["eu", "-l", "eu-en; id", "../eu-en"])
def test_bad_modes_are_refused(mode: str) -> None:
    with pytest.raises(InvalidInput, match="mode"):
        ApertiumTranslator({"eu": mode})


def test_a_bad_timeout_is_refused() -> None:
    with pytest.raises(InvalidInput, match="timeout"):
        ApertiumTranslator(timeout=0)


@pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")
async def test_the_real_program() -> None:
    translator = ApertiumTranslator(timeout=30)
    for source in await translator.modes():
        assert (await translator.translate("2024", source))[0].text == "2024"
