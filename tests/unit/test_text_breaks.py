"""Word, sentence and grapheme breaks."""

from collections.abc import Iterator

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text.breaks import graphemes, last_cluster_end, register, sentences, unregister, words


def pieces(spans: Iterator[tuple[int, int]], text: str) -> list[str]:
    return [text[start:end] for start, end in spans]


THREE_SENTENCES = {
    "en": "Where is my order? It is late. Please help!",
    "sw": "Agizo langu liko wapi? Limechelewa. Nisaidie!",
    "hi": "मेरा ऑर्डर कहाँ है? वह देर से है। कृपया मदद करें॥",
    "bn": "আমার অর্ডার কোথায়? দেরি হয়েছে। সাহায্য করুন॥",
    "ur": "میرا آرڈر کہاں ہے؟ دیر ہو گئی ہے۔ مدد کریں۔",
    "ar": "أين طلبي؟ لقد تأخر. ساعدني!",
    "fa": "سفارش من کجاست؟ دیر شده است. کمک کنید!",
    "my": "အော်ဒါ ဘယ်မှာလဲ။ နောက်ကျတယ်။ ကူညီပါ။",
    "km": "ការបញ្ជាទិញនៅឯណា។ វាយឺត។ សូមជួយ។",
    "am": "ትዕዛዜ የት ነው። ዘግይቷል። እርዱኝ።",
    "ti": "ትእዛዘይ ኣበይ ኣሎ፧ ደንጕዩ። ሓግዙኒ።",
    "hy": "Պատվերը ուշացավ։ Որտե՞ղ է այն։ Օգնեք։",
    "zh": "我的订单在哪里？它晚了。请帮忙！",
    "ja": "注文はどこですか？遅れています。助けて！",
    "el": "Πού είναι η παραγγελία; Άργησε. Βοήθεια!",
    "ta": "என் ஆர்டர் எங்கே? தாமதம். உதவுங்கள்!",
    "si": "මගේ ඇණවුම කොහෙද? ප්‍රමාදයි. උදව් කරන්න!",
    "or": "ଅର୍ଡର କେଉଁଠି? ବିଳମ୍ବ ହେଲା। ସାହାଯ୍ୟ କରନ୍ତୁ।",
    "th": "สั่งของแล้ว ยังไม่มา ช่วยด้วย",  # no mark: spaces
    "lo": "ສັ່ງເຄື່ອງແລ້ວ ຍັງບໍ່ມາ ຊ່ວຍແດ່",
    "bo": "ངའི་མངགས་ཉོ། ད་ལྟ་མ་སླེབས། རོགས་བྱེད།",  # the shad
}


@pytest.mark.parametrize("language", THREE_SENTENCES)
def test_three_sentences_are_three(language: str) -> None:
    text = THREE_SENTENCES[language]
    found = pieces(sentences(text, language), text)
    assert len(found) == 3
    assert "".join(found) == text


@pytest.mark.parametrize("language", sorted(THREE_SENTENCES.keys() - {"el"}))
def test_the_language_need_not_be_known(language: str) -> None:
    text = THREE_SENTENCES[language]
    assert len(list(sentences(text))) == 3


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    text = "Mr. Otieno paid 3.50 for it. Fine."
    assert pieces(sentences(text, "en"), text) == ["Mr. Otieno paid 3.50 for it. ", "Fine."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("แมววิ่งเข้าบ้าน", ["แมว", "วิ่ง", "เข้า", "บ้าน"]),
        ("ຂ້ອຍຮັກພາສາລາວ", ["ຂ້ອຍ", "ຮັກ", "ພາສາ", "ລາວ"]),
        ("ខ្ញុំស្រឡាញ់", ["ខ្ញុំ", "ស្រឡាញ់"]),
        ("བོད་སྐད", ["བོད", "་", "སྐད"]),
        ("हिन्दी में", ["हिन्दी", " ", "में"]),
        ("รุ่นSamsungใหม่", ["รุ่น", "Samsung", "ใหม่"]),
        ("Samsung의", ["Samsung", "의"]),
        ("मेराiPhone", ["मेरा", "iPhone"]),
        ("iPhoneを", ["iPhone", "を"]),
        ("μm café naïve", ["μm", " ", "café", " ", "naïve"]),
        ("😀👨‍👩‍👧x", ["😀", "👨‍👩‍👧", "x"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert pieces(words(text), text) == expected


def test_offsets_count_characters_not_utf16_units() -> None:
    text = "𝄞𝄞 one 😀 two 𞤀𞤣 three."
    assert pieces(words(text), text)[-6:] == ["two", " ", "𞤀𞤣", " ", "three", "."]
    assert list(sentences(text)) == [(0, len(text))]
    assert list(graphemes("a𝄞b")) == [(0, 1), (1, 2), (2, 3)]


def test_graphemes() -> None:
    text = "हिन्दी👨‍👩‍👧🇹🇿e\u0301"
    assert pieces(graphemes(text), text) == ["हि", "न्दी", "👨‍👩‍👧", "🇹🇿", "e\u0301"]


def test_lone_surrogates_do_no_harm() -> None:
    text = "a \ud800 b"
    assert pieces(words(text), text) == ["a", " ", "\ud800", " ", "b"]


def test_empty_text_has_no_spans() -> None:
    assert [*words(""), *sentences(""), *graphemes("")] == []


def test_last_cluster_end() -> None:
    assert last_cluster_end("abc", 10) == 3
    assert last_cluster_end("ab👨‍👩‍👧c", 4) == 2
    assert last_cluster_end("e" + "\u0301" * 50, 10) == 10


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'no such'"):
        list(words("x", "no such"))


class Halves:
    """Cuts a text in two."""

    def words(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text) // 2), (len(text) // 2, len(text))]

    sentences = words


class Forgetful(Halves):
    """Drops the second half."""

    def words(self, text: str) -> list[tuple[int, int]]:
        return super().words(text)[:1]


def test_a_breaker_can_be_plugged_in_for_one_language() -> None:
    register("th-TH", Halves())
    try:
        assert list(words("abcd", "th")) == list(sentences("abcd", "th")) == [(0, 2), (2, 4)]
        assert list(words("abcd", "lo")) == [(0, 4)]
    finally:
        unregister("th")
    assert list(words("abcd", "th")) == [(0, 4)]


def test_a_plugged_in_breaker_must_tile_the_text() -> None:
    register("yo", Forgetful())
    try:
        with pytest.raises(InvalidInput, match="must tile the text, but stopped at 2 of 4"):
            list(words("abcd", "yo"))
    finally:
        unregister("yo")


def test_a_breaker_without_the_methods_is_refused() -> None:
    with pytest.raises(InvalidInput, match="but got str"):
        register("th", "not a breaker")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["🇹\u0301🇹🇹", "🇹🇿 na 🇰🇪", "🇹🇹🇹", "a🇹\u0301b🇹🇹🇹"])
def test_flags_are_never_cut(text: str) -> None:
    ends = {end for _, end in graphemes(text)}
    for spans in (list(words(text)), list(sentences(text))):
        assert "".join(text[start:end] for start, end in spans) == text
        assert {end for _, end in spans} <= ends
