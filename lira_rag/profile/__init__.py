"""What serves one language at every stage, and which stage knows only English.

The English-only stages of a pipeline give no error. A `LanguageProfile` states each stage's quality and why:

* **native**: made for the language, or trained on it;
* **shared**: a rule or model for many languages that does not know this one by name;
* **english-only**: works, on English;
* **none**: nothing serves it;
* **unknown**: nobody can tell from here, such as a served chat model.

One thing can be set per language, the word and sentence breaker, and `LanguageProfile.apply` sets it. The rest is
stated, from tables in this library and what the caller says of the models.

>>> LanguageProfile.of("th", encoder_languages={"en"}).weak
('encoder', 'translation', 'phrases')
"""

from lira_rag.profile.profile import LanguageProfile
from lira_rag.profile.stages import Quality, Stage

__all__ = ["LanguageProfile", "Quality", "Stage"]
