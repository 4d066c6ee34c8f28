"""The client of the authorization server for code without an event loop: WSGI applications, workers, scripts.

Not here: what a token is worth (_client.py). One event loop in a thread of its own asks for all callers, who so share a
cache and connections.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._client import AuthAgentClient
from ._options import AuthAgentOptions
from ._server_metadata import ServerMetadata
from ._verify import AuthContext
from .errors import AuthServerUnavailable

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

__all__ = ["BlockingAuthAgentClient"]

Result = TypeVar("Result")


class BlockingAuthAgentClient:
    """``AuthAgentClient`` with methods that wait. Any number of threads may share one, and a process that was forked may go on with it.

    >>> client = BlockingAuthAgentClient(server_id="srv_abc123", api_key="sk_xyz789")
    >>> auth = client.validate_token(token)
    """

    def __init__(self, **options: Unpack[AuthAgentOptions]) -> None:
        """Raises ValueError naming the option that is missing or wrong."""
        self._client = AuthAgentClient(**options)
        # Held while it closes: what is asked meanwhile waits and begins anew. A handler of signals may close it once more.
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: int | None = None

    def validate_token(self, token: str) -> AuthContext:
        """As ``AuthAgentClient.validate_token``: raises AuthenticationError, AuthServerUnavailable."""
        return self._wait(self._client.validate_token(token))

    def introspect_token(self, token: str) -> dict[str, Any]:
        """As ``AuthAgentClient.introspect_token``: ``{"active": False}`` for whatever is not good, raises AuthServerUnavailable."""
        return self._wait(self._client.introspect_token(token))

    def revoke_token(self, token: str) -> None:
        """As ``AuthAgentClient.revoke_token``: raises AuthServerUnavailable."""
        self._wait(self._client.revoke_token(token))

    def get_server_metadata(self) -> ServerMetadata:
        """As ``AuthAgentClient.get_server_metadata``: raises AuthServerUnavailable when it was never read before."""
        return self._wait(self._client.get_server_metadata())

    def close(self) -> None:
        """Closes the connections and ends the thread. What is asked afterwards begins anew.

        Whoever still waits for an answer gets AuthServerUnavailable.
        """
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is None or self._process != os.getpid():
                return
            try:
                asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            finally:
                loop.call_soon_threadsafe(loop.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _wait(self, question: Coroutine[Any, Any, Result]) -> Result:
        # Handed over under the lock: a loop that has ended would never look at it.
        with self._lock:
            answer = asyncio.run_coroutine_threadsafe(question, self._running_loop())
        try:
            return answer.result()
        except CancelledError:
            raise AuthServerUnavailable("closed") from None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        # A fork takes the loop along, but not the thread it ran in.
        if self._loop is None or self._process != os.getpid():
            self._loop, self._process = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_run, args=(self._loop,), name="auth-agent", daemon=True).start()
        return self._loop

    async def _end(self) -> None:
        """Ends what is under way before its loop does: a task left behind would never tell who waits for it."""
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._client.aclose()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
