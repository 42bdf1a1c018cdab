"""A fake encoder for which a question and a passage are different things, as they are for E5."""

from collections.abc import Sequence

from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder

__all__ = ["Apart"]


class Apart(FakeEncoder):
    """Puts the kind before every text."""

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        return await super().encode([f"{kind} {text}" for text in texts], kind)
