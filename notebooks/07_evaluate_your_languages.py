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
# # Evaluate your languages
# Query × document language, per-language bars with intervals, gap to the best language.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lira_rag import Lira
from lira_rag.evaluation.demo_corpus import distractors, documents, questions
from lira_rag.reports import Asked, evaluate

LANGUAGES = ("en", "sw", "th")
asked = [q for q in questions() if q.language in LANGUAGES]
lira = Lira.create(None, chat="none")
lira.add([*documents(), *[page for page in distractors() if page.language in LANGUAGES]])
report = evaluate(lira, [Asked(q.id, q.text, q.language, q.grades) for q in asked])

# %%
tags = [tag for tag in LANGUAGES if tag in report.languages]
means = [report.languages[tag].ndcg.mean for tag in tags]
spans = [(report.languages[tag].ndcg.low, report.languages[tag].ndcg.high) for tag in tags]
errors = np.array([[mean - low, high - mean] for mean, (low, high) in zip(means, spans, strict=True)]).T
plt.bar(tags, means, yerr=errors, capsize=4)
plt.ylabel("nDCG@10")
plt.show()
assert len(means) == len(LANGUAGES)

# %% [markdown]
# The same by language of question and document. An empty cell has no questions whose answer is in that language.

# %%
rows, columns = (sorted({pair[side] for pair in report.matrix}) for side in (0, 1))
heat = np.full((len(rows), len(columns)), np.nan)
for (question, document), row in report.matrix.items():
    heat[rows.index(question), columns.index(document)] = row.ndcg.mean
plt.imshow(heat, vmin=0, vmax=100)
plt.xticks(range(len(columns)), columns)
plt.yticks(range(len(rows)), rows)
plt.xlabel("document")
plt.ylabel("question")
plt.colorbar(label="nDCG@10")
plt.show()
assert heat.shape[0] == len(LANGUAGES)

# %% [markdown]
# The whole report shows itself, with exposure and calibration; `report.to_html()` and `lira eval index` write it.

# %%
report

# %%
lira.close()
