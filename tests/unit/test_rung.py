"""The rung of real translations on made-up data: drawing questions, preparing, scoring, rows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lira_rag.agents.actor import RewardActor
from lira_rag.agents.agreement import AgreementCritic
from lira_rag.agents.guards import standard_guards
from lira_rag.agents.translators.examples import Examples
from lira_rag.agents.translators.prepared import PreparedTranslations
from lira_rag.agents.translators.preparing import Asked, prepare, read_prepared
from lira_rag.arca.vectors import VectorCache
from lira_rag.cli import eval as evaluate
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.candidates import choice_rows, score_candidates
from lira_rag.evaluation.rung import measure_rung
from lira_rag.evaluation.rung_data import RungData, asked_of, rung_data
from lira_rag.evaluation.rung_tables import rung_markdown, score_rung
from lira_rag.schema import Translation
from lira_rag.testing import FakeEncoder
from tests.eval_data import WORDS, data_folder, foreign
from tests.tiny_models import make_base_chat, make_model, sentence_files


class Writer:
    """Translates the made-up language by dropping its beginning "za"; later candidates lose ever more words."""

    name = "writer"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.shown: list[int] = []

    async def lines(self, conversations: Any, *, count: int, temperature: float, seed: int) -> list[list[str]]:
        found = []
        for messages in conversations:
            text = messages[-1]["content"].splitlines()[-1]
            self.asked.append(text)
            self.shown.append(len(messages))
            words = [word.removeprefix("za") for word in text.split()]
            found.append([" ".join(words), *(" ".join(words[: max(1, 2 * n)]) for n in range(count))])
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_folder(tmp_path_factory.mktemp("rung") / "data")


@pytest.fixture
def data(folder: Path) -> RungData:
    return rung_data(folder, "T2", ["ha"], dev=12, train=16)


def bench() -> Bench:
    known = {foreign(word): word for word in WORDS[: 2 * len(WORDS) // 5]}
    return Bench(FakeEncoder(64, known), VectorCache())


async def prepared(data: RungData, path: Path) -> list[dict[str, Any]]:
    asked = [*asked_of(data.dev, "dev"), *asked_of(data.train, "train")]
    await prepare(asked, Writer(), data.examples, path, candidates=4)
    return read_prepared(path)


def test_no_question_is_an_example_or_in_both_parts(data: RungData) -> None:
    dev, train = set(data.dev[0].queries), set(data.train[0].queries)
    shown = {text for text, _ in data.examples.pairs["ha"]}
    assert (len(dev), len(train)) == (12, 16)
    assert not dev & train and not shown & (dev | train)
    gold = [data.train[0].pool[row] for row in data.train[0].gold]
    assert all(passage.startswith(e.rstrip("?")) for passage, e in zip(gold, data.train[0].english, strict=True))


def test_another_draw_takes_other_questions(folder: Path, data: RungData) -> None:
    assert rung_data(folder, "T2", ["ha"], 12, 16).dev[0].queries == data.dev[0].queries
    assert rung_data(folder, "T2", ["ha"], 12, 16, seed=1).dev[0].queries != data.dev[0].queries
    with pytest.raises(InvalidInput, match="must be T1 or T2"):
        rung_data(folder, "T3", [], 1, 1)
    with pytest.raises(InvalidInput, match="no data of T2 in zu"):
        rung_data(folder, "T2", ["zu"], 1, 1)


def test_sentences_train_on_short_sentences_against_each_other(folder: Path) -> None:
    found = rung_data(folder, "T1", [], dev=10, train=20)
    assert found.train[0].k == 1 and len(found.train[0].queries) == 20
    assert len(found.train[0].pool) == 120  # all English sentences, as many as a search has to tell apart
    english = [found.train[0].pool[row] for row in found.train[0].gold]
    assert english == list(found.train[0].english)
    assert all(len(text) <= 90 for text in found.train[0].english)


def test_the_nearest_example_stands_last() -> None:
    pairs = [("za alo", "far"), ("za bemu zo", "near"), ("zi zo", "other")]
    assert Examples({"sw": pairs}).nearest("za bemu", "sw-KE", 2) == [pairs[0], pairs[1]]
    assert Examples({"sw": pairs}).nearest("za bemu", "ha", 2) == []


async def test_preparing_goes_on_where_it_was(tmp_path: Path) -> None:
    asked = [Asked(f"zaalo zabemu {n}", "ha", {"split": "dev"}) for n in range(40)]
    path, examples = tmp_path / "p" / "T2.jsonl", Examples({"ha": [("zaika", "ika")]})
    writer = Writer()
    assert await prepare(asked, writer, examples, path, shots=3) == 40
    assert writer.shown[0] == 4  # system, one example of two turns, the text
    whole = path.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    path.write_text("".join(lines[:32]) + lines[32][:20], encoding="utf-8")
    again = Writer()
    assert await prepare(asked, again, examples, path, shots=3) == 8
    assert path.read_text(encoding="utf-8") == whole
    found = await PreparedTranslations.open(path).translate("zaalo zabemu 3", "ha")
    assert found[0] == Translation("alo", "writer", "en")


def test_a_prepared_file_that_lacks_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"text": "a", "language": "ha", "candidates": ["b"]}\n')
    with pytest.raises(InvalidInput, match="must have 'greedy'"):
        read_prepared(tmp_path / "p.jsonl")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_prepared(tmp_path / "none.jsonl")


async def test_agreement_prefers_what_others_say_too() -> None:
    class Gloss:
        name = "gloss"

        async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
            return [Translation("river bank rice", self.name, "en", 0.5)]

    critic = AgreementCritic(Gloss(), standard_guards())
    found = await critic.judge("x", ["the river bank", "a river bank", "moon moon moon moon moon moon"], "ha")
    assert found[0].fidelity == pytest.approx(1 + 9 * 2 * 2 / 6)  # two of three words on both sides
    assert found[0].tone is not None and found[0].tone > 3
    assert (found[2].fidelity, found[2].tone) == (1.0, 1.0)  # a guard objects
    assert all(scores.emotion is None and "no language model" in scores.reason for scores in found)
    alone = await AgreementCritic().judge("x", ["river"], "ha")
    assert (alone[0].fidelity, alone[0].tone) == (None, None)
    assert AgreementCritic(Gloss()).version != AgreementCritic().version


async def test_candidates_are_worth_what_they_find(data: RungData, tmp_path: Path) -> None:
    rows = await prepared(data, tmp_path / "T2.jsonl")
    own = await score_candidates(data.dev[0], rows, bench(), AgreementCritic(), ())
    assert own.utility.shape == (12, 4)
    assert own.utility[:, 3].mean() > own.utility[:, 0].mean()  # the first has one word of six, the last all
    cosines = np.array([[s.similarity for s in scores] for scores in own.scores])
    assert cosines.shape == (12, 4) and (cosines <= 1).all()
    choice = choice_rows(own)[0]
    assert choice["reference"] == data.dev[0].english[0] and len(choice["candidates"]) == 4
    with pytest.raises(InvalidInput, match="1 of 12 queries of hau are not prepared"):
        await score_candidates(data.dev[0], rows[1:], bench(), AgreementCritic(), ())


async def test_rows_and_tables_of_the_rung(data: RungData, tmp_path: Path) -> None:
    rows = await prepared(data, tmp_path / "T2.jsonl")
    scored = await score_rung(data, rows, bench())
    assert len(scored.choices) == 16
    found = await measure_rung(scored.dev, [RewardActor(), RewardActor()], bench())
    chosen = {name: row["mean"] for name, row in found["chosen"].items()}
    assert chosen["actor, seed 0"] == chosen["argmax-reward"] == chosen["actor, mean of seeds"]
    assert chosen["oracle among them"] >= max(chosen[name] for name in ("first", "argmax-sim", "argmax-reward"))
    assert chosen["oracle among them"] >= chosen["mean of the drawn"]
    assert chosen["greedy, not among them"] >= chosen["first"]
    gap = found["chosen"]["actor, seed 0"]["differences"]["first"]
    assert gap["mean"] == pytest.approx(chosen["actor, seed 0"] - chosen["first"], abs=0.02)
    paths, every = found["paths"], "confidence x reliability"
    assert paths[f"both, actor, {every}"]["differences"].keys() == {"own path", "actor, seed 0"}
    assert paths[f"both, all four, {every} and words"]["differences"].keys() == {"own path and words", "actor, seed 0"}
    none = (await measure_rung(scored.dev, [RewardActor()], bench(), {"ha": 0.0}))["paths"]
    for words in ("", " and words"):  # a translator that is worth nothing changes nothing
        assert none[f"both, actor, {every}{words}"]["mean"] == none[f"own path{words}"]["mean"]
    assert none["both, actor, its confidence"]["mean"] == paths["both, actor, its confidence"]["mean"]
    text = rung_markdown("T2", {**found, "actors": [], "trained_on": 16}, ["about"])
    assert "| both, all four, confidence x reliability |" in text and "## T2: own path, translation, both" in text


def test_the_commands_work_together(folder: Path, tmp_path: Path) -> None:
    make_model(tmp_path / "encoder")
    sentence_files(tmp_path / "encoder")
    make_base_chat(tmp_path / "chat", max_position_embeddings=4096)
    shared = ["--data", folder, "--prepared", tmp_path / "p", "--dev", 8, "--train", 16, "--json"]
    made = run("prepare", *shared, "--model", tmp_path / "chat", "--shots", 1)
    assert json.loads(made.stdout)["translated_now"] == 24
    encoder = ["--encoder", tmp_path / "encoder", "--cache", tmp_path / "cache"]
    measured = run("rung", *shared, *encoder, "--to", tmp_path / "r.md", "--seeds", 2)
    found = json.loads(measured.stdout)["T2"]
    assert found["trained_on"] == 16 and [actor["seed"] for actor in found["actors"]] == [0, 1]
    assert "Written by `lira eval rung`" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert len((tmp_path / "p" / "T2.choices.jsonl").read_text(encoding="utf-8").splitlines()) == 16
    learnt = json.loads((tmp_path / "p" / "T2.reliability.json").read_text(encoding="utf-8"))
    assert learnt == found["reliability"]["by_language"] and 0 <= learnt["ha"] <= 1
    assert "| reliability | gain over the own path |" in (tmp_path / "r.md").read_text(encoding="utf-8")


def run(*arguments: object) -> Any:
    made = CliRunner().invoke(evaluate.app, [str(a) for a in arguments], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return made


def test_without_train_questions_no_actor_is_trained_and_the_table_says_so(folder: Path, tmp_path: Path) -> None:
    make_model(tmp_path / "encoder")
    sentence_files(tmp_path / "encoder")
    rows = [
        {"text": text, "language": "ha", "candidates": [text, "river"], "greedy": text}
        for text in rung_data(folder, "T2", ["ha"], 8, 0).dev[0].queries
    ]
    (tmp_path / "T2.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    shared = ["--data", folder, "--prepared", tmp_path, "--dev", 8, "--train", 0]
    encoder = ["--encoder", tmp_path / "encoder", "--cache", tmp_path / "cache"]
    run("rung", *shared, *encoder, "--to", tmp_path / "r.md")
    assert "no actor was trained" in (tmp_path / "r.md").read_text(encoding="utf-8")
