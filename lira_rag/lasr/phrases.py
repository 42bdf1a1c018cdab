"""What is said when the passages hold no answer, in the languages of the demo; English in all others.

Written by the project's authors with machine assistance and not reviewed by native speakers.
"""

from __future__ import annotations

from lira_rag.languages import normalize_tag, primary_language

__all__ = ["NO_ANSWER_PHRASES", "no_answer"]

NO_ANSWER_PHRASES: dict[str, str] = {
    "en": "I do not know: the indexed documents hold no answer.",
    "bn": "আমি জানি না: সূচিভুক্ত নথিগুলিতে এর উত্তর নেই।",
    "id": "Saya tidak tahu: dokumen yang tersedia tidak memuat jawabannya.",
    "ms": "Saya tidak tahu: dokumen yang ada tidak mengandungi jawapannya.",
    "ur": "مجھے معلوم نہیں: دستیاب دستاویزات میں اس کا جواب نہیں ہے۔",
    "th": "ฉันไม่ทราบ เพราะเอกสารที่มีอยู่ไม่มีคำตอบ",
    "fil": "Hindi ko alam: walang sagot sa mga dokumentong mayroon dito.",
    "vi": "Tôi không biết: các tài liệu hiện có không có câu trả lời.",
    "sw": "Sijui: hati zilizopo hazina jibu.",
    "hi": "मुझे नहीं पता: उपलब्ध दस्तावेज़ों में इसका उत्तर नहीं है।",
    "am": "አላውቅም፤ ባሉት ሰነዶች ውስጥ መልሱ የለም።",
    "ha": "Ban sani ba: babu amsar a cikin takardun da ake da su.",
    "hi-Latn": "Mujhe nahin pata: uplabdh dastavezon mein iska uttar nahin hai.",
    "ur-Latn": "Mujhe maloom nahin: dastyab dastavezaat mein is ka jawab nahin hai.",
    "bn-Latn": "Ami jani na: suchibhukto nothigulite er uttor nei.",
    "yo": "Mi ò mọ̀: kò sí ìdáhùn nínú àwọn ìwé tó wà.",
}


def no_answer(language: str) -> tuple[str, str]:
    """The sentence for a question in `language`, and the BCP-47 tag of the sentence ("en" where there is none).

    A question in Latin letters is answered in them: ``hi-Latn`` has a sentence of its own.

    Raises:
        InvalidInput: `language` is no BCP-47 tag.
    """
    whole = normalize_tag(language)
    tag = whole if whole in NO_ANSWER_PHRASES else primary_language(language)
    return (NO_ANSWER_PHRASES[tag], tag) if tag in NO_ANSWER_PHRASES else (NO_ANSWER_PHRASES["en"], "en")
