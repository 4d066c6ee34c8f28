"""The tokens of an agent for httpx2, which the official MCP SDK 2.x speaks. Needs the package ``httpx2``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping

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
        # Asked before it is sent: some transports read a stream and put what they read in its place.
        repeatable = isinstance(request.stream, httpx2.ByteStream)
        attempts = self._tokens.attempts(request.method, str(request.url), repeatable=repeatable)
        answered: tuple[int, Mapping[str, str]] | None = None
        while (headers := await attempts.asend(answered)) is not None:
            request.headers.update(headers)
            response = yield request
            answered = (response.status_code, response.headers)

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Refuses: a blocking client has no event loop to share one request in."""
        raise RuntimeError("AgentAuth needs httpx2.AsyncClient")
