"""`lira eval reasoning`: files as published, ways of asking, what is counted, and the command against a fake server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lira_rag.cli import eval as evaluate
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.reasoning import Asked, ask_all, report, translate_items
from lira_rag.evaluation.reasoning_items import ReasoningItem, language_of_file, read_reasoning, with_english
from lira_rag.protocols import Message, Reply
from lira_rag.testing import FailingChat, FakeChat, FakeTranslator, FaultServer, completion

DATA = Path(__file__).parents[1] / "data" / "reasoning"


class Scripted:
    """A structured chat that says what a function of the prompt says."""

    name = "scripted"

    def __init__(self) -> None:
        self.prompts: list[str] = []

    async def chat(self, messages: list[Message], *, max_tokens: int = 256) -> str:
        return (await self.complete(messages)).text

    async def complete(self, messages: list[Message], **_: object) -> Reply:
        self.prompts.append(messages[-1]["content"])
        return Reply("The answer is 7" if "mangoes" in self.prompts[-1] else "no idea", used=len(self.prompts[-1]))


def test_mgsm_reads_digits_of_any_script() -> None:
    for tag in ("en", "sw", "bn"):
        items = read_reasoning(DATA / f"mgsm_{tag}.tsv")
        assert [(item.language, item.answer, item.kind) for item in items] == [
            (tag, answer, "number") for answer in ("7", "120", "3000")
        ]


def test_xcsqa_reads_options_and_its_own_language() -> None:
    items = read_reasoning(DATA / "xcsqa_th.jsonl")
    assert [(item.id, item.language, item.answer) for item in items] == [("q1", "th", "A"), ("q2", "th", "C")]
    assert [label for label, _ in items[0].options] == list("ABCDE")


@pytest.mark.parametrize(
    ("name", "tag"),
    [("mgsm_bn.tsv", "bn"), ("sw/dev.jsonl", "sw"), ("mgsm.tsv", "und"), ("X-CSQA/ur/test.jsonl", "ur")],
)
def test_the_language_stands_in_the_name(name: str, tag: str) -> None:
    assert language_of_file(Path("/data") / name) == tag


def test_a_parallel_file_gives_the_english_and_must_match() -> None:
    items = with_english(read_reasoning(DATA / "xcsqa_sw.jsonl"), read_reasoning(DATA / "xcsqa_en.jsonl"))
    assert items[0].english == "Where do people buy bread?"
    assert items[0].english_options[0] == ("A", "bakery")
    with pytest.raises(InvalidInput, match="no English counterpart, the first is 'q1'"):
        with_english(items, read_reasoning(DATA / "mgsm_en.tsv"))
    other = [ReasoningItem("q1", "en", "x", "B", items[0].options), ReasoningItem("q2", "en", "x", "C")]
    with pytest.raises(InvalidInput, match="'q1' has another answer"):
        with_english(items, other)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "question without a number\n", "line 1 must be: question, tab, number"),
        ("a.tsv", "q\tmany\n", "line 1 must be"),
        ("a.tsv", "", "holds no question"),
        ("a.json", "{}", "must end in .tsv"),
        ("a.jsonl", '{"question": {"stem": "x"}, "answerKey": "A"}\n', "question.choices is not as in X-CSQA"),
        (
            "a.jsonl",
            '{"question": {"stem": "x", "choices": [{"label": "A", "text": "y"}, {"label": "B", "text": "z"}]}, '
            '"answerKey": "C"}\n',
            "answerKey 'C' is no option",
        ),
        ("a.jsonl", "[1]\n", "line 1 must be a JSON object"),
    ],
)
def test_a_file_that_breaks_its_format_is_refused_by_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=message):
        read_reasoning(tmp_path / name)


async def test_each_way_asks_what_it_says_and_counts_tokens() -> None:
    chat, items = Scripted(), read_reasoning(DATA / "mgsm_sw.tsv")[:1]
    english = {items[0].question: "Asha has 12 mangoes and gives 5 away. How many mangoes are left?"}
    found = {}
    said = await translate_items(items, FakeTranslator(english))
    for way in ("native", "translated", "lasr"):
        found[way] = await ask_all(said, way, chat)
    native, translated, both = chat.prompts
    assert items[0].question in native and "mangoes" not in native
    assert "mangoes" in translated and items[0].question not in translated
    assert items[0].question in both and "mangoes" in both
    assert all("think step by step" in prompt for prompt in chat.prompts)
    assert found["native"] == [Asked(False, False, "", len(native))]
    assert found["translated"] == [Asked(True, True, "", len(translated))]


async def test_an_item_without_a_translation_is_asked_as_written() -> None:
    chat, items = Scripted(), read_reasoning(DATA / "xcsqa_th.jsonl")[:1]
    said = await translate_items(items, FakeTranslator({items[0].question: "Where is bread sold?"}))
    for way in ("translated", "lasr"):
        await ask_all(said, way, chat)
    assert all("Where is bread" not in prompt for prompt in chat.prompts)  # its options have no translation


async def test_a_trained_mapping_reads_the_question_and_the_words_hold_none() -> None:
    asked: list[tuple[str, str, str]] = []

    class Soft:
        async def answer(self, text: str, language: str, suffix: str, *, max_tokens: int) -> tuple[str, int]:
            asked.append((text, language, suffix))
            return "A", 21

    items = with_english(read_reasoning(DATA / "xcsqa_sw.jsonl"), read_reasoning(DATA / "xcsqa_en.jsonl"))
    found = await ask_all(items, "lasr", FakeChat(["B"]), soft=Soft())
    assert asked[0] == (
        "Watu hununua mkate wapi?",
        "sw",
        "\nOptions:A. bakery\tB. river\tC. cloud\tD. school bus\tE. moon\nAnswer:",
    )
    assert found == [Asked(True, True, "", 21), Asked(False, True, "", 21)]


async def test_failures_and_unread_replies_count_as_wrong_and_are_told_apart() -> None:
    items = read_reasoning(DATA / "mgsm_bn.tsv")
    found = {
        "native": await ask_all(items, "native", FakeChat(["উত্তর ৭", "জানি না", "9"]), at_once=1),
        "lasr": await ask_all(items, "lasr", FailingChat()),
    }
    row = report(items, found)["bn"]
    assert row["native"]["accuracy"] == pytest.approx(100 / 3)
    assert (row["native"]["unparsed"], row["native"]["failed"]) == (1, 0)
    assert (row["lasr"]["accuracy"], row["lasr"]["unparsed"], row["lasr"]["failed"]) == (0, 0, 3)
    assert row["lasr"]["difference"]["mean"] == pytest.approx(-100 / 3)
    assert row["lasr"]["tokens"] is None


async def test_the_command_asks_a_served_model_and_writes_a_table(tmp_path: Path) -> None:
    from anyio.to_thread import run_sync

    async with FaultServer(then=completion("Answer: A")) as server:
        arguments = [
            "reasoning",
            DATA / "xcsqa_sw.jsonl",
            DATA / "xcsqa_th.jsonl",
            "--english",
            DATA / "xcsqa_en.jsonl",
        ]
        arguments += ["--chat-url", server.base_url, "--chat-model", "m", "--to", tmp_path / "t.md", "--json"]
        made = await run_sync(lambda: CliRunner().invoke(evaluate.app, [str(a) for a in arguments]))
        bodies = [request.json() for request in server.received]
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)["languages"]
    assert {tag: found[tag]["native"]["accuracy"] for tag in found} == {"sw": 50.0, "th": 50.0}
    assert len(bodies) == 12
    assert "| th | translated | 2 | 50.0 |" in (tmp_path / "t.md").read_text()


async def test_the_model_itself_may_be_the_translator_and_what_is_left_out_is_said() -> None:
    from anyio.to_thread import run_sync

    async with FaultServer(then=completion("7")) as server:
        arguments = [
            "reasoning",
            str(DATA / "mgsm_sw.tsv"),
            "--chat-url",
            server.base_url,
            "--chat-model",
            "m",
            "--json",
        ]
        plain = await run_sync(lambda: CliRunner().invoke(evaluate.app, arguments))
        before = len(server.received)
        both = await run_sync(lambda: CliRunner().invoke(evaluate.app, [*arguments, "--translator", "chat"]))
        asked = len(server.received) - before
    found = json.loads(plain.stdout)
    assert list(found["languages"]["sw"]) == ["native"]
    assert "translated and lasr are left out: there is no English" in found["about"]
    assert before == 3
    assert list(json.loads(both.stdout)["languages"]["sw"]) == ["native", "translated", "lasr"]
    assert asked == 3 + 9


def test_the_command_without_any_english_asks_the_native_way_only(tmp_path: Path) -> None:
    made = CliRunner().invoke(evaluate.app, ["reasoning", str(DATA / "mgsm_sw.tsv"), "--ways", "best"])
    assert isinstance(made.exception, InvalidInput)
    assert "ways must be of native, translated, lasr" in str(made.exception)
