"""Character n-grams: which scripts have them, and what a differently cut or misspelt word still finds."""

from __future__ import annotations

import doctest

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.stores import PassageIndex
from lira_rag.text import ngrams
from lira_rag.text.lexical import LONGEST_TERM, lexical_words
from lira_rag.text.ngrams import MARK, character_ngrams, index_terms
from tests.stores_data import document, new_index

SPACED = [
    "Where is my order?", "मेरा ऑर्डर कहाँ है", "আমার অর্ডার কোথায়", "میرا آرڈر", "где мой заказ", "ትዕዛዜ የት ነው", "ߒߞߏ ߞߊ߲",
    "என் ஆர்டர்", "𞤆𞤵𞤤𞤢𞤪", "", "204 ๑๒", "።፡", "。、", "ฯ ๏", "…",
]  # fmt: skip


@pytest.mark.parametrize("text", SPACED)
def test_words_that_are_set_apart_have_no_ngrams(text: str) -> None:
    assert character_ngrams(text) == []
    assert index_terms(text) == lexical_words(text)


# A phrase, and a part of it that begins and ends where a reader may see a word but the breaker may not.
INSIDE = {
    "Thai": ("ฉันอยากไปกรุงเทพพรุ่งนี้", "พรุ่งนี้"),
    "Laoo": ("ຂ້ອຍຢາກໄປວຽງຈັນມື້ອື່ນ", "ໄປວຽງ"),
    "Khmr": ("ខ្ញុំចង់ទៅភ្នំពេញថ្ងៃស្អែក", "ទៅភ្នំ"),
    "Mymr": ("ကျွန်တော်မန္တလေးကိုသွားချင်တယ်", "မန္တ"),
    "Hani": ("我想明天去北京大学", "京"),
    "Jpan": ("明日東京タワーへ行きたい", "京タワー"),
    "Kore": ("삼성전자는 서울에 있다", "전자"),
    "Tibt": ("བོད་ཀྱི་སྐད་ཡིག་སློབ་སྦྱོང་།", "སྐད་ཡིག"),
    "Java": ("ꦲꦏꦸꦲꦫꦺꦥ꧀ꦩꦼꦚꦁꦪꦺꦴꦒꦾ", "ꦲꦫꦺ"),
    "Bali": ("ᬅᬓ᭄ᬱᬭᬩᬮᬶ", "ᬩᬮᬶ"),
    "Lana": ("ᨣᩤᩴᨾᩮᩬᩥᨦᩈᩢ᩠ᨶᨯᩦ", "ᨾᩮᩬᩥᨦ"),
    "Talu": ("ᦶᦎᦺᦑᦟᦹᧉ", "ᦺᦑ"),
    "Tale": ("ᥖᥭᥰᥘᥫᥴ", "ᥘᥫᥴ"),
    "Tavt": ("ꪼꪕꪒꪾ", "ꪒꪾ"),
    "Cham": ("ꨀꨇꩉꨌꩌ", "ꨌꩌ"),
    "Yiii": ("ꆈꌠꁱꂷ", "ꁱꂷ"),
    "Bopo": ("ㄅㄆㄇㄈ", "ㄆㄇ"),
}


@pytest.mark.parametrize("script", INSIDE)
def test_a_part_of_a_phrase_finds_it_and_no_other(script: str) -> None:
    text, part = INSIDE[script]
    assert part in text
    assert set(index_terms(part)) & set(index_terms(text))
    with new_index(None) as index:
        add(index, {name: phrase for name, (phrase, _) in INSIDE.items()})
        assert index.lexical(index_terms(part), 5)[0][0] == f"{script}#0"


def add(index: PassageIndex, texts: dict[str, str]) -> None:
    index.write([document(name, passages=1, words=[index_terms(text)]) for name, text in texts.items()])


SENTENCES = {
    "th0": "พรุ่งนี้ฝนจะตกหนักในกรุงเทพมหานคร",
    "th1": "โรงพยาบาลเปิดให้บริการตลอดยี่สิบสี่ชั่วโมง",
    "th2": "นักเรียนต้องส่งการบ้านก่อนวันศุกร์",
    "th3": "กรุณาคืนหนังสือที่ห้องสมุดภายในสัปดาห์หน้า",
    "lo0": "ໂຮງຮຽນຂອງພວກເຮົາມີນັກຮຽນຫຼາຍຄົນ",
    "lo1": "ມື້ນີ້ອາກາດຮ້ອນຫຼາຍຢູ່ວຽງຈັນ",
    "lo2": "ລາຄາເຂົ້າໃນຕະຫຼາດຂຶ້ນທຸກໆເດືອນ",
    "km0": "មន្ទីរពេទ្យនេះបើកទ្វារពេញមួយថ្ងៃ",
    "km1": "តម្លៃអង្ករនៅទីផ្សារបានឡើងថ្លៃ",
    "km2": "សិស្សត្រូវប្រឡងនៅសប្ដាហ៍ក្រោយ",
}

# Misspelt, cut by spaces, or taken out of the context that decides where ICU cuts.
ASKED = [
    ("th0", "ฝนตกหนัก กรุงเทบ"), ("th0", "กรุงเทพ มหา นคร"), ("th1", "โรงพยาบาน"), ("th1", "โรง พยา บาล เปิด"),
    ("th2", "นักเรยีนส่งการบ้าน"), ("th2", "การบ้น"), ("th3", "คืนหนังสึอ"), ("th3", "ห้องสมุต"),
    ("lo0", "ໂຮງຮຽ"), ("lo0", "ນັກ ຮຽນ"), ("lo1", "ອາກາດຮ້ອນ ວຽງ ຈັນ"), ("lo1", "ວຽງຈັ"), ("lo2", "ລາຄາເຂົ້າ ຕະຫຼາ"),
    ("km0", "មន្ទីពេទ្យ"), ("km0", "មន្ទីរ ពេទ្យ"), ("km1", "តម្លៃអង្ក"), ("km1", "អង្ករ ទីផ្សា"), ("km2", "ប្រឡង សប្តាហ៍"),
]  # fmt: skip


def test_misspelt_and_differently_cut_words_find_their_document_more_often_with_ngrams() -> None:
    def hits(terms: object) -> int:
        with new_index(None) as index:
            index.write([document(n, passages=1, words=[terms(t)]) for n, t in SENTENCES.items()])  # type: ignore[operator]
            found = [(right, index.lexical(terms(asked), 1)) for right, asked in ASKED]  # type: ignore[operator]
        return sum(bool(best) and best[0][0] == f"{right}#0" for right, best in found)

    assert hits(index_terms) == len(ASKED)
    assert hits(lexical_words) < len(ASKED) - 4


def test_ngrams_do_not_count_as_words() -> None:
    assert all(gram.startswith(MARK) for gram in character_ngrams("去北京 ไปกรุงเทพ"))
    assert not any(term.startswith(MARK) for term in lexical_words("~去 ~北京~ ~a ~ไป"))
    terms = index_terms("北京 북경")
    assert terms.count("北京") == 1


def test_a_latin_name_inside_has_no_ngrams_and_breaks_the_run() -> None:
    grams = character_ngrams("ซื้อSamsungรุ่นใหม่")
    assert not any(char.isascii() and char.isalnum() for gram in grams for char in gram)
    assert "~อรุ่" not in grams


def test_ngrams_are_folded_and_bounded() -> None:
    assert character_ngrams("ﾊﾝｶｸ") == character_ngrams("ハンカク")
    assert character_ngrams("神") == character_ngrams("神")
    assert all(len(gram) <= LONGEST_TERM for gram in character_ngrams("ก" + "\u0e49" * 300 + "ขค"))


@pytest.mark.parametrize("value", [None, 7, b"x", ["a"]])
def test_only_text_has_terms(value: object) -> None:
    for function in (index_terms, character_ngrams, lexical_words):
        with pytest.raises(InvalidInput, match="text must be a str"):
            function(value)  # type: ignore[operator]
    with pytest.raises(InvalidInput):
        index_terms("x", "no such language")


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(ngrams)
    assert result.attempted > 0
    assert result.failed == 0
