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
# # Bring your own corpus, and anchor it
# A few hundred sentence pairs of your own turn into a map that ties a language to English. Held-out pairs decide whether it
# is kept. The pairs here are made up on the spot from a small grammar, so that the notebook needs no data.

# %%
import json
import random
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from lira_rag import Lira
from lira_rag.agents.translators.lexicon import LexiconTranslator

place = Path(tempfile.mkdtemp())
WHO = {"mteja": "the customer", "muuzaji": "the seller", "dereva": "the driver", "rafiki": "the friend"}
DOES = {"analeta": "brings", "anauza": "sells", "anatafuta": "looks for", "anarudisha": "sends back"}
WHAT = {"birika": "a kettle", "kitabu": "a book", "simu": "a phone", "kiti": "a chair", "taa": "a lamp"}
WHEN = {"leo": "today", "kesho": "tomorrow", "jana": "yesterday", "sasa": "now"}


def pairs(count, seed=0):
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        who, does, what, when = (draw.choice(list(words.items())) for words in (WHO, DOES, WHAT, WHEN))
        text, english = (f"{who[i]} {does[i]} {what[i]} {when[i]}" for i in (0, 1))
        rows.append({"text": text, "language": "sw", "english": english})
    return rows


own = place / "pairs.jsonl"
own.write_text("\n".join(json.dumps(row) for row in pairs(200)), encoding="utf-8")

# %% [markdown]
# On the command line: `lira train arca --pairs pairs.jsonl --out maps` and `lira train lexicon --pairs pairs.jsonl --out lexicon`.
# In Python, the lexicon takes a moment:

# %%
lexicon = LexiconTranslator.fit((row["text"], row["language"], row["english"]) for row in pairs(200))
gloss, confidence = lexicon.lexicons["sw"].gloss("dereva analeta taa kesho")
print(gloss, round(confidence, 2))
assert "driver" in gloss and "lamp" in gloss

# %% [markdown]
# And the anchoring map, with its gate's verdict:

# %%
from lira_rag.arca.parallel import read_pairs
from lira_rag.arca.vectors import VectorCache
from lira_rag.encoders import load_encoder
from lira_rag.engine.bridge import run
from lira_rag.models import locate
from lira_rag.training.arca import train_maps

encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
trained = run(lambda: train_maps(read_pairs(own), encoder, place / "maps", cache=VectorCache(place / "vectors")))
for language, verdict in trained.verdicts.items():
    print(language, verdict["reason"])

# %% [markdown]
# An index searches with either, and stays valid without: maps and lexicons move questions only.

# %%
documents = [{"id": f"{w}-{d}", "text": f"Here {WHO[w]} {DOES[d]} things."} for w in WHO for d in DOES]
settings = {"maps": str(place / "maps")} if (place / "maps").is_dir() else {}
scores = {}
with Lira.create(None, chat="none", **settings) as lira:
    lira.add(documents)
    for name, translator in (("without the lexicon", None), ("with the lexicon", lexicon)):
        lira._searcher.legs.translator = translator
        right = [lira.search(f"{w} {d} taa", k=1)[0].id == f"{w}-{d}" for w in WHO for d in DOES]
        scores[name] = 100 * sum(right) / len(right)
plt.bar(list(scores), list(scores.values()))
plt.ylabel("hit@1, %")
plt.title("sw: made-up questions")
plt.show()
scores
