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
# # LangChain: a RAG chain, an agent's tool, a middleware

# %%
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_lira import ChatLira, LiraRetriever, lasr_chain, lira_tool

from lira_rag import Lira

lira = Lira.create(None)
lira.add(
    [
        {"id": "delivery", "text": "Parcels to Mombasa take three working days, parcels to Bangkok two."},
        {"id": "returns", "text": "An item can be sent back free of charge within thirty days."},
        {"id": "warranty", "text": "Every kettle has a warranty of two years."},
    ]
)
retriever = LiraRetriever(lira=lira, k=2)
for document in retriever.invoke("Birika ina dhamana ya miaka mingapi?"):
    print(document.page_content, document.metadata.get("legs", ""))

# %% [markdown]
# A chain of LangChain's own parts. `ChatLira` is the packaged model; in your application it is a `ChatOpenAI(base_url=…)`.

# %%
prompt = ChatPromptTemplate.from_template("{passages}\n\nAnswer in one sentence: {question}")
chain = (
    {"passages": retriever, "question": RunnablePassthrough()} | prompt | ChatLira(chat=lira.chat) | StrOutputParser()
)
print(chain.invoke("How long is the warranty of a kettle?"))

# %% [markdown]
# `lasr_chain` answers in the user's language with checked citations, and streams.

# %%
answering = lasr_chain(retriever)
answer = answering.invoke("Kifurushi cha Mombasa huchukua siku ngapi?")
print(answer["text"], answer["language"], answer["degraded"])
assert answer["sources"][0]["id"] == "delivery"
for chunk in answering.stream("How long do parcels to Bangkok take?"):
    print(list(chunk)[:4])

# %% [markdown]
# A tool for agents, whose artifact is the passages themselves:

# %%
tool = lira_tool(retriever)
message = tool.invoke({"name": tool.name, "args": {"query": "ส่งคืนสินค้าได้ภายในกี่วัน"}, "id": "1", "type": "tool_call"})
print(message.content)
print([document.metadata.get("id") for document in message.artifact])

# %% [markdown]
# `create_agent(model, [tool], middleware=[AnswerLanguageMiddleware(…)])` keeps the agent's answers in the user's language:
# one retry, then a translation, else an honest statement. `lira_graph(lira)` is the search as a LangGraph graph.

# %%
from langchain_lira import lira_graph

print(lira_graph(lira).get_graph().draw_mermaid()[:400])
lira.close()
