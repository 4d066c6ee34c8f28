"""What an application hears and says while it answers, until the access under which it streams events has ended.

From then on everything is as if the caller had hung up, which every application has to expect: ``receive`` says
``http.disconnect``, ``send`` raises OSError (ASGI 2.4). The caller sees the stream end. Not here: when access ends (_stream_watch.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import anyio

from ._stream_watch import is_event_stream

if TYPE_CHECKING:
    from starlette.types import Message


class EventStream:
    """One answer. Without ``access_ended``, and while no events are streamed, messages only pass."""

    def __init__(
        self,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        access_ended: Callable[[], Coroutine[Any, Any, None]] | None,
    ) -> None:
        self._receive = receive
        self._send = send
        self._access_ended = access_ended
        self.ended = False
        """Whether it was ended here, and not by the application or the caller."""
        self._request_read = False
        self._listening: set[anyio.CancelScope] = set()
        # Made for those who need them: most answers are over in two messages.
        self._sending: asyncio.Lock | None = None
        self._watch: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """The next message of the caller."""
        if self._access_ended is None:
            return await self._receive()
        if not self._request_read:
            message = await self._receive()
            self._request_read = not message.get("more_body", False)
            return message
        # Whoever still listens waits for the caller to hang up.
        if not self.ended:
            # Not in a task of ours: Starlette's is_disconnected takes only what comes without waiting.
            with anyio.CancelScope() as listening:
                self._listening.add(listening)
                try:
                    return await self._receive()
                finally:
                    self._listening.discard(listening)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Raises OSError when the stream was ended."""
        if self._sending is None:
            if self._access_ended is None or not _begins_events(message):
                await self._send(message)
                return
            self._sending = asyncio.Lock()
            self._watch = asyncio.ensure_future(self._end_with(self._access_ended, self._sending))
        async with self._sending:
            if self.ended:
                raise OSError("The stream has ended, because the access under which it was opened has")
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.stop()
            await self._send(message)

    def stop(self) -> None:
        """The answer is complete: nothing is left to be ended."""
        if self._watch is not None:
            self._watch.cancel()

    async def _end_with(self, access_ended: Callable[[], Coroutine[Any, Any, None]], sending: asyncio.Lock) -> None:
        await access_ended()
        async with sending:
            self.ended = True
            for listening in self._listening:
                listening.cancel()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _begins_events(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    return any(name.lower() == b"content-type" and is_event_stream(value) for name, value in message.get("headers", ()))
