"""Whether the anchoring maps and the fusion head of these settings are in use, for `lira doctor`."""

from __future__ import annotations

from lira_rag.config import LiraConfig
from lira_rag.errors import LiraError

__all__ = ["fusion"]


def fusion(config: LiraConfig) -> tuple[str, str]:
    """What fuses a question with its translation, and for which languages; looks at packaged encoders that are here."""
    from lira_rag.engine.assemble import build_arca, build_head
    from lira_rag.models import CATALOG, is_pulled

    if config.encoder not in CATALOG or not is_pulled(config.encoder):
        return "told once the encoder is here", "unknown"
    try:
        found = build_head(config, build_arca(config, None))
    except LiraError as error:
        return f"cannot be used: {error}", "none"
    if found.head is None:
        return f"belief in the translation; no head: {found.absent or 'none for these settings'}", "any"
    return "LaSR's fusion head", ", ".join(found.head.card.get("languages", ()))
