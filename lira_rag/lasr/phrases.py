"""What is said when the passages hold no answer, in the thirteen languages of the demo; English in all others.

Written by the project's authors with machine assistance and not reviewed by native speakers.
"""

from __future__ import annotations

from lira_rag.languages import primary_language

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
    "yo": "Mi ò mọ̀: kò sí ìdáhùn nínú àwọn ìwé tó wà.",
}


def no_answer(language: str) -> tuple[str, str]:
    """The sentence for a question in `language`, and the BCP-47 tag of the sentence ("en" where there is none).

    Raises:
        InvalidInput: `language` is no BCP-47 tag.
    """
    tag = primary_language(language)
    return (NO_ANSWER_PHRASES[tag], tag) if tag in NO_ANSWER_PHRASES else (NO_ANSWER_PHRASES["en"], "en")
