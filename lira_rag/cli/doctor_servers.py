"""What the configured model servers say about themselves, for `lira doctor`."""

from __future__ import annotations

from typing import Any

import anyio

from lira_rag.config import LiraConfig
from lira_rag.errors import ChatError

__all__ = ["servers"]

SECONDS = 3.0


def servers(config: LiraConfig) -> list[dict[str, Any]]:
    """One row a configured URL: what it is for, whether it is well, its models and longest input; [] without URLs."""
    from lira_rag.clients.balance import split_urls

    asked = [("answers", url, config.chat_api_key) for url in split_urls(config.chat_url or "") if url]
    if config.encoder.startswith(("http://", "https://")):
        asked += [("encoder", url, config.encoder_api_key) for url in split_urls(config.encoder)]
    return [anyio.run(_row, use, url, key.get_secret_value() if key else None) for use, url, key in asked]


async def _row(use: str, url: str, key: str | None) -> dict[str, Any]:
    from lira_rag.clients import VLLMEndpoint

    endpoint = VLLMEndpoint(url, api_key=key, timeout=SECONDS, max_retries=0)
    try:
        well = all((await endpoint.health()).values())
        cards = await endpoint.models()
        names, longest = ", ".join(card.id for card in cards), cards[0].max_model_len
    except ChatError as error:
        well, names, longest = False, f"no answer ({error.kind})", None
    finally:
        await endpoint.aclose()
    return {"server": url, "for": use, "well": well, "models": names, "tokens": longest or "not told"}
