"""Language detection: right where the script or the model is sure, "und" where they are not."""

import time
from collections.abc import Sequence

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text.language import MINIMUM_CONFIDENCE, detect
from lira_rag.text.scripts import dominant_script, script_of_char

SURE = {
    "en": "How do I return a damaged blender?",
    "sw": "ninawezaje kurejesha bidhaa iliyoharibika",
    "fil": "paano ko ibabalik ang sirang blender",
    "fr": "où est ma commande",
    "vi": "đơn hàng của tôi ở đâu",
    "yo": "níbo ni ọjà mi wà",
    "id": "bagaimana cara mengembalikan barang",
    "hi": "मेरा ऑर्डर कहाँ है",
    "mr": "माझी ऑर्डर कुठे आहे",
    "bn": "আমার অর্ডার কোথায়",
    "as": "মোৰ অৰ্ডাৰ ক'ত",
    "ur": "میرا آرڈر کہاں ہے",
    "ar": "أين طلبي",
    "ckb": "داواکارییەکەم لە کوێیە",
    "sd": "منهنجو آرڊر ڪٿي آهي",
    "ug": "مېنىڭ زاكازىم قەيەردە",
    "ru": "где мой заказ",
    "uk": "де моє замовлення",
    "he": "איפה ההזמנה שלי",
    "am": "ትዕዛዜ የት አለ",
    "ti": "ትእዛዘይ ኣበይ ኣሎ",
    "th": "สั่งของแล้วยังไม่มา",
    "lo": "ສັ່ງເຄື່ອງແລ້ວ",
    "km": "ការបញ្ជាទិញនៅឯណា",
    "my": "ကျွန်တော့်အော်ဒါဘယ်မှာလဲ",
    "bo": "ངའི་མངགས་ཉོ་ག་པར་ཡོད།",
    "ta": "என் ஆர்டர் எங்கே",
    "te": "నా ఆర్డర్ ఎక్కడ",
    "kn": "ನನ್ನ ಆರ್ಡರ್ ಎಲ್ಲಿದೆ",
    "ml": "എന്റെ ഓർഡർ എവിടെ",
    "si": "මගේ ඇණවුම කොහෙද",
    "gu": "મારો ઓર્ડર ક્યાં છે",
    "pa": "ਮੇਰਾ ਆਰਡਰ ਕਿੱਥੇ ਹੈ",
    "or": "ମୋ ଅର୍ଡର କେଉଁଠି",
    "el": "πού είναι η παραγγελία μου",
    "hy": "որտեղ է պատվերը",
    "ka": "სად არის შეკვეთა",
    "ko": "내 주문은 어디에",
    "ja": "私の注文はどこですか",
    "zh": "我的订单在哪里",
}


@pytest.mark.parametrize("language", SURE)
def test_a_clear_text(language: str) -> None:
    found = detect(SURE[language])
    assert found.language == language
    assert MINIMUM_CONFIDENCE <= found.confidence <= 1.0


ROMANISED = {
    "mera order kab aayega": "hi-Latn",
    "kya ho raha hai": "hi-Latn",
    "mujhe refund chahiye kaise milega": "hi-Latn",
    "order kahan hai bhai": "hi-Latn",
    "paisa wapas kab milega": "hi-Latn",
    "bhai ye kaam nahi kar raha": "hi-Latn",
    "amar order kothay": "bn-Latn",
    "fein el order bta3i": "ar-Latn",
}


@pytest.mark.parametrize("text", ROMANISED)
def test_romanised_text(text: str) -> None:
    found = detect(text)
    assert (found.language, found.script, found.romanised) == (ROMANISED[text], "Latn", True)
    assert MINIMUM_CONFIDENCE <= found.confidence < 1.0


@pytest.mark.parametrize("candidates", [["en", "sw", "tl", "id", "ha", "yo"], ["id", "th"]])
@pytest.mark.parametrize("text", ROMANISED)
def test_romanised_text_is_not_called_something_else(text: str, candidates: list[str]) -> None:
    assert detect(text, candidates).language == "und"


def test_a_language_stands_for_its_romanised_form_too() -> None:
    text = "mera order kab aayega"
    assert [detect(text, [tag]).language for tag in ("hi", "hi-Latn", "ur", "ur-Latn", "mr")] == [
        *("hi-Latn", "hi-Latn", "ur-Latn", "ur-Latn", "und")
    ]
    assert detect(SURE["hi"], ["hi-Latn", "mr"]).language != "hi-Latn"


def test_hindi_and_urdu_in_latin_letters() -> None:
    either, urdu = detect("kya ho raha hai"), detect("meherbani kar ke raqam wapis kar dein shukriya")
    assert (either.language, urdu.language) == ("hi-Latn", "ur-Latn")
    assert either.confidence < urdu.confidence
    assert either.confidence < 0.9


@pytest.mark.parametrize(
    "text", ["api error 502", "Hi", "ok", "ok thanks", "KT-204", "Galaxy S24", "#ORD-20391", "https://x.example/a?b=1"]
)
def test_too_little_to_tell(text: str) -> None:
    found = detect(text)
    assert (found.language, found.mixed, found.by) == ("und", (), "")
    assert found.confidence < MINIMUM_CONFIDENCE


@pytest.mark.parametrize("text", ["", "12 34", "😀?!"])
def test_no_letters(text: str) -> None:
    found = detect(text)
    assert (found.language, found.script, found.confidence) == ("und", "Zyyy", 0.0)


def test_candidates_decide_between_neighbours() -> None:
    assert detect("di mana pesanan saya", ["id", "en"]).language == "id"
    assert detect("di mana pesanan saya", ["ms", "en"]).language == "ms"
    marathi = "हा पंखा चालत नाही, काय करू?"
    assert detect(marathi).language == "und"
    assert detect(marathi, ["mr", "en"]).language == "mr"


def test_candidates_are_read_as_tags() -> None:
    assert detect(SURE["fil"], ["tl"]).language == "fil"
    assert detect(SURE["fil"], ["fil-x-taglish"]).language == "fil"
    assert detect(SURE["he"], ["iw"]).language == "he"
    with pytest.raises(InvalidInput, match="'no such'"):
        detect("text", ["no such"])


def test_a_candidate_is_not_forced_on_a_text() -> None:
    assert detect("wo ist meine Bestellung", ["sw"]).language == "und"


def test_a_script_of_one_language_needs_no_candidate() -> None:
    assert detect(SURE["th"], ["en", "sw"]).language == "th"
    assert detect(SURE["bo"], ["dz", "en"]).language == "dz"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My Samsung Galaxy S24 เสียแล้ว", "th"),
        ("iPhone の修理", "ja"),
        ("order ของผม อยู่ไหน", "th"),
        ("Where can I buy the book 수리 in Nairobi today?", "en"),
    ],
)
def test_names_in_latin_letters_do_not_decide(text: str, language: str) -> None:
    assert detect(text).language == language


def test_scripts() -> None:
    assert [script_of_char(c) for c in "aéжαا中あ각ก𞤀1 "] == [
        *("Latn", "Latn", "Cyrl", "Grek", "Arab", "Hani", "Jpan", "Kore", "Thai", "Adlm", "Zyyy", "Zyyy")
    ]
    assert dominant_script("日本語の本") == ("Jpan", 1.0)
    assert dominant_script("ab กข")[0] == "Thai"


class Certain:
    """An identifier that knows one answer."""

    def rank(self, text: str) -> Sequence[tuple[str, float]]:
        return [("ha", 0.9), ("ar", 0.1)]


def test_another_model_can_be_used() -> None:
    usual = detect("anything in Latin letters")
    found = detect("anything in Latin letters", identifier=Certain())
    assert (usual.language, found.language) == ("en", "ha")
    assert detect("anything in Latin letters") == usual
    assert found.confidence == pytest.approx(0.9, abs=0.05)


def test_other_types_are_refused() -> None:
    with pytest.raises(InvalidInput, match="text must be a str, but got bytes"):
        detect(b"text")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="candidates must be a list of tags, but got one string"):
        detect("text", "sw")
    with pytest.raises(InvalidInput, match="candidates must be a list of tags, but got int"):
        detect("text", 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="language must be a str such as 'sw', but got int"):
        detect("text", [3])  # type: ignore[list-item]
    with pytest.raises(InvalidInput, match="prior must be a LanguagePrior, but got str"):
        detect("text", prior="th")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["\ud800", "\udfff where is it \ud800", "a\x00b", "x" * 1_000_000, "7a" * 500_000])
def test_any_string_is_read(text: str) -> None:
    assert detect(text).confidence <= 1.0


def test_shan_is_not_burmese_and_burmese_in_zawgyi_is_not_shan() -> None:
    assert detect("မႂ်ႇသုင်ၶႃႈ").language == "shn"
    assert detect("ျမန္မာႏိုင္ငံ ၾကိဳးဆြဲ").language == "my"


def test_it_is_cheap_when_warm() -> None:
    detect("warm up")
    best = min(_seconds("mera order kab aayega") for _ in range(200))
    assert best < 0.001
    long = "the order of the day " * 100_000
    assert min(_seconds(long) for _ in range(10)) < 0.05


def _seconds(text: str) -> float:
    began = time.perf_counter()
    detect(text)
    return time.perf_counter() - began
