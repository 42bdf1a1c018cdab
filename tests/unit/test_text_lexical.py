"""Index terms: every word of every script, and the variants that must meet."""

import doctest

import pytest

from lira_rag.text import lexical
from lira_rag.text.lexical import LONGEST_TERM, fold, lexical_words, words_of_most

# A sentence of each script and its words, as a dictionary or a reader would give them.
WORDS = {
    "Latn": ("Agizo langu liko wapi", "agizo langu liko wapi"),
    "Deva": ("मेरा पार्सल अभी तक नहीं आया", "मेरा पार्सल अभी तक नहीं आया"),
    "Beng": ("আমার অর্ডার কোথায়", "আমার অর্ডার কোথায়"),
    "Arab": ("میرا آرڈر کہاں ہے", "میرا آرڈر کہاں ہے"),
    "Hebr": ("איפה ההזמנה שלי", "איפה ההזמנה שלי"),
    "Cyrl": ("где мой заказ", "где мой заказ"),
    "Grek": ("πού είναι η παραγγελία", "πού είναι η παραγγελία"),
    "Ethi": ("ትዕዛዜ የት ነው።", "ትዕዛዜ የት ነው"),
    "Thai": ("แมววิ่งเข้าบ้าน", "แมว วิ่ง เข้า บ้าน"),
    "Laoo": ("ຂ້ອຍຮັກພາສາລາວ", "ຂ້ອຍ ຮັກ ພາສາ ລາວ"),
    "Khmr": ("ខ្ញុំស្រឡាញ់", "ខ្ញុំ ស្រឡាញ់"),
    "Mymr": ("ကျွန်တော် ရေ သောက်တယ်", "ရေ"),
    "Tibt": ("བོད་ཀྱི་སྐད།", "བོད ཀྱི སྐད"),
    "Taml": ("என் ஆர்டர் எங்கே", "என் ஆர்டர் எங்கே"),
    "Telu": ("నా ఆర్డర్ ఎక్కడ", "నా ఆర్డర్ ఎక్కడ"),
    "Knda": ("ನನ್ನ ಆರ್ಡರ್ ಎಲ್ಲಿದೆ", "ನನ್ನ ಆರ್ಡರ್ ಎಲ್ಲಿದೆ"),
    "Mlym": ("എന്റെ ഓർഡർ എവിടെ", "എന്റെ ഓർഡർ എവിടെ"),
    "Sinh": ("මගේ ඇණවුම කොහෙද", "මගේ ඇණවුම කොහෙද"),
    "Gujr": ("મારો ઓર્ડર ક્યાં છે", "મારો ઓર્ડર ક્યાં છે"),
    "Guru": ("ਮੇਰਾ ਆਰਡਰ ਕਿੱਥੇ ਹੈ", "ਮੇਰਾ ਆਰਡਰ ਕਿੱਥੇ ਹੈ"),
    "Orya": ("ମୋ ଅର୍ଡର କେଉଁଠି", "ମୋ ଅର୍ଡର କେଉଁଠି"),
    "Hani": ("我的订单在哪里", "我的 订单"),
    "Jpan": ("注文はどこですか", "注文 どこ"),
    "Kore": ("내 주문은 어디에", "내 주문은 어디에"),
    "Armn": ("որտեղ է պատվերը", "որտեղ է պատվերը"),
    "Geor": ("სად არის შეკვეთა", "სად არის შეკვეთა"),
    "Olck": ("ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ", "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ"),
    "Nkoo": ("ߒߞߏ ߘߐ", "ߒߞߏ ߘߐ"),
    "Adlm": ("𞤆𞤵𞤤𞤢𞤪 𞤩𞤮𞤮", "𞤆𞤵𞤤𞤢𞤪 𞤩𞤮𞤮"),
}


@pytest.mark.parametrize("script", WORDS)
def test_each_word_of_a_text_is_an_index_term_of_it(script: str) -> None:
    text, its_words = WORDS[script]
    terms = lexical_words(text)
    for word in its_words.split():
        query = lexical_words(word)
        assert query, word
        assert set(query) <= set(terms), word


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("الدورى", "الدوري"),  # dotless yeh
        ("أحمد إلى آب", "احمد الى اب"),
        ("مدرسة", "مدرسه"),
        ("كِتَابـــــــة", "كتابة"),  # vowel signs, tatweel
        ("کتاب یک", "كتاب يك"),  # Persian and Urdu kaf and yeh
        ("می‌خواهم", "میخواهم"),
        ("۱۲۳ ١٢٣ १२३ ১২৩ ๑๒๓", "123 123 123 123 123"),
        ("ＫＴ－２０４", "KT-204"),
        ("ISTANBUL İstanbul", "istanbul istanbul"),
        ("Níbo ni ọjà mi wà", "nibo ni oja mi wa"),
        ("café naïve Straße", "cafe naive strasse"),
        ("ƙasa ɓauna ɗaya", "kasa bauna daya"),
        ("Ελλάδα", "ελλαδα"),
        ("ёлка во́ды", "елка воды"),
        ("שָׁלוֹם צה״ל", 'שלום צה"ל'),
        ("അവന്\u200d", "അവൻ"),
        ("क़लम हँसी", "कलम हंसी"),
        ("ﾊﾝｶｸ", "ハンカク"),
        ("wi-fi e-mail", "wifi email"),
        ("1,500 12,34,567", "1500 1234567"),
        ("oʻzbek", "o'zbek"),
    ],
)
def test_variants_share_a_term_per_word(one: str, other: str) -> None:
    for left, right in zip(one.split(), other.split(), strict=True):
        assert set(lexical_words(left)) & set(lexical_words(right)), (left, right)


@pytest.mark.parametrize(("one", "other"), [("й", "и"), ("گھر", "گهر"), ("لڑکی", "لڑکے"), ("পড়া", "পডা")])
def test_letters_that_tell_words_apart_are_kept(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("query", ["KT-204", "kt204", "KT 204", "kt_204", "204", "kt", "ＫＴ２０４", "KT-٢٠٤"])
def test_a_code_is_found_however_it_is_written(query: str) -> None:
    assert set(lexical_words(query)) & set(lexical_words("The KT-204 blender"))


@pytest.mark.parametrize("query", ["KT-204", "kt204", "KT/204"])
def test_a_code_as_a_whole_is_a_term_of_its_own(query: str) -> None:
    assert "kt-204" in lexical_words(query)
    assert "kt-204" not in lexical_words("kt and 204")


def test_a_latin_brand_inside_thai_is_found() -> None:
    assert "samsung" in lexical_words("ฉันซื้อSamsungรุ่นใหม่")
    assert "รุ่น" in lexical_words("ฉันซื้อSamsungรุ่นใหม่")


def test_an_email_is_found_whole_and_by_parts() -> None:
    terms = lexical_words("write to ana.li@example.com")
    assert {"ana", "li", "example", "com"} <= set(terms)
    assert set(lexical_words("Ana.Li@Example.com")) <= set(terms)
    assert terms[-1] == "analiexamplecom"


def test_words_are_counted_as_often_as_they_occur() -> None:
    assert lexical_words("maji maji, MAJI!") == ["maji"] * 3


@pytest.mark.parametrize("text", ["", " \n", "?! … ، ।", "😀 👍🏽", "\u200b\u200d", "ﷺ"])
def test_no_words_no_terms(text: str) -> None:
    assert lexical_words(text) == []


def test_endless_words_are_bounded() -> None:
    assert lexical_words("x" * 200_000) == ["x" * LONGEST_TERM]
    assert all(len(term) <= LONGEST_TERM for term in lexical_words("ab-" * 10_000 + "é" * 300 + "1a" * 500))


def test_a_url_gives_its_parts_only() -> None:
    assert lexical_words("a.b/c/d/e/f/g/h") == list("abcdefgh")


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(lexical)
    assert result.attempted > 0
    assert result.failed == 0


def test_words_of_most_texts_come_first_and_else_in_the_order_met() -> None:
    assert words_of_most(["cat cat dog", "owl cat", "dog bee"]) == ["cat", "dog", "owl", "bee"]
