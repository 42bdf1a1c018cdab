"""Which documents may count as wrong answers: a false negative teaches the opposite of what is meant.

The paper names safe negative sampling and does not define it (LiRA, arXiv 2510.14466, section "LaSR"). Ours drops a
document that (a) is the query's own or another known answer, (b) is the same passage in another language, or (c) is so
near to the answer, for the frozen encoder, that it may well answer too (Moreira et al., NV-Retriever, 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NEAR", "dropped_share", "safe_negatives"]

NEAR = 0.93
"""Cosine of two passages from which one may answer what the other answers; unrelated ones have 0.7 to 0.8 with E5."""


def safe_negatives(
    positives: Tensor,
    documents: Tensor,
    positive_sources: Tensor,
    document_sources: Tensor,
    likeness: Tensor,
    near: float = NEAR,
) -> Tensor:
    """bool [n, m]: document j may be a negative of query i.

    Args:
        positives: int64 [n], or [n, p] padded with -1: ids of the documents known to answer each query.
        documents: int64 [m], ids.
        positive_sources: int64 [n], the passage that each answer is a version of; -1 is unknown.
        document_sources: int64 [m], the same of the documents.
        likeness: [n, m], the frozen encoder's cosine of each document with the query's answer.
        near: likeness from which a document is no safe negative.
    """
    known = positives.reshape(len(positives), -1)
    same = (known.unsqueeze(2) == documents).any(dim=1)
    version = (positive_sources.unsqueeze(1) == document_sources) & (document_sources >= 0)
    return ~(same | version | (likeness >= near))


def dropped_share(safe: Tensor, positives: Tensor, documents: Tensor) -> float:
    """Share, in [0, 1], of documents that are not the query's own and yet were dropped; what is logged."""
    known = positives.reshape(len(positives), -1)
    other = ~(known.unsqueeze(2) == documents).any(dim=1)
    return float((other & ~safe).sum() / other.sum().clamp(min=1))
