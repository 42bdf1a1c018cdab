"""In every script: each word of each document finds that document, and so do the names and numbers inside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lira_rag.stores import PassageIndex
from lira_rag.text.border import clean_document, clean_query
from lira_rag.text.breaks import words
from lira_rag.text.lexical import lexical_words
from lira_rag.text.ngrams import index_terms
from tests.stores_data import document, new_index

# Written for this test: a few sentences on daily life in each script.
TEXTS = {
    "Latn-sw": "Soko linafunguliwa saa moja asubuhi. Wakulima huleta mboga na matunda. Bei ya nyanya imepanda. Mvua "
    "ilinyesha wiki nzima.",
    "Latn-yo": "Ọjà ń bẹ̀rẹ̀ ní òwúrọ̀. Àwọn àgbẹ̀ ń ta ẹ̀fọ́. Owó tòmátì ti pọ̀ sí i. Òjò rọ̀ ní gbogbo ọ̀sẹ̀.",
    "Latn-vi": "Chợ mở cửa lúc bảy giờ sáng. Nông dân bán rau và trái cây. Giá cà chua đã tăng. Trời mưa suốt cả tuần.",
    "Deva": "बाज़ार सुबह सात बजे खुलता है। किसान ताज़ी सब्ज़ियाँ लाते हैं। टमाटर महँगे हो गए हैं। पूरे हफ़्ते बारिश हुई।",
    "Beng": "বাজার সকাল সাতটায় খোলে। কৃষকেরা টাটকা সবজি আনেন। টমেটোর দাম বেড়ে গেছে। সারা সপ্তাহ বৃষ্টি হয়েছে।",
    "Guru": "ਬਾਜ਼ਾਰ ਸਵੇਰੇ ਸੱਤ ਵਜੇ ਖੁੱਲ੍ਹਦਾ ਹੈ। ਕਿਸਾਨ ਤਾਜ਼ੀਆਂ ਸਬਜ਼ੀਆਂ ਲਿਆਉਂਦੇ ਹਨ। ਟਮਾਟਰ ਮਹਿੰਗੇ ਹੋ ਗਏ। ਸਾਰਾ ਹਫ਼ਤਾ ਮੀਂਹ ਪਿਆ।",
    "Gujr": "બજાર સવારે સાત વાગ્યે ખૂલે છે. ખેડૂતો તાજાં શાકભાજી લાવે છે. ટામેટાં મોંઘાં થયાં. આખું અઠવાડિયું વરસાદ પડ્યો.",
    "Orya": "ବଜାର ସକାଳ ସାତଟାରେ ଖୋଲେ। ଚାଷୀମାନେ ପରିବା ଆଣନ୍ତି। ଟମାଟୋ ଦାମ ବଢ଼ିଛି। ସାରା ସପ୍ତାହ ବର୍ଷା ହେଲା।",
    "Taml": "சந்தை காலை ஏழு மணிக்குத் திறக்கும். விவசாயிகள் காய்கறி கொண்டு வருவார்கள். தக்காளி விலை ஏறியது. வாரம் முழுதும் மழை.",
    "Telu": "మార్కెట్ ఉదయం ఏడు గంటలకు తెరుస్తారు. రైతులు కూరగాయలు తెస్తారు. టమాటా ధర పెరిగింది. వారం అంతా వర్షం పడింది.",
    "Knda": "ಮಾರುಕಟ್ಟೆ ಬೆಳಿಗ್ಗೆ ಏಳಕ್ಕೆ ತೆರೆಯುತ್ತದೆ. ರೈತರು ತರಕಾರಿ ತರುತ್ತಾರೆ. ಟೊಮೆಟೊ ಬೆಲೆ ಏರಿದೆ. ವಾರವಿಡೀ ಮಳೆ ಬಂತು.",
    "Mlym": "ചന്ത രാവിലെ ഏഴിന് തുറക്കും. കർഷകർ പച്ചക്കറി കൊണ്ടുവരും. തക്കാളിയുടെ വില കൂടി. ആഴ്ച മുഴുവൻ മഴ പെയ്തു.",
    "Sinh": "වෙළඳපොළ උදේ හතට අරියි. ගොවියෝ එළවළු ගේති. තක්කාලි මිල ඉහළ ගියා. සතියම වැස්සා.",
    "Arab": "يفتح السوق في السابعة صباحا. يبيع المزارعون الخضار الطازجة. ارتفعت أسعار الطماطم. هطل المطر طوال الأسبوع.",
    "Arab-ur": "بازار صبح سات بجے کھلتا ہے۔ کسان تازہ سبزیاں لاتے ہیں۔ ٹماٹر مہنگے ہو گئے ہیں۔ پورا ہفتہ بارش ہوئی۔",
    "Arab-fa": "بازار ساعت هفت باز می‌شود. کشاورزان سبزی تازه می‌آورند. قیمت گوجه‌فرنگی بالا رفت. تمام هفته باران بارید.",
    "Hebr": "השוק נפתח בשבע בבוקר. החקלאים מביאים ירקות טריים. מחיר העגבניות עלה. כל השבוע ירד גשם.",
    "Cyrl": "Рынок открывается в семь утра. Крестьяне привозят свежие овощи. Помидоры подорожали. "
    "Всю неделю шёл дождь.",
    "Grek": "Η αγορά ανοίγει στις επτά το πρωί. Οι αγρότες φέρνουν λαχανικά. Οι ντομάτες ακρίβυναν. "
    "Έβρεχε όλη την εβδομάδα.",
    "Armn": "Շուկան բացվում է առավոտյան յոթին։ Գյուղացիները բանջարեղեն են բերում։ Լոլիկը թանկացել է։ "
    "Ամբողջ շաբաթ անձրև էր։",
    "Geor": "ბაზარი დილის შვიდზე იხსნება. გლეხებს ახალი ბოსტნეული მოაქვთ. პომიდორი გაძვირდა. მთელი კვირა წვიმდა.",
    "Ethi": "ገበያው ጠዋት አንድ ሰዓት ይከፈታል። ገበሬዎች ትኩስ አትክልት ያመጣሉ። የቲማቲም ዋጋ ጨመረ። ሳምንቱን ሙሉ ዘነበ።",
    "Thai": "ตลาดเปิดเจ็ดโมงเช้า ชาวนาขายผักสด ราคามะเขือเทศขึ้นแล้ว ฝนตกทั้งสัปดาห์",
    "Laoo": "ຕະຫຼາດເປີດເຈັດໂມງເຊົ້າ ຊາວນາຂາຍຜັກສົດ ລາຄາໝາກເລັ່ນຂຶ້ນ ຝົນຕົກໝົດອາທິດ",
    "Khmr": "ផ្សារបើកនៅម៉ោងប្រាំពីរព្រឹក។ កសិករលក់បន្លែស្រស់។ តម្លៃប៉េងប៉ោះឡើងថ្លៃ។ ភ្លៀងធ្លាក់ពេញមួយសប្ដាហ៍។",
    "Mymr": "ဈေးကို မနက်ခုနစ်နာရီမှာ ဖွင့်တယ်။ လယ်သမားတွေ ဟင်းသီးဟင်းရွက် ရောင်းတယ်။ ခရမ်းချဉ်သီး ဈေးတက်တယ်။ မိုးရွာတယ်။",
    "Tibt": "ཁྲོམ་ཞོགས་པ་ཆུ་ཚོད་བདུན་པར་སྒོ་འབྱེད། ཞིང་པས་ཚལ་འཚོང་། རིན་གོང་མཐོ་རུ་སོང་། ཆར་པ་བབས།",
    "Hans": "市场早上七点开门。农民出售新鲜蔬菜。西红柿涨价了。整个星期都在下雨。",
    "Hant": "市場早上七點開門。農民販賣新鮮蔬菜。番茄漲價了。整個禮拜都在下雨。",
    "Jpan": "市場は朝七時に開きます。農家は新鮮な野菜を売ります。トマトが値上がりしました。一週間ずっと雨でした。",
    "Kore": "시장은 아침 일곱 시에 엽니다. 농부들은 신선한 채소를 팝니다. 토마토 값이 올랐습니다. "
    "일주일 내내 비가 왔습니다.",
    "Mong": "ᠵᠠᠬ᠎ᠠ ᠥᠷᠯᠥᠭᠡ ᠨᠡᠭᠡᠭᠡᠳᠡᠭ᠃ ᠲᠠᠷᠢᠶᠠᠴᠢᠳ ᠨᠣᠭᠣᠭ᠎ᠠ ᠬᠤᠳᠠᠯᠳᠤᠳᠠᠭ᠃ ᠦᠨ᠎ᠡ ᠨᠡᠮᠡᠭᠳᠡᠵᠡᠢ᠃ ᠪᠣᠷᠣᠭ᠎ᠠ ᠣᠷᠣᠪᠠ᠃",
    "Nkoo": "ߟߐ߯ߝߍ ߦߋ߫ ߟߊߞߊ߬ ߛߐ߬ߜߐ߬ߡߊ. ߛߣߍߞߍߟߊ ߟߎ߬ ߦߋ߫ ߣߊߞߐ ߝߋߙߋ. ߛߐ߲߬ߜߐ ߓߘߊ߫ ߘߏ߲߬. ߛߊ߲ߖߌ ߓߘߊ߫ ߣߊ߬.",
    "Adlm": "𞤂𞤵𞤥𞤮 𞤵𞤣𞤣𞤭𞤼𞤫 𞤧𞤵𞤦𞤢𞤳𞤢. 𞤐𞤣𞤫𞤥𞤮𞤱𞤮 𞤴𞤮𞤼𞤼𞤢 𞤸𞤢𞤳𞤮. 𞤅𞤢𞤥𞤭 𞤦𞤢𞤲𞤼𞤭. 𞤎𞤮 𞤼𞤮𞤦𞤮.",
    "Olck": "ᱵᱟᱡᱟᱨ ᱥᱮᱛᱟᱜ ᱡᱷᱤᱡᱚᱜᱼᱟ ᱾ ᱪᱟᱹᱥᱤ ᱠᱚ ᱟᱲᱟᱜ ᱠᱚ ᱟᱹᱜᱩᱭᱟ ᱾ ᱫᱟᱢ ᱵᱟᱹᱲᱛᱤ ᱮᱱᱟ ᱾ ᱫᱟᱜ ᱡᱟᱹᱲᱤ ᱮᱱᱟ ᱾",
    "Java": "ꦥꦱꦂꦧꦸꦏꦏ꧀ꦗꦩ꧀ꦥꦶꦠꦸ꧉ ꦥꦠꦤꦶꦲꦢꦺꦴꦭ꧀ꦱꦪꦸꦂ꧉ ꦲꦗꦶꦠꦺꦴꦩꦠ꧀ꦩꦸꦁꦒꦃ꧉ ꦲꦸꦢꦤ꧀ꦠꦼꦫꦸꦱ꧀꧉",
    "Cans": "ᓂᐅᕕᕐᕕᒃ ᒪᑐᐃᖅᑕᐅᕗᖅ ᐅᓪᓛᒃᑯᑦ. ᐱᕈᖅᓰᔩᑦ ᓂᐅᕕᐊᒃᓴᖃᖅᐳᑦ. ᐊᑭᖓ ᖁᕝᕙᖅᐳᖅ. ᓯᓚᓗᒃᐳᖅ ᐱᓇᓱᐊᕈᓯᓕᒫᖅ.",
    "Cher": "ᎦᏃᏌ ᏑᎾᎴᎢ ᎠᏍᏚᎢᏍᎪᎢ. ᏗᎦᎶᎩᏍᎩ ᎠᎾᏓᏕᎪᎢ ᎤᏛᏒᎯ. ᏧᎬᏩᎶᏗ ᏧᎳᏑᎬᎢ. ᎠᎦᏍᎦ ᏑᎾᏙᏓᏆᏍᏗ.",
}


@pytest.fixture(scope="module")
def index() -> Iterator[PassageIndex]:
    """Every text as it is stored: cleaned, one passage."""
    with new_index(None) as made:
        made.write([document(n, passages=1, words=[index_terms(clean_document(t).text)]) for n, t in TEXTS.items()])
        yield made


def ask(index: PassageIndex, query: str, k: int = 50) -> list[str]:
    return [id_.removesuffix("#0") for id_, _ in index.lexical(index_terms(clean_query(query).text), k)]


@pytest.mark.parametrize("name", TEXTS)
def test_each_word_finds_its_document(index: PassageIndex, name: str) -> None:
    """Both the words that white space and punctuation set apart, and those that the breaker finds."""
    text = TEXTS[name]
    spaced = "".join(c if c.isalnum() or not c.isascii() else " " for c in text).split()
    found = [text[start:end] for start, end in words(text)]
    asked = {word for word in [*spaced, *found] if any(char.isalpha() for char in word)}
    assert len(asked) >= 8
    for word in asked:
        assert name in ask(index, word), word


@pytest.mark.parametrize("name", TEXTS)
def test_each_sentence_finds_its_document_first(index: PassageIndex, name: str) -> None:
    for sentence in TEXTS[name].replace("。", "。.").replace("།", "།.").replace("។", "។.").split("."):
        if sum(char.isalpha() for char in sentence) >= 4:
            assert ask(index, sentence, 1) == [name], sentence


def test_there_are_more_than_thirty_scripts_and_four_sentences_each() -> None:
    assert len({name.split("-")[0] for name in TEXTS}) >= 30


# ---------------------------------------------------------------------- names and numbers

# A text with a Latin name and a code glued in or in the digits of its script, and how people ask for them.
NAMED = {
    "Thai": ("ฉันซื้อGalaxy S24รุ่นใหม่ราคา๑๒,๙๐๐บาท", ["Galaxy S24", "s24", "galaxy", "S 24", "12,900", "12900"]),
    "Deva": ("मैंने आईफोन 15 Pro ख़रीदा, क़ीमत १,२९,९०० रुपये", ["15 Pro", "pro", "१५ pro", "129900", "1,29,900"]),
    "Beng": ("আমি Redmi Note ১২ কিনেছি, মডেল KT-২০৪", ["redmi", "Note 12", "KT-204", "kt204"]),
    "Arab": ("اشتريت هاتف Galaxy S٢٤ بسعر ١٬٥٠٠ ريال", ["galaxy", "S24", "1500", "1,500"]),
    "Arab-fa": ("گوشی iPhone ۱۵ با قیمت ۱٬۵۰۰ تومان خریدم", ["iphone 15", "iPhone", "1500"]),
    "Hani": ("我买了iPhone15Pro，型号ＫＴ－２０４", ["iPhone 15 Pro", "iphone15pro", "KT-204", "ＫＴ２０４", "pro"]),
    "Jpan": ("新しいGalaxy Ｓ２４を買いました", ["Galaxy S24", "s24", "ＧＡＬＡＸＹ"]),
    "Kore": ("갤럭시S24를 샀고 모델은 KT-204입니다", ["S24", "KT-204", "kt 204"]),
    "Laoo": ("ຂ້ອຍຊື້Galaxy S24ລາຄາ໑໒໐໐", ["galaxy", "s24", "1200"]),
    "Khmr": ("ខ្ញុំបានទិញGalaxy S24តម្លៃ១២០០ដុល្លារ", ["Galaxy", "S24", "1200"]),
    "Mymr": ("ကျွန်တော် Galaxy S24ကို ၁၂၀၀နဲ့ ဝယ်တယ်", ["galaxy s24", "1200"]),
    "Tibt": ("ངས་Galaxy S24ཉོས་པ་ཡིན། རིན་༡༢༠༠", ["galaxy", "S24", "1200"]),
    "Taml": ("நான் Galaxy S24வாங்கினேன்", ["Galaxy S24", "s24"]),
    "Telu": ("నేను Galaxy S24కొన్నాను ధర ౧౨౦౦", ["galaxy", "s24", "1200"]),
    "Mlym": ("ഞാൻ Galaxy S24വാങ്ങി", ["galaxy", "S24"]),
    "Sinh": ("මම Galaxy S24මිලදී ගත්තා", ["galaxy", "S24"]),
    "Ethi": ("Galaxy S24ን ገዛሁ፣ ሞዴል KT-204", ["galaxy", "s24", "KT204"]),
    "Cyrl": ("Я купил Galaxy S24за 1 500 рублей, модель КТ-204", ["galaxy", "S24", "КТ-204", "кт204"]),
    "Grek": ("Αγόρασα το Galaxy S24χθες", ["galaxy", "s24"]),
    "Hebr": ("קניתי את הGalaxy S24החדש", ["galaxy", "S24"]),
    "Geor": ("ვიყიდე Galaxy S24მაღაზიაში", ["galaxy", "S24"]),
    "Armn": ("Գնեցի Galaxy S24խանութից", ["galaxy", "S24"]),
    "Nkoo": ("ߒ ߓߘߊ߫ Galaxy S24 ߛߊ߲߬ ߁߂߀߀", ["galaxy", "S24", "1200"]),
    "Guru": ("ਮੈਂ Galaxy S24ਖਰੀਦਿਆ ੧੨੦੦ ਵਿੱਚ", ["galaxy", "S24", "1200"]),
}


@pytest.mark.parametrize("name", NAMED)
def test_names_codes_and_numbers_are_found_inside_other_scripts(name: str) -> None:
    text, queries = NAMED[name]
    with new_index(None) as made:
        made.write([document("it", passages=1, words=[index_terms(clean_document(text).text)])])
        made.write([document("other", passages=1, words=[["nothing", "of", "the", "kind"]])])
        for query in queries:
            terms = index_terms(clean_query(query).text)
            assert [id_ for id_, _ in made.lexical(terms, 5)] == ["it#0"], query
            missing = [term for term in lexical_words(query) if not made.lexical([term], 1) and "-" not in term]
            assert not [term for term in missing if any(char.isalpha() for char in term)], query


def test_a_zero_width_non_joiner_stays_in_the_text_and_out_of_the_terms() -> None:
    text = clean_document("می‌خواهم کتاب‌ها را ببینم").text
    assert text.count("\u200c") == 2
    terms = index_terms(text)
    assert not any("\u200c" in term for term in terms)
    assert set(index_terms("میخواهم کتابها را ببینم")) <= set(terms)
