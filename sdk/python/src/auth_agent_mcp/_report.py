"""Tells the authorization server what agents did here: names of actions, whether they were allowed, what scope they lacked.

Never arguments, paths, queries or bodies. In batches, a second after the first, a refusal at once: the person may be
asked for more in the next moment, and is told why. Best effort: a report that fails is forgotten, and no call waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._tool_call import Body
from .errors import AuthServerUnavailable

if TYPE_CHECKING:
    from ._authorization_server import AuthorizationServer

DELAY_SECONDS = 1.0
_JSON = re.compile(r"application/json\s*(;|$)", re.IGNORECASE)
_MAX_PEEKED_BYTES = 64 * 1024
_MAX_NAME = 100
_MAX_TOKENS = 1000
_MAX_ACTIONS = 100
_MAX_COUNT = 1000
_MAX_MISSING = 10

_Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Call:
    """One call: with which token, and what it was."""

    token: str
    action: str


class Reporter:
    """The reporter of one MCP server. Without an API key, or when switched off, it does nothing."""

    def __init__(self, server: AuthorizationServer, *, on: bool) -> None:
        self.on = on
        self._server = server
        self._waiting: dict[str, dict[_Key, int]] = {}
        self._unknown_there = False
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._sent_at = -DELAY_SECONDS

    def allowed(self, call: Call) -> None:
        """Notes a call that may pass."""
        self._note(call, (call.action, "allowed", ()))

    def refused(self, call: Call, missing: Sequence[str], *, instead: bool = False) -> None:
        """Notes a call that may not. ``instead``: it was noted as allowed, and a later check said no."""
        counts, before = self._waiting.get(call.token, {}), (call.action, "allowed", ())
        if instead and counts.get(before, 0) > 0:
            counts[before] -= 1
        self._note(call, (call.action, "refused", tuple(missing[:_MAX_MISSING])))

    async def aclose(self) -> None:
        """Sends what waits, now."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait({task})
        await self.flush()

    async def flush(self) -> None:
        """Sends what waits."""
        gathered, self._waiting = self._waiting, {}
        self._sent_at = time.monotonic()
        for token, counts in gathered.items():
            actions = [_entry(key, count) for key, count in counts.items() if count > 0]
            # Who does not answer one report answers none of those that wait behind it.
            if actions and not await self._send(json.dumps({"token": token, "actions": actions}).encode()):
                break

    def _note(self, call: Call, key: _Key) -> None:
        if not self.on or self._unknown_there:
            return
        counts = self._waiting.get(call.token, {})
        if key in counts or (len(counts) < _MAX_ACTIONS and (counts or len(self._waiting) < _MAX_TOKENS)):
            counts[key] = min(counts.get(key, 0) + 1, _MAX_COUNT)
            self._waiting[call.token] = counts
        loop = asyncio.get_running_loop()
        # A loop that has ended took its task along.
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._hurry = asyncio.Event()
            self._task = loop.create_task(self._flush_soon(self._hurry))
        # Once a second at most, whatever an agent keeps trying.
        if key[1] == "refused" and time.monotonic() - self._sent_at >= DELAY_SECONDS:
            self._hurry.set()

    async def _flush_soon(self, hurry: asyncio.Event) -> None:
        while self._waiting:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(hurry.wait(), DELAY_SECONDS)
            hurry.clear()
            await self.flush()

    async def _send(self, report: bytes) -> bool:
        """Whether another one may follow."""
        try:
            self._unknown_there = await self._server.report(report) == 404
        except AuthServerUnavailable:
            return False
        return not self._unknown_there


def action_of(method: str, content: bytes | None) -> str:
    """What a request calls: its tools or its method of JSON-RPC, else the HTTP method. Paths can carry values, so they are not told."""
    names = [] if content is None else Body(content).names()
    name = "batch" if len(names) > 1 else next(iter(names), method)
    return name[:_MAX_NAME] or method


def may_hold_action(method: str, headers: Mapping[str, str]) -> bool:
    """Whether the body may be read for the name of the action: small JSON."""
    length = headers.get("content-length", "")
    small = re.fullmatch(r"[0-9]{1,6}", length) is not None and int(length) <= _MAX_PEEKED_BYTES
    return method == "POST" and small and _JSON.match(headers.get("content-type", "")) is not None


def _entry(key: _Key, count: int) -> dict[str, object]:
    action, outcome, missing = key
    return {"action": action, "outcome": outcome, "count": count, **({"missing": list(missing)} if missing else {})}
