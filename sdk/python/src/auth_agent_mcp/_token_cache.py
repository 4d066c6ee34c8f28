"""Remembers good answers about tokens for a moment: at most 30 seconds and never past ``exp``, so that a revocation is felt.

Bounded, least recently used goes first. One question per token at a time. Bad answers and outages are never remembered.
Keys are hashes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ._flight import Flight
from ._verify import AuthContext

MAX_CACHE_SECONDS = 30
"""The longest a revoked token may still be served."""


class TokenCache:
    """``lifetime`` is seconds; 0 remembers nothing."""

    def __init__(self, *, lifetime: float, max_entries: int) -> None:
        self._lifetime = lifetime
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[AuthContext, float]] = OrderedDict()
        self._pending: dict[str, Flight[AuthContext]] = {}

    def find(self, token_hash: str, now: float) -> AuthContext | None:
        """The remembered answer if it still holds at ``now`` (epoch seconds)."""
        entry = self._entries.get(token_hash)
        if entry is None:
            return None
        if now >= entry[1]:
            del self._entries[token_hash]
            return None
        self._entries.move_to_end(token_hash)
        return entry[0]

    async def ask(self, token_hash: str, question: Callable[[], Awaitable[AuthContext]], now: float) -> AuthContext:
        """Asks, or joins whoever is asking about the same token, and remembers a good answer; it ages from ``now``."""
        flight = self._pending.setdefault(token_hash, Flight())

        async def asking() -> AuthContext:
            try:
                context = await question()
                if self._pending.get(token_hash) is flight:
                    self._remember(token_hash, context, now)
                return context
            finally:
                if self._pending.get(token_hash) is flight:
                    del self._pending[token_hash]

        return await flight.join(asking)

    def forget(self, token_hash: str) -> None:
        """Forgets a token, also an answer still on its way."""
        self._entries.pop(token_hash, None)
        self._pending.pop(token_hash, None)

    def _remember(self, token_hash: str, context: AuthContext, now: float) -> None:
        until = min(now + self._lifetime, context.expires_at)
        if until <= now or self._max_entries == 0:
            return
        self._entries[token_hash] = (context, until)
        self._entries.move_to_end(token_hash)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
