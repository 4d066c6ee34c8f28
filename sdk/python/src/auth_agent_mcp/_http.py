"""One pool of connections to the authorization server, bounded in time and size. Not here: what answers mean.

An event loop cannot use another one's sockets, so a new loop (a test, a restart of the application) gets a new pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from ._hints import quote_for_log
from .errors import AuthServerUnavailable

Result = TypeVar("Result")

_MAX_ANSWER_BYTES = 1024 * 1024
# Below the five seconds after which node closes an idle connection, so that nothing is sent into a closing one.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4)


@dataclass(frozen=True)
class ServerAnswer:
    """An answer of the authorization server, unjudged. ``body`` is empty when it was compressed or longer than anything we asked for."""

    status: int
    headers: httpx.Headers
    body: bytes


class Pool:
    """Sends requests to the server of ``url``. ``timeout`` is seconds for the whole exchange."""

    def __init__(self, url: str, *, timeout: float, transport: httpx.AsyncBaseTransport | None) -> None:
        # Plain http is loopback, and proxies of the environment are for the world outside.
        self._trust_env = not url.lower().startswith("http:")
        self._timeout = timeout
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], form: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> ServerAnswer:
        """Sends one request. Raises AuthServerUnavailable when no whole answer arrives in time."""
        return await self._in_time(url, self._exchange(method, url, headers, form, content))

    async def peek(self, url: str, *, headers: Mapping[str, str]) -> tuple[int, httpx.Headers]:
        """Asks for an address and reads no further than the headers. Raises AuthServerUnavailable when none arrive in time."""
        return await self._in_time(url, self._headers(url, headers))

    async def _in_time(self, url: str, exchange: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await asyncio.wait_for(exchange, self._timeout)
        except (httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError, OSError) as cause:
            late = isinstance(cause, (asyncio.TimeoutError, httpx.TimeoutException))
            what = f"did not answer within {self._timeout} s" if late else "cannot be reached"
            raise AuthServerUnavailable("unreachable", detail=f"{quote_for_log(url)} {what}") from cause

    async def aclose(self) -> None:
        """Closes the connections. The next request opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _headers(self, url: str, headers: Mapping[str, str]) -> tuple[int, httpx.Headers]:
        async with self._connected().stream("GET", url, headers=headers) as response:
            return response.status_code, response.headers

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None, content: bytes | None
    ) -> ServerAnswer:
        # A redirect would carry our key elsewhere, so it is an answer like any other wrong one: httpx follows none.
        async with self._connected().stream(method, url, headers=headers, data=form, content=content) as response:
            body = bytearray()
            if response.headers.get("content-encoding", "identity") != "identity":
                return ServerAnswer(response.status_code, response.headers, b"")
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_ANSWER_BYTES:
                    return ServerAnswer(response.status_code, response.headers, b"")
            return ServerAnswer(response.status_code, response.headers, bytes(body))

    def _connected(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = httpx.AsyncClient(
                # Nothing compressed: a small answer must not unfold into a large one.
                headers={"Accept-Encoding": "identity"},
                timeout=self._timeout,
                limits=_LIMITS,
                transport=self._transport,
                trust_env=self._trust_env,
            )
        return self._client
