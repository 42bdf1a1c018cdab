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
# # LlamaIndex: query engine, chat engine, workflow

# %%
from llama_index.core import Document
from llama_index.retrievers.lira import LaSRQueryEngine, LiraChatEngine, LiraNodeParser, LiraRetriever

from lira_rag import Lira

nodes = LiraNodeParser(chunk_size=64, chunk_overlap=0).get_nodes_from_documents(
    [Document(text="पार्सल तीन दिन में पहुँचता है। सामान तीस दिन में लौटाया जा सकता है। केतली पर दो साल की वारंटी है।")]
)
print([node.text for node in nodes])

# %%
lira = Lira.create(None)
lira.add(
    [
        {"id": "delivery", "text": "Parcels to Mombasa take three working days, parcels to Bangkok two."},
        {"id": "returns", "text": "An item can be sent back free of charge within thirty days."},
        {"id": "warranty", "text": "Every kettle has a warranty of two years."},
    ]
)
retriever = LiraRetriever(lira, similarity_top_k=2)
for found in retriever.retrieve("Birika ina dhamana ya miaka mingapi?"):
    print(round(found.score, 3), found.text)

# %% [markdown]
# The documented way to vLLM is `OpenAILike(api_base="http://127.0.0.1:8000/v1", model=…, is_chat_model=True)` as `llm`.
# Without one the index's own chat model answers, or quotes.

# %%
engine = LaSRQueryEngine(retriever)
response = engine.query("Kifurushi cha Mombasa huchukua siku ngapi?")
print(response, [node.node_id for node in response.source_nodes])
assert "three working days" in str(response)

# %%
chat = LiraChatEngine(retriever)
print(chat.chat("How long is the warranty of a kettle?"))
print(chat.chat("ส่งคืนสินค้าได้ภายในกี่วัน"))
lira.close()
