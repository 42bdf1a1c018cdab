"""Whatever a judge writes and whatever critics say, what comes out keeps its promises."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lira_rag.agents.actor import RewardActor
from lira_rag.agents.judge_prompt import judge_messages
from lira_rag.agents.stages import merge
from lira_rag.agents.verdicts import BadReply, parse_verdicts
from lira_rag.functional.reward import RewardWeights, feature_rows, rewards
from lira_rag.protocols import Scores
from lira_rag.schema import Translation

grades = st.none() | st.floats(1, 10)
scores = st.builds(Scores, grades, grades, grades, st.none() | st.floats(-1, 1))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["scores", "candidate", "fidelity", "emotion", "tone", "x"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)
entries = st.fixed_dictionaries({k: st.integers(-1, 12) | values for k in ("candidate", "fidelity", "emotion", "tone")})


@settings(deadline=None)
@given(st.text() | values.map(json.dumps) | st.lists(entries, max_size=4).map(lambda e: json.dumps({"scores": e})))
def test_a_reply_gives_scores_in_range_or_reasons_or_is_refused(reply: str) -> None:
    try:
        found = parse_verdicts(reply, 3)
    except BadReply as error:
        assert str(error)
        return
    assert len(found) == 3
    for one in found:
        said = (one.fidelity, one.emotion, one.tone)
        assert bool(one.reason) == (said == (None, None, None))
        assert all(value is None or 1 <= value <= 10 for value in said)


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_every_text_stays_on_its_line_of_the_prompt(texts: list[str]) -> None:
    user = judge_messages(texts[0], texts, "sw", "en")[1]["content"]
    plain = judge_messages("x", ["y"] * len(texts), "sw", "en")[1]["content"]
    assert len(user.splitlines()) == len(plain.splitlines())
    shown = user.splitlines()[1 : len(texts) + 2]
    assert [json.loads(line.partition(": ")[2]) for line in shown] == [texts[0], *texts]


@settings(deadline=None)
@given(st.lists(scores, min_size=1, max_size=5))
def test_rewards_stay_in_the_range_of_their_scores(said: list[Scores]) -> None:
    weights = RewardWeights(0.4, 0.1, 0.1, 0.4)
    found = rewards(feature_rows(said), weights)
    assert len(found) == len(said)
    assert all(math.isnan(r) for r in found) or all(-1.0001 <= r <= 1.0001 for r in found)
    choice = RewardActor(weights).choose(said)
    assert sum(choice.probabilities) == pytest.approx(1.0)
    assert math.isnan(found[0]) or found[choice.index] == found.max()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=6)), max_size=8))
def test_merging_loses_no_text_and_repeats_none(pairs: list[tuple[str, str]]) -> None:
    found = [(name, [Translation(text, name) for who, text in pairs if who == name]) for name in "ab"]
    merged = merge(found, "en")
    keys = [" ".join(c.text.casefold().split()) for c in merged]
    assert len(keys) == len(set(keys))
    assert {name for c in merged for name in c.translators} == {name for name, _ in pairs}
    assert all(c.objections for c in merged if not c.text)
