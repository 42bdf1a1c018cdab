"""`lira doctor`: languages, and model servers."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from lira_rag.cli.app import app
from lira_rag.cli.doctor_servers import servers
from lira_rag.cli.stack import languages_of_model
from lira_rag.config import load_config
from lira_rag.errors import InvalidInput
from lira_rag.languages import XLMR_LANGUAGES
from lira_rag.testing import FaultServer, Step


def doctor(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["doctor", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return {report["language"]: report for report in json.loads(result.output)["languages"]}


def quality(report: dict[str, Any]) -> dict[str, str]:
    return {row["stage"]: row["quality"] for row in report["stages"]}


def test_an_english_stack_is_flagged() -> None:
    report = doctor("--language", "hi", "--set", "encoder=minilm-l6")["hi"]
    assert {"encoder", "answers"} <= set(report["weak"])
    assert quality(report)["encoder"] == quality(report)["answers"] == "english-only"
    assert quality(report)["words"] == "native"


def test_several_languages() -> None:
    reports = doctor("--language", "tha", "--language", "sw", "--set", "chat=none")
    assert list(reports) == ["th", "sw"]
    assert reports["sw"]["weak"] == ["translation"]
    assert quality(reports["th"])["encoder"] == "native"


def test_a_served_chat_model_is_not_judged() -> None:
    settings = ("--set", "chat_url=http://localhost:1/v1", "--set", "chat_model=qwen")
    assert quality(doctor("--language", "th", *settings)["th"])["answers"] == "unknown"


def test_the_table_names_the_weak_stages() -> None:
    result = CliRunner().invoke(app, ["doctor", "--language", "ur"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Urdu (ur, Arab, rtl)" in result.output
    assert "weak: translation, answers" in result.output


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidInput, match="language must be a BCP-47 tag, but got 'thai'"):
        CliRunner().invoke(app, ["doctor", "--language", "thai"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("e5-small-int4", XLMR_LANGUAGES),
        ("intfloat/multilingual-e5-large", XLMR_LANGUAGES),
        ("minilm-l6", {"en"}),
        ("sentence-transformers/all-MiniLM-L6-v2", {"en"}),
        ("gemma3-270m", None),
        ("my/own-model", None),
        ("", None),
    ],
)
def test_languages_of_a_model(name: str, languages: object) -> None:
    assert languages_of_model(name) == languages


async def test_servers_are_asked_how_they_are() -> None:
    models = Step(body=b'{"data": [{"id": "qwen", "max_model_len": 4096}]}')
    async with (
        FaultServer(routes={"/models": models}) as well,
        FaultServer(routes={"/health": Step(status=503)}) as ill,
    ):
        config = load_config(chat_url=[well.base_url, ill.base_url], chat_model="qwen", encoder="http://127.0.0.1:1")
        rows = await asyncio.to_thread(servers, config)
    assert [(row["for"], row["well"]) for row in rows] == [("answers", True), ("answers", False), ("encoder", False)]
    assert (rows[0]["models"], rows[0]["tokens"]) == ("qwen", 4096)
    assert rows[2]["models"] == "no answer (connect)"
    assert servers(load_config()) == []
