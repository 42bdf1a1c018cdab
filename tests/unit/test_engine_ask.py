"""`ask` through the engine: the parts of an answer, and what happens when one is missing."""

from collections.abc import AsyncIterator, Sequence

import pytest

from lira_rag import Document, Lira
from lira_rag.errors import ChatError, EmptyText, InvalidInput
from lira_rag.protocols import FloatArray, Kind, Message
from lira_rag.testing import FailingChat, FakeChat, FakeEncoder, SlowChat

TEXTS = [
    Document("Returns are free within thirty days of delivery.", id="returns"),
    Document("Delivery to Mombasa takes three working days.", id="mombasa"),
    Document("The blue kettle boils a litre in four minutes.", id="kettle"),
]


def indexed(chat: object) -> Lira:
    lira = Lira.create(None, encoder=FakeEncoder(), chat=chat)  # type: ignore[arg-type]
    lira.add(TEXTS)
    return lira


def test_a_grounded_reply_is_given_with_its_source() -> None:
    with indexed(FakeChat(["Delivery to Mombasa takes three working days [1]."])) as lira:
        answer = lira.ask("How many days does delivery to Mombasa take?")
    assert "three working days" in answer.text
    cited = [source for source in answer.sources if source.cited]
    assert [source.hit.id for source in cited] == ["mombasa"]
    assert (answer.abstained, answer.language) == (False, "en")


def test_an_invented_reply_becomes_a_quotation() -> None:
    with indexed(FakeChat(["The parcel arrives in 77 hours by zeppelin [1]."])) as lira:
        answer = lira.ask("How many days does delivery to Mombasa take?")
    assert "zeppelin" not in answer.text
    assert "three working days" in answer.text
    assert answer.model == "extract"
    assert any("not supported" in reason for reason in answer.degraded)


def test_a_dead_model_becomes_a_quotation_with_the_reason() -> None:
    with indexed(FailingChat()) as lira:
        answer = lira.ask("How many days does delivery to Mombasa take?")
    assert "three working days" in answer.text
    assert any(reason.startswith("chat:") for reason in answer.degraded)


def test_a_late_model_does_not_break_the_deadline() -> None:
    with indexed(SlowChat(30.0)) as lira:
        answer = lira.ask("How many days does delivery to Mombasa take?", deadline=1.5)
    assert "three working days" in answer.text
    assert any(reason.startswith("chat:") for reason in answer.degraded)


def test_a_missing_model_becomes_a_quotation_with_the_reason() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="no-such-model") as lira:
        lira.add(TEXTS)
        answer = lira.ask("How many days does delivery to Mombasa take?")
    assert "three working days" in answer.text
    assert any("no-such-model" in reason for reason in answer.degraded)


def test_an_empty_index_says_it_does_not_know_in_the_users_language() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as lira:
        answer = lira.ask("สินค้าส่งถึงเมื่อไหร่")
    assert answer.abstained
    assert answer.language == "th"
    assert answer.sources == ()


def test_a_filter_that_leaves_nothing_says_it_does_not_know() -> None:
    with indexed(FakeChat(["never asked"])) as lira:
        answer = lira.ask("How long is delivery?", filters={"language": "sw"})
    assert answer.abstained


@pytest.mark.parametrize(("question", "error"), [("", EmptyText), ("\x00", EmptyText)])
def test_an_empty_question_is_refused(question: str, error: type[Exception]) -> None:
    with indexed(FakeChat(["x"])) as lira, pytest.raises(error):
        lira.ask(question)


@pytest.mark.parametrize("k", [-1, 1.5])
def test_a_wrong_k_is_refused(k: object) -> None:
    with indexed(FakeChat(["x"])) as lira, pytest.raises(InvalidInput, match="k must be"):
        lira.ask("How long is delivery?", k=k)  # type: ignore[arg-type]


class CountingEncoder(FakeEncoder):
    """Remembers the queries it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[str] = []

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        self.queries += list(texts) if kind == "query" else []
        return await super().encode(texts, kind)


def test_a_question_is_encoded_once_for_its_search_and_its_quotation() -> None:
    encoder = CountingEncoder()
    with Lira.create(None, encoder=encoder, chat="none") as lira:
        lira.add(TEXTS)
        answer = lira.ask("How many days does delivery to Mombasa take?")
        lira.search("How many days does delivery to Mombasa take?")
    assert answer.model == "extract"
    assert encoder.queries == ["How many days does delivery to Mombasa take?"]


class TwoWays:
    """Replies whole or in pieces, and remembers how it was asked."""

    name = "two-ways"

    def __init__(self) -> None:
        self.ways: list[str] = []

    async def chat(self, messages: Sequence[Message], *, max_tokens: int = 256) -> str:
        self.ways.append("whole")
        return "Delivery to Mombasa takes three working days [1]."

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        self.ways.append("pieces")
        for piece in ("Delivery to Mombasa takes", " three working days [1]."):
            yield piece


def test_a_reply_comes_in_pieces_only_where_somebody_watches() -> None:
    chat = TwoWays()
    with indexed(chat) as lira:
        whole = lira.ask("How many days does delivery to Mombasa take?")
        events = list(lira.stream("How many days does delivery to Mombasa take?"))
    assert chat.ways == ["whole", "pieces"]
    assert events[-1].answer is not None
    assert whole.text == events[-1].answer.text
    assert "".join(event.text for event in events if event.kind == "text") == whole.text


class Cut(TwoWays):
    """Writes what its room allows, a word a token, and says where it was cut."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = words
        self.rooms: list[int] = []

    async def stream(self, messages: Sequence[Message], *, max_tokens: int = 256) -> AsyncIterator[str]:
        self.rooms.append(max_tokens)
        for word in ["Delivery to Mombasa takes three working days [1].", *["Surely."] * self.words][:max_tokens]:
            yield word + " "
        if self.words >= max_tokens:
            raise ChatError("x: length: the reply was cut at max_tokens")


@pytest.mark.parametrize(("words", "model"), [(600, "two-ways"), (10_000, "extract")])
def test_a_reply_that_was_cut_is_written_once_more_with_twice_the_room(words: int, model: str) -> None:
    chat = Cut(words)
    with indexed(chat) as lira:
        events = list(lira.stream("How many days does delivery to Mombasa take?"))
    assert len(chat.rooms) == 2
    assert chat.rooms[1] == 2 * chat.rooms[0]
    assert chat.ways == []
    assert "the reply was cut" in next(event.text for event in events if event.kind == "reset")
    assert events[-1].answer is not None
    assert events[-1].answer.model == model
