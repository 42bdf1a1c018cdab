# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Why was this found?
# Legs, weights, the anchoring error, and a map of where languages lie.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lira_rag import Lira
from lira_rag.engine.bridge import run
from lira_rag.evaluation.demo_corpus import documents, questions
from lira_rag.testing import FakeTranslator

asked = [q for q in questions() if q.language in ("en", "sw", "ha", "yo", "ur")]
swahili = next(q for q in asked if q.language == "sw")
english = next(q for q in asked if q.language == "en" and q.id == swahili.id)
translator = FakeTranslator({swahili.text: [english.text]})
lira = Lira.create(None, chat="none", translator=translator)
lira.add(documents()[:60])
why = lira.explain(swahili.text)
print(why.language, round(why.language_confidence, 2), why.anchoring.sentence)
for leg in why.legs:
    print(f"{leg.leg:10} {leg.status:8} weight {leg.weight:.2f}  {leg.milliseconds:6.1f} ms  {leg.reason}")

# %% [markdown]
# A wrong translation is not believed: its anchoring error is that of unrelated texts.

# %%
translator = FakeTranslator({swahili.text: ["The president visited the new bridge on Tuesday."]})
lira.translator = lira._searcher.legs.translator = translator
wrong = lira.explain(swahili.text)
print(wrong.anchoring.sentence)
print({leg.leg: round(leg.weight, 2) for leg in wrong.legs})
assert wrong.legs[3].weight < why.legs[3].weight

# %% [markdown]
# Questions in five languages, before and after anchoring, on the two main axes (PCA).

# %%
texts, tags = [q.text for q in asked], [q.language for q in asked]
before = run(lambda: lira.arca.native.encode(texts, "query"))
after = run(lambda: lira.arca.encode(texts, "query", tags))
centre = before.mean(axis=0)
axes = np.linalg.svd(before - centre, full_matrices=False)[2][:2]
figure, places = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True)
for place, rows, title in zip(places, (before, after), ("the backbone", "anchored"), strict=True):
    for tag in sorted(set(tags)):
        own = (rows[[t == tag for t in tags]] - centre) @ axes.T
        place.scatter(*own.T, s=12, label=tag)
    place.set_title(title)
places[0].legend()
plt.show()
lira.close()
