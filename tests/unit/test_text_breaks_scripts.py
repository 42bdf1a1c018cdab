"""Sentences, words and clusters of many scripts, by texts whose sentences and words are known."""

import pytest

from lira_rag.evaluation.script_corpus import Notice, notices
from lira_rag.text.breaks import graphemes, sentences, words
from lira_rag.text.lexical import lexical_words

NOTICES = [notice for texts in notices().values() for notice in texts]
SPACED = [n for n in NOTICES if n.script not in ("Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Hani", "Jpan")]

# Three sentences each, by the script's own marks; letters are not always words of a language.
THREE = {
    "Javanese": "ꦱꦸꦒꦼꦁꦫꦮꦸꦃ꧉ ꦩꦠꦸꦂꦤꦸꦮꦸꦤ꧉ ꦱꦩꦥꦸꦤ꧉",
    "Balinese": "ᬩᬮᬶ᭞ ᬲᬸᬓ᭞ ᬲᬶᬤ᭟",
    "Sundanese, by the full stop": "ᮞᮥᮔ᮪ᮓ. ᮘᮞ. ᮘᮥᮓ.",
    "Santali": "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ᱾ ᱡᱚᱦᱟᱨ᱾ ᱱᱚᱣᱟ ᱫᱚ ᱚᱞ᱿",
    "Meitei": "ꯃꯤꯇꯩꯂꯣꯟ꯫ ꯈꯨꯔꯨꯝꯖꯔꯤ꯫ ꯑꯩꯒꯤ꯫",
    "N'Ko": "ߒߞߏ߹ ߊߟߎ ߣߌ߫ ߖߐ߹ ߌ ߣߌ߫ ߗߋ߹",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ᠃ ᠰᠠᠢᠨ᠃ ᠪᠠᠶᠠᠷ᠃",
    "Lepcha": "ᰛᰩᰵ᰻ ᰀᰦ᰻ ᰀᰪ᰻",
    "Limbu": "ᤕᤠᤰ᥄ ᤀᤠ᥅ ᤁᤡ᥄",
    "Vai": "ꕙꔤ꘎ ꕉꕜ꘎ ꕮꔧ꘎",
    "Lisu": "ꓡꓲ꓿ ꓢꓴ꓿ ꓐꓰ꓿",
    "Cham": "ꨌꩌ꩝ ꨀꨇ꩝ ꨣꨓ꩞",
    "Tai Tham": "ᨲᩫ᩠ᩅ᪨ ᨾᩮᩬᩥᨦ᪨ ᩃᩣ᩠ᨶ᪩",
    "Chakma": "𑄌𑄋𑄴𑄟𑄳𑄦 𑅁 𑄃𑄟𑄢𑄴 𑅁 𑄞𑄌𑄴 𑅂",
    "Syriac": "ܫܠܡܐ܂ ܐܢܐ܂ ܒܝܬܐ܂",
    "Thaana": "މާލެ. ކޮން އިރަކު؟ އަންނަން.",
    "Cherokee": "ᎣᏏᏲ. ᏙᎯᏧ? ᏩᏙ.",
    "Canadian syllabics": "ᐃᓄᒃᑎᑐᑦ᙮ ᐅᖃᓕᒫᒐᖅ᙮ ᐊᑏ᙮",
    "Tifinagh": "ⵜⴰⵎⴰⵣⵉⵖⵜ. ⴰⵣⵓⵍ! ⵎⴰⵏⵉ?",
    "Adlam": "𞤀𞤣𞤤𞤢𞤥. 𞤔𞤢𞤥! 𞤂𞤫𞤴𞤣𞤭.",
    "Buginese": "ᨔᨛᨂᨛ᨞ ᨕᨚᨁᨗ᨞ ᨈᨕᨘ᨞",
    "Baybayin": "ᜊᜌᜒ᜵ ᜆᜂ᜶ ᜃᜆᜒ᜶",
    "Shan": "မႂ်ႇသုင်ၶႃႈ။ ၵိၼ်ၶဝ်ႈ။ ယူႇလီ။",
    "Dzongkha": "རྫོང་ཁ་ཨིན། ང་འགྱོ་ནི། ལེགས་ཤོམ།",
    "Hebrew, by the sof pasuq": "בראשית ברא׃ והארץ היתה׃ ויאמר׃",
    "Khmer": "ខ្ញុំទៅ។ អ្នកមក។ គាត់នៅ។",
    "Burmese": "သွားမယ်။ လာမယ်။ နေမယ်။",
    "Tigrinya": "ሰላም ድዩ፧ ጽቡቕ ኣሎ። የቐንየለይ።",
    "Armenian": "Բարեւ։ Ինչպե՞ս ես։ Լավ։",
    "Kashmiri": "سلام۔ وارے چھو؟ ٹھیک۔",
    "Cantonese": "你好嗎？我好好。再見！",
    "Punjabi double danda": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ। ਕੀ ਹਾਲ ਹੈ? ਠੀਕ॥",
    "Greek question mark": "Τι κάνεις; Καλά είμαι. Πάμε;",
    "Thai": "ไปไหนมา กินข้าวแล้ว กลับบ้าน",
    "Lao": "ໄປໃສມາ ກິນເຂົ້າແລ້ວ ກັບບ້ານ",
}


@pytest.mark.parametrize("script", sorted(THREE))
def test_three_sentences_are_three_in_every_script(script: str) -> None:
    text = THREE[script]
    found = [text[start:end] for start, end in sentences(text)]
    assert len(found) == 3
    assert "".join(found) == text


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.id)
def test_the_sentences_of_the_notices(notice: Notice) -> None:
    """With the language and without it."""
    for language in (notice.language, "und"):
        found = [notice.text[start:end].strip() for start, end in sentences(notice.text, language)]
        assert found == list(notice.sentences)


@pytest.mark.parametrize("notice", SPACED, ids=lambda notice: notice.id)
def test_words_are_what_stands_between_spaces(notice: Notice) -> None:
    """Against plain white space, which is right for these scripts; marks and vowel signs stay with their letters."""
    expected = [word.strip(".,;:!?।॥۔؟։።") for word in notice.text.split()]
    spans = (notice.text[start:end] for start, end in words(notice.text, notice.language))
    assert [word for word in spans if any(char.isalnum() for char in word)] == expected


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.id)
def test_words_and_sentences_end_where_clusters_end(notice: Notice) -> None:
    ends = {end for _, end in graphemes(notice.text)}
    for spans in (words(notice.text), sentences(notice.text)):
        assert {end for _, end in spans} <= ends


def test_the_corpus_is_what_it_says() -> None:
    found = notices()
    assert len({texts[0].script for texts in found.values()}) >= 20
    for texts in found.values():
        assert len(texts) >= 4
        for notice in texts:
            assert len(notice.sentences) >= 3
            assert all(word.casefold() in notice.text.casefold() for word in notice.words)
            assert lexical_words(notice.text)
