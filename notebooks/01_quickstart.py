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
# # Quickstart
# Documents in English, questions in Swahili, Thai and Bengali, on packaged models, without a network.

# %%
import tempfile
from pathlib import Path

from lira_rag import Lira

place = Path(tempfile.mkdtemp()) / "shop-index"
lira = Lira.create(place)
lira.add(
    [
        {"id": "delivery", "text": "Parcels to Mombasa take three working days, parcels to Bangkok two."},
        {"id": "returns", "text": "An item can be sent back free of charge within thirty days."},
        {"id": "warranty", "text": "Every kettle has a warranty of two years."},
        {"id": "payment", "text": "You can pay by card, by mobile money or in cash at the door."},
    ]
)

# %% [markdown]
# Each hit says which legs of the search found it.

# %%
for question in ["Kifurushi cha Mombasa huchukua siku ngapi?", "ส่งคืนสินค้าได้ภายในกี่วัน", "কেটলির ওয়ারেন্টি কত বছরের?"]:
    hit = lira.search(question, k=1)[0]
    print(f"{question}\n    {hit.id}: {hit.text}\n    {[(leg.leg, leg.rank) for leg in hit.legs]}")

# %% [markdown]
# Answers have numbered sources. The packaged chat model reads English only, so these are quotations; `degraded` says so.
# With `chat_url` and `chat_model` a served model answers in the user's language.

# %%
answer = lira.ask("Kifurushi cha Mombasa huchukua siku ngapi?")
print(answer.text, [source.hit.id for source in answer.sources if source.cited])
print(answer.degraded)
assert answer.sources[0].hit.id == "delivery"
lira.close()
