"""Arca, the anchoring component: two paths, g(x) and h(T(x)), into one space by a shared adaptor."""

from lira_rag.arca.encoder import Arca

__all__ = ["Arca"]
