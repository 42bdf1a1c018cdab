"""HTTP clients, one an event loop: connections belong to the loop they were opened in."""

from __future__ import annotations

import asyncio

import httpx

__all__ = ["Connections"]

LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=30.0)
"""More callers than this wait for a connection, within their own deadline."""


class Connections:
    """Gives the running loop's client; shared by everything that speaks to the same servers.

    Proxies, certificates and passwords are never taken from the environment; pass a client of your own to use them.

    Args:
        client: used as it is, in the loop it belongs to, and not closed here.
    """

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._given = client
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def client(self) -> httpx.AsyncClient:
        """The client of the running event loop, made on first use."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for old in [old for old in self._clients if old.is_closed()]:
                del self._clients[old]
            self._clients[loop] = httpx.AsyncClient(trust_env=False, limits=LIMITS)
        return self._clients[loop]

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
