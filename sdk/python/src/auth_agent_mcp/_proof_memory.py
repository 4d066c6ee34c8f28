"""Remembers which DPoP proofs were used (RFC 9449 §11.1), so that none works twice.

In memory and bounded; several processes behind one address share one through the option ``proof_memory``.
"""

from __future__ import annotations

from typing import Protocol

_MAX_ENTRIES = 500_000
"""Enough for 1600 requests a second with proofs."""


class ProofMemory(Protocol):
    """Remembers used proofs. Give one that all processes of an MCP server share, e.g. ``SET id 1 NX EXAT expires_at`` of Redis."""

    async def use_once(self, proof_id: str, expires_at: int, now: float) -> bool:
        """Uses an id once: True the first time, False while it is remembered. Epoch seconds; an id has 43 characters."""
        ...


class InProcessMemory:
    """When it is full of proofs that still could be repeated, new ones are refused: nothing is forgotten early."""

    def __init__(self, max_entries: int = _MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._used: dict[str, int] = {}
        self._swept_at = 0.0

    async def use_once(self, proof_id: str, expires_at: int, now: float) -> bool:
        """See ProofMemory."""
        if self._used.get(proof_id, 0) > now:
            return False
        # Seldom, because it looks at everything; always before anybody is turned away, but once a second.
        waited = now - self._swept_at
        if waited >= 60 or (len(self._used) >= self._max_entries and waited >= 1):
            self._swept_at = now
            self._used = {one: until for one, until in self._used.items() if until > now}
        if len(self._used) >= self._max_entries:
            return False
        self._used[proof_id] = expires_at
        return True
