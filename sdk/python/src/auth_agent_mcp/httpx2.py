"""The tokens of an agent for httpx2, which the official MCP SDK 2.x speaks. Needs the package ``httpx2``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx2

from ._agent import AgentTokens

__all__ = ["AgentAuth"]


class AgentAuth(httpx2.Auth):
    """What AgentTokens is to httpx, for ``httpx2.AsyncClient``.

    >>> http = httpx2.AsyncClient(auth=AgentAuth(AgentTokens(issuer="…", client_id="…", client_secret="…")))
    """

    def __init__(self, tokens: AgentTokens) -> None:
        self._tokens = tokens

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """What ``httpx2.AsyncClient`` calls."""
        self._tokens.check_target(str(request.url))
        first = await self._tokens.token()
        request.headers["Authorization"] = f"Bearer {first}"
        # Asked before it is sent: some transports read a stream and put what they read in its place.
        repeatable = isinstance(request.stream, httpx2.ByteStream)
        response = yield request
        if response.status_code == 401 and repeatable:
            request.headers["Authorization"] = f"Bearer {await self._tokens.token(refused=first)}"
            yield request

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Refuses: a blocking client has no event loop to share one request in."""
        raise RuntimeError("AgentAuth needs httpx2.AsyncClient")
