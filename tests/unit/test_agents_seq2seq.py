"""Translation models: tiny random checkpoints of the real architectures, and language codes against known ones."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from lira_rag.agents.translators import Seq2SeqTranslator
from lira_rag.agents.translators.seq2seq import CTranslate2Engine
from lira_rag.agents.translators.seq2seq_codes import codes_for, guess_family
from lira_rag.errors import InvalidInput, ModelError, ModelNotFound
from lira_rag.protocols import Translator

WORDS = ["when", "was", "the", "bridge", "built", "daraja", "lilijengwa", "lini", "who", "wrote", "book", "nani"]
CODES = ["swh_Latn", "eng_Latn", "__sw__", "__en__", "<2en>", ">>eng<<"]


def make_checkpoint(folder: Path, kind: str) -> Path:
    """A tiny random encoder-decoder with a word-level tokenizer that knows the codes."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = {word: n for n, word in enumerate([*special, *CODES, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    sizes: dict[str, Any] = {"d_model": 16, "vocab_size": len(vocabulary)}
    if kind == "t5":
        sizes |= {"d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 1}
    else:
        sizes |= {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
        sizes |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": 64}
        sizes |= {"decoder_start_token_id": 2}
    torch.manual_seed(3)
    config = AutoConfig.for_model(kind, pad_token_id=1, eos_token_id=2, bos_token_id=0, **sizes)
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "family"), [("m2m_100", "nllb"), ("m2m_100", "m2m"), ("t5", "madlad"), ("marian", "opus")]
)
async def test_every_family_translates(tmp_path: Path, kind: str, family: Any) -> None:
    folder = make_checkpoint(tmp_path / f"tiny-{family}", kind)
    translator = Seq2SeqTranslator(folder, candidates=3, max_tokens=12)
    assert isinstance(translator, Translator) and translator.name == f"tiny-{family}"
    found = await translator.translate("daraja lilijengwa lini", "sw")
    assert 1 <= len(found) <= 3 and len({t.text for t in found}) == len(found)
    for candidate in found:
        assert not any(code in candidate.text for code in [*CODES, "<pad>", "</s>"])
        assert candidate.confidence is not None and 0 < candidate.confidence <= 1
    assert [t.confidence for t in found] == sorted((t.confidence for t in found), reverse=True)
    assert await translator.translate("daraja lilijengwa lini", "sw") == found


async def test_the_codes_reach_the_model(tmp_path: Path) -> None:
    """With the target's code forced, the model cannot begin with anything else; without it, it can."""
    folder = make_checkpoint(tmp_path / "tiny-nllb", "m2m_100")
    translator = Seq2SeqTranslator(folder, family="nllb", max_tokens=4)
    await translator.translate("daraja", "sw")
    seen: list[tuple[list[str], str]] = []

    class Engine:
        def translate(
            self, tokens: list[str], first: str, count: int, most: int, stop: threading.Event
        ) -> list[tuple[list[str], float]]:
            seen.append((tokens, first))
            return [([first, "the", "bridge", "</s>"], -0.5), ([first, "the", "bridge"], -0.9)]

    translator._engine = Engine()
    (found,) = await translator.translate("daraja lini", "sw")
    assert seen == [(["swh_Latn", "daraja", "lini", "</s>"], "eng_Latn")]
    assert found.text == "the bridge" and found.confidence == pytest.approx(0.6065, abs=1e-4)


@pytest.mark.parametrize(("source", "target"), [("am", "en"), ("und", "en"), ("sw", "fr")])
async def test_languages_it_does_not_know_give_nothing(tmp_path: Path, source: str, target: str) -> None:
    folder = make_checkpoint(tmp_path / "tiny-nllb", "m2m_100")
    assert await Seq2SeqTranslator(folder).translate("daraja", source, target) == []


async def test_it_stops_when_nobody_waits(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "tiny-m2m", "m2m_100")
    translator = Seq2SeqTranslator(folder, max_tokens=4)
    await translator.translate("daraja", "sw")
    stopped = threading.Event()

    class Hangs:
        def translate(self, *given: Any) -> list[tuple[list[str], float]]:
            assert given[-1].wait(30)
            stopped.set()
            return []

    translator._engine = Hangs()
    started = time.monotonic()
    with anyio.move_on_after(0.1):
        await translator.translate("daraja", "sw")
    assert time.monotonic() - started < 3 and stopped.wait(3)


async def test_late_is_a_model_error(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "tiny-m2m", "m2m_100")
    translator = Seq2SeqTranslator(folder, timeout=0.3)
    translator._lock.acquire()
    with pytest.raises(ModelError, match=r"within 0\.3 s"):
        await translator.translate("daraja", "sw")
    translator._lock.release()


async def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        await Seq2SeqTranslator(tmp_path / "absent").translate("x", "sw")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="'bert'"):
        await Seq2SeqTranslator(tmp_path).translate("x", "sw")
    (tmp_path / "config.json").write_text('{"model_type": "marian", "auto_map": {}}', encoding="utf-8")
    with pytest.raises(ModelError, match="run code"):
        await Seq2SeqTranslator(tmp_path).translate("x", "sw")
    (tmp_path / "config.json").write_text('{"model_type": "marian"}', encoding="utf-8")
    with pytest.raises(ModelError):
        await Seq2SeqTranslator(tmp_path).translate("x", "sw")


@pytest.mark.parametrize("settings", [{"candidates": 0}, {"max_tokens": 0}, {"timeout": 0}])
def test_bad_settings_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(settings))):
        Seq2SeqTranslator(tmp_path, **settings)


def test_a_converted_model_is_asked_in_its_own_words() -> None:
    calls: list[dict[str, Any]] = []

    class Converted:
        def translate_batch(self, batch: list[list[str]], **settings: Any) -> list[Any]:
            calls.append({"batch": batch, **settings})
            return [SimpleNamespace(hypotheses=[["eng_Latn", "bridge"]], scores=[-0.25])]

    engine = CTranslate2Engine(Converted())
    assert engine.translate(["a"], "eng_Latn", 3, 50, threading.Event()) == [(["eng_Latn", "bridge"], -0.25)]
    assert calls[0]["target_prefix"] == [["eng_Latn"]] and calls[0]["num_hypotheses"] == 3
    assert calls[0]["beam_size"] == 3 and calls[0]["max_decoding_length"] == 50 and calls[0]["return_scores"] is True
    engine.translate(["a"], "", 1, 50, threading.Event())
    assert calls[1]["target_prefix"] is None


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *[("sw", "swh_Latn"), ("ha", "hau_Latn"), ("ig", "ibo_Latn"), ("yo", "yor_Latn"), ("zu", "zul_Latn")],
        *[("rw", "kin_Latn"), ("am", "amh_Ethi"), ("bn", "ben_Beng"), ("hi", "hin_Deva"), ("ur", "urd_Arab")],
        *[("th", "tha_Thai"), ("km", "khm_Khmr"), ("my", "mya_Mymr"), ("fil", "tgl_Latn"), ("ms", "zsm_Latn")],
        *[("zh", "zho_Hans"), ("zh-Hant", "zho_Hant"), ("ja", "jpn_Jpan"), ("ko", "kor_Hang"), ("ar", "arb_Arab")],
        *[("fa", "pes_Arab"), ("vi", "vie_Latn"), ("id", "ind_Latn"), ("ne", "npi_Deva"), ("or", "ory_Orya")],
        *[("de", "deu_Latn"), ("ru", "rus_Cyrl"), ("et", "est_Latn"), ("ps", "pbt_Arab"), ("so", "som_Latn")],
    ],
)
def test_flores_codes(tag: str, code: str) -> None:
    codes = codes_for("nllb", tag, "en")
    assert codes is not None and (codes.before, codes.first) == (code, "eng_Latn")


def test_codes_of_the_other_families() -> None:
    m2m, madlad, opus = (codes_for(family, "fil", "en") for family in ("m2m", "madlad", "opus"))
    assert m2m is not None and (m2m.before, m2m.first) == ("__tl__", "__en__")
    assert madlad is not None and (madlad.before, madlad.first) == ("<2en>", "")
    assert opus is not None and (opus.before, opus.first) == (">>eng<<", "")
    assert codes_for("nllb", "und", "en") is codes_for("m2m", "und", "en") is None


def test_families_are_told_by_config_and_name() -> None:
    assert guess_family("m2m_100", "nllb-200-distilled-600M") == "nllb"
    assert guess_family("m2m_100", "m2m100_418M") == "m2m"
    assert (guess_family("t5", "x"), guess_family("marian", "x")) == ("madlad", "opus")
    with pytest.raises(InvalidInput, match="'gpt2'"):
        guess_family("gpt2", "x")
