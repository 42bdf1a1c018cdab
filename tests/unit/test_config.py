"""Settings: presets, environment, and what is refused."""

import pytest

from lira_rag.config import LiraConfig, load_config
from lira_rag.errors import ConfigError


def test_an_argument_beats_the_environment_beats_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config(preset="thorough").candidates == 200
    monkeypatch.setenv("LIRA_CANDIDATES", "77")
    assert load_config(preset="thorough").candidates == 77
    assert load_config(preset="thorough", candidates=9).candidates == 9


def test_the_preset_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_PRESET", "thorough")
    assert load_config().precision == "fp32"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chunk_size": 5}, "unknown setting 'chunk_size'.*known settings: .*chunk_tokens"),
        ({"candidates": 0}, "candidates: .*greater than 0, but got 0"),
        ({"preset": "huge"}, "preset: .*but got 'huge'"),
        ({"chunk_tokens": 20, "chunk_overlap": 11}, r"chunk_overlap must be at most half.*\(10\), but got 11"),
        ({"chat_url": "http://127.0.0.1:1/v1"}, "chat_url needs chat_model"),
        ({"languages": ("not a tag",)}, "not a tag"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(**settings)


def test_it_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        LiraConfig().candidates = 3


def test_the_key_is_not_in_the_repr() -> None:
    config = load_config(chat_url="http://127.0.0.1:1/v1", chat_model="m", chat_api_key="sk-canary")
    assert "sk-canary" not in repr(config)


def test_tags_are_normalised() -> None:
    assert load_config(languages=("iw", "tl")).languages == ("he", "fil")


@pytest.mark.parametrize("urls", [["http://a:1/v1", "http://b:1/v1"], "http://a:1/v1,http://b:1/v1"])
def test_several_servers_of_one_model(urls: object) -> None:
    config = load_config(chat_url=urls, chat_model="m", encoder=urls)
    assert config.chat_url == config.encoder == "http://a:1/v1,http://b:1/v1"


def test_several_servers_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_CHAT_URL", "http://a:1/v1,http://b:1/v1")
    assert load_config(chat_model="m").chat_url == "http://a:1/v1,http://b:1/v1"
