"""CorrQueue, DocQueue and consistency: gradients, known values, reference implementations, what must not matter."""

import math
from dataclasses import replace

import ir_measures
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata, spearmanr
from torch import Tensor

from lira_rag.errors import ConfigError, InvalidInput
from lira_rag.functional.negatives import dropped_share, safe_negatives
from lira_rag.losses import consistency, corr_queue, doc_queue
from lira_rag.losses.consistency import consistency_loss
from lira_rag.losses.corr_queue import corr_queue_loss, pearson, ranks, soft_ranks
from lira_rag.losses.doc_queue import (
    DocQueueSettings,
    doc_queue_loss,
    hinge_loss,
    mean_variance_loss,
    soft_ndcg_loss,
)
from lira_rag.losses.queue import FifoQueue

SETTINGS = DocQueueSettings(k=3, temperature=0.3, margin=0.4, mean=0.1, variance=2.0)


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(*shape: int, seed: int = 0) -> Tensor:
    return torch.nn.functional.normalize(values(*shape, seed=seed), dim=-1)


def problem(n: int = 4, m: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, grades with at least one positive a query, and validity with positives valid."""
    relevance = torch.zeros(n, m, dtype=torch.float64)
    relevance[torch.arange(n), torch.arange(n)] = 2.0
    relevance[0, 5] = 1.0
    valid = values(n, m, seed=3) > -0.8
    return values(n, m), relevance, valid | (relevance > 0)


@pytest.mark.parametrize("module", [corr_queue, doc_queue, consistency])
def test_each_names_its_source(module: object) -> None:
    assert "2510.14466" in module.citation  # type: ignore[attr-defined]


class TestCorrQueue:
    def test_gradients_are_those_of_differences(self) -> None:
        queue = (values(5, seed=2), values(5, seed=3))
        truth = values(6, seed=1)
        assert torch.autograd.gradcheck(
            lambda p: corr_queue_loss(p, truth, queue, temperature=0.3), (values(6).requires_grad_(),)
        )

    @given(st.integers(0, 10_000), st.integers(3, 40))
    @settings(max_examples=40, deadline=None)
    def test_parity_with_scipy(self, seed: int, count: int) -> None:
        """At a small temperature the soft Spearman is scipy's; Pearson's is scipy's at any."""
        rng = np.random.default_rng(seed)
        predicted, gold = rng.permutation(count) + rng.random(count) / 2, rng.integers(0, 5, count).astype(float)
        if np.ptp(gold) == 0:
            return
        p, y = torch.from_numpy(predicted), torch.from_numpy(gold)
        assert pearson(p, y).item() == pytest.approx(pearsonr(predicted, gold).statistic, abs=1e-9)
        loss = corr_queue_loss(p, y, alpha=0.0, temperature=1e-4).item()
        assert 1 - loss == pytest.approx(spearmanr(predicted, gold).statistic, abs=1e-9)

    def test_ranks_are_those_of_scipy_with_ties(self) -> None:
        found = torch.tensor([0.5, 2.0, 0.5, -1.0, 2.0, 2.0])
        np.testing.assert_allclose(ranks(found).numpy(), rankdata(-found.numpy()))
        torch.testing.assert_close(soft_ranks(found.double(), 1e-4).float(), ranks(found))

    def test_a_rising_line_is_nothing_and_a_falling_one_is_two(self) -> None:
        truth = torch.arange(6.0)
        assert corr_queue_loss(3 * truth + 1, truth, temperature=1e-3).item() == pytest.approx(0, abs=1e-6)
        assert corr_queue_loss(-truth, truth, temperature=1e-3).item() == pytest.approx(2, abs=1e-6)
        assert math.isfinite(corr_queue_loss(torch.ones(4), torch.arange(4.0)).item())

    def test_order_padding_and_the_split_into_queue_and_batch_do_not_matter(self) -> None:
        p, y, turn = values(8), values(8, seed=1), torch.randperm(8, generator=torch.Generator().manual_seed(0))
        whole = corr_queue_loss(p, y)
        torch.testing.assert_close(corr_queue_loss(p[turn], y[turn]), whole)
        torch.testing.assert_close(corr_queue_loss(p[:3], y[:3], (p[3:], y[3:])), whole)
        padded = torch.cat([p, torch.full((3,), 1e6, dtype=torch.float64)])
        valid = torch.arange(11) < 8
        torch.testing.assert_close(corr_queue_loss(padded, torch.cat([y, y[:3]]), valid=valid), whole)

    def test_no_gradient_flows_into_the_queue(self) -> None:
        old = values(4, seed=5).requires_grad_()
        now = values(4).requires_grad_()
        corr_queue_loss(now, values(4, seed=1), (old, values(4, seed=2))).backward()
        assert old.grad is None
        assert now.grad is not None


class TestDocQueue:
    @pytest.mark.parametrize("part", ["ndcg", "hinge", "mean_variance", "whole"])
    def test_gradients_are_those_of_differences(self, part: str) -> None:
        scores, relevance, valid = problem()
        loss = {
            "ndcg": lambda s: soft_ndcg_loss(s, relevance, valid, 3, 0.3, 1.0),
            "hinge": lambda s: hinge_loss(s, relevance, valid, 0.4),
            "mean_variance": lambda s: mean_variance_loss(s, valid & (relevance == 0), 0.1, 2.0),
            "whole": lambda s: doc_queue_loss(s, relevance, valid, SETTINGS),
        }[part]
        assert torch.autograd.gradcheck(loss, (scores.requires_grad_(),))

    @given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 12))
    @settings(max_examples=40, deadline=None)
    def test_parity_with_ir_measures(self, seed: int, m: int, k: int) -> None:
        rng = np.random.default_rng(seed)
        scores = np.stack([rng.permutation(m) for _ in range(3)]).astype(float)
        grades = rng.integers(0, 3, (3, m))
        grades[:, 0] = 1
        loss = soft_ndcg_loss(
            torch.from_numpy(scores),
            torch.from_numpy(grades).double(),
            torch.ones(3, m, dtype=torch.bool),
            k,
            temperature=1e-3,
            cut_temperature=1e-3,
        )
        qrels = [ir_measures.Qrel(str(q), str(d), int(grades[q, d])) for q in range(3) for d in range(m)]
        run = [ir_measures.ScoredDoc(str(q), str(d), scores[q, d]) for q in range(3) for d in range(m)]
        measure = ir_measures.nDCG(dcg="exp-log2") @ k
        assert 1 - loss.item() == pytest.approx(ir_measures.calc_aggregate([measure], qrels, run)[measure], abs=5e-5)

    def test_hinge_and_mean_variance_by_hand(self) -> None:
        scores = torch.tensor([[1.0, 0.8, 0.2], [0.0, 0.5, 0.3]])
        relevance = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        valid = torch.tensor([[True, True, True], [True, True, False]])
        assert hinge_loss(scores, relevance, valid, 0.4).item() == pytest.approx((0.2 / 2 + 0.0) / 2)
        found = mean_variance_loss(scores, valid & (relevance == 0), 0.4, 0.1)
        assert found.item() == pytest.approx(0.1**2 + 0.1 - 0.09)  # the second query has one negative only

    def test_order_and_padding_do_not_matter(self) -> None:
        scores, relevance, valid = problem()
        whole = doc_queue_loss(scores, relevance, valid, SETTINGS)
        rng = torch.Generator().manual_seed(4)
        rows, columns = torch.randperm(4, generator=rng), torch.randperm(7, generator=rng)
        moved = [part[rows][:, columns] for part in (scores, relevance, valid)]
        torch.testing.assert_close(doc_queue_loss(*moved, SETTINGS), whole)
        pad = torch.full((4, 2), 1e3, dtype=torch.float64)
        never = torch.zeros(4, 2, dtype=torch.bool)
        wider = (torch.cat([scores, pad], 1), torch.cat([relevance, pad], 1), torch.cat([valid, never], 1))
        torch.testing.assert_close(doc_queue_loss(*wider, SETTINGS), whole)

    def test_a_batch_in_pieces_has_the_same_loss(self) -> None:
        scores, relevance, valid = problem(8, 9)
        parts = [doc_queue_loss(scores[i : i + 1], relevance[i : i + 1], valid[i : i + 1], SETTINGS) for i in range(8)]
        torch.testing.assert_close(torch.stack(parts).mean(), doc_queue_loss(scores, relevance, valid, SETTINGS))

    def test_a_query_without_a_positive_adds_no_ranking_loss(self) -> None:
        scores, relevance, valid = problem()
        more = torch.cat([scores, values(1, 7, seed=9)])
        with_one = (more, torch.cat([relevance, torch.zeros(1, 7)]), torch.cat([valid, valid[:1]]))
        alone = replace(SETTINGS, mean_variance=0.0)
        torch.testing.assert_close(doc_queue_loss(*with_one, alone), doc_queue_loss(scores, relevance, valid, alone))
        nothing = doc_queue_loss(scores, 0 * relevance, valid, alone)
        assert nothing.item() == 0

    @pytest.mark.parametrize(("name", "value"), [("k", 0), ("temperature", 0.0), ("hinge", -1.0)])
    def test_settings_are_checked_by_name(self, name: str, value: float) -> None:
        with pytest.raises(ConfigError, match=name):
            DocQueueSettings(**{name: value})  # type: ignore[arg-type]


class TestConsistency:
    def test_gradients_are_those_of_differences(self) -> None:
        """With a given teacher; the mean of the forms carries no gradient, so differences would see what it may not."""
        documents, teacher = unit(6, 4, seed=1), unit(3, 4, seed=2)
        assert torch.autograd.gradcheck(
            lambda f: consistency_loss(f, documents, teacher, temperature=0.5), (unit(2, 3, 4).requires_grad_(),)
        )

    def test_it_is_torchs_kl(self) -> None:
        forms, documents, teacher = unit(2, 3, 4), unit(6, 4, seed=1), unit(3, 4, seed=2)
        target = torch.distributions.Categorical(logits=teacher @ documents.T / 0.5)
        ours = torch.distributions.Categorical(logits=forms @ documents.T / 0.5)
        expected = torch.distributions.kl_divergence(target, ours).mean()
        torch.testing.assert_close(consistency_loss(forms, documents, teacher, temperature=0.5), expected)

    @pytest.mark.parametrize("teacher", [False, True])
    def test_equal_forms_cost_nothing_and_no_gradient_flows_into_the_teacher(self, teacher: bool) -> None:
        one, documents = unit(3, 4), unit(6, 4, seed=1)
        held = one.clone().requires_grad_() if teacher else None
        assert consistency_loss(torch.stack([one, one]), documents, held).item() == pytest.approx(0, abs=1e-9)
        forms = unit(2, 3, 4, seed=5).requires_grad_()
        consistency_loss(forms, documents, held).backward()
        assert forms.grad is not None
        assert held is None or held.grad is None

    @pytest.mark.parametrize("teacher", [None, unit(3, 4, seed=2)])
    def test_order_and_missing_forms_do_not_matter(self, teacher: Tensor | None) -> None:
        forms, documents = unit(2, 3, 4), unit(6, 4, seed=1)
        whole = consistency_loss(forms, documents, teacher, temperature=0.5)
        turn = torch.tensor([2, 0, 1])
        moved = consistency_loss(
            forms.flip(0)[:, turn], documents.flip(0), None if teacher is None else teacher[turn], temperature=0.5
        )
        torch.testing.assert_close(moved, whole)
        third = torch.cat([forms, unit(1, 3, 4, seed=8)])
        valid = torch.tensor([[True] * 3, [True] * 3, [False] * 3])
        torch.testing.assert_close(consistency_loss(third, documents, teacher, temperature=0.5, valid=valid), whole)


class TestFifoQueue:
    @given(st.lists(st.integers(0, 7), max_size=12), st.integers(1, 9))
    @settings(max_examples=60, deadline=None)
    def test_it_is_the_tail_of_all_that_was_pushed(self, sizes: list[int], capacity: int) -> None:
        """However the entries are cut into pushes: 1 x 8 is 8 x 1."""
        stream = torch.arange(sum(sizes))
        queue, start = FifoQueue(capacity), 0
        for size in sizes:
            queue.push(number=stream[start : start + size], vector=stream[start : start + size, None].float())
            start += size
        if sizes:
            assert queue["number"].tolist() == stream[-capacity:].tolist()
            assert queue["vector"].tolist() == [[float(n)] for n in stream[-capacity:]]
        assert len(queue) == min(capacity, sum(sizes))

    def test_entries_are_detached_copies(self) -> None:
        queue, row = FifoQueue(4), torch.ones(2, 3, requires_grad=True)
        queue.push(vector=row)
        assert not queue["vector"].requires_grad
        with torch.no_grad():
            row.zero_()
        assert queue["vector"].sum() == 6

    def test_it_goes_on_from_its_state(self) -> None:
        one = FifoQueue(3)
        one.push(number=torch.arange(5))
        other = FifoQueue(3)
        other.restore("docs", {**one.state("docs"), "pairs.number": torch.zeros(1)})
        for queue in (one, other):
            queue.push(number=torch.tensor([9]))
        assert one["number"].tolist() == other["number"].tolist() == [3, 4, 9]

    def test_wrong_columns_are_refused(self) -> None:
        queue = FifoQueue(3)
        queue.push(number=torch.arange(2))
        for columns in ({"other": torch.arange(2)}, {"number": torch.arange(2), "vector": torch.arange(3)}):
            with pytest.raises(InvalidInput, match="column"):
                queue.push(**columns)
        with pytest.raises(InvalidInput, match="vector"):
            queue["vector"]
        with pytest.raises(ConfigError, match="capacity"):
            FifoQueue(0)


class TestSafeNegatives:
    def test_each_rule_drops_its_own(self) -> None:
        """Documents: the answer, the answer in another language, a near twin, an honest negative."""
        documents, sources = torch.tensor([10, 11, 12, 13]), torch.tensor([1, 1, -1, 2])
        likeness = torch.tensor([[1.0, 0.9, 0.97, 0.5]])
        safe = safe_negatives(torch.tensor([10]), documents, torch.tensor([1]), sources, likeness, near=0.95)
        assert safe.tolist() == [[False, False, False, True]]
        assert dropped_share(safe, torch.tensor([10]), documents) == pytest.approx(2 / 3)

    def test_unknown_sources_are_not_equal_and_every_known_answer_is_dropped(self) -> None:
        documents, sources = torch.tensor([10, 11, 12]), torch.tensor([-1, -1, -1])
        positives = torch.tensor([[10, 12], [11, -1]])
        safe = safe_negatives(positives, documents, torch.tensor([-1, -1]), sources, torch.zeros(2, 3))
        assert safe.tolist() == [[False, True, False], [True, False, True]]
        assert dropped_share(safe, positives, documents) == 0
