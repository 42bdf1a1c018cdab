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
# # A multilingual chatbot
# A conversation whose language may change with every turn. `lira chat INDEX` is this in a terminal, `lira ui INDEX` in a
# browser.

# %%
from lira_rag import Conversation, Lira
from lira_rag.evaluation.demo_corpus import documents

lira = Lira.create(None)
lira.add(documents()[:60])
talk = Conversation(lira)

# %%
for question in ["Kifurushi changu kitafika lini?", "ฉันจะคืนสินค้าได้อย่างไร", "And how long does the refund take?"]:
    answer = talk.ask(question)
    print(f"[{answer.question_language}] {question}\n[{answer.language}] {answer.text}")
    print("    ", [source.hit.id for source in answer.sources if source.cited], answer.degraded[:1], "\n")

# %% [markdown]
# Streaming: a draft is shown while it is written, and taken back ("reset") when a check fails.

# %%
for event in talk.stream("What can I do if my parcel is damaged?"):
    print(event.kind, (event.text or (event.answer and event.answer.text) or "")[:100])
assert event.kind == "answer"
lira.close()
