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
# # vLLM: serve, connect, balance
# `lira serve llm MODEL` prints and runs the right command for your machine. Two fake servers stand for it here, so that the
# notebook runs anywhere; give real addresses in their place.

# %%
from typer.testing import CliRunner

from lira_rag import Lira
from lira_rag.cli.app import app
from lira_rag.testing.server import FaultServer, Step, completion

print(CliRunner().invoke(app, ["serve", "llm", "smollm2-135m", "--dry-run"]).output)

# %% [markdown]
# Two servers behind one index: calls go to the one with the fewest running, a dead one leaves the rotation, and while no
# server answers, the best sentence is quoted, and said so.

# %%
QUESTION = "How long is the warranty of a kettle?"
TEXTS = [{"id": "warranty", "text": "Every kettle has a warranty of two years."}]
good = completion("Every kettle has a warranty of two years. [1]")
dead = Step(reset=True)


async def ask(first, second):
    async with FaultServer(then=first) as one, FaultServer(then=second) as two:
        with Lira.create(None, chat_url=[one.base_url, two.base_url], chat_model="any") as lira:
            await lira.aadd(TEXTS)
            answer = await lira.aask(QUESTION, deadline=20)
            return answer, len(one.received), len(two.received)


for name, first, second in (("both up", good, good), ("one dead", dead, good), ("both dead", dead, dead)):
    answer, *calls = await ask(first, second)
    print(f"{name}: {answer.text} by {answer.model}, requests {calls}, {answer.degraded}")
    assert "two years" in answer.text
