"""Words for the developer when the fault is in the setup and callers only see 401 or 503.

The same hint at most once a minute: callers must not be able to flood a log. Values from the wire are quoted and cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

Log = Callable[[str], object]
"""Receives one line for the developer."""

_QUIET_SECONDS = 60
_MAX_DISTINCT_HINTS = 100


class Hints:
    """Wraps a log so that repeats within a minute, and floods of different lines, are dropped."""

    def __init__(self, log: Log, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._said: dict[str, float] = {}

    def __call__(self, message: str, about: str | None = None) -> None:
        """``about``: of all messages about this one a minute, where anybody can choose what they say."""
        time, repeated = self._now(), about or message
        self._said = {text: at for text, at in self._said.items() if at + _QUIET_SECONDS > time}
        if repeated in self._said or len(self._said) >= _MAX_DISTINCT_HINTS:
            return
        self._said[repeated] = time
        self._log(f"auth-agent: {message}")


def quote_for_log(value: object) -> str:
    """Quotes a value from the wire for one line of a log: no control characters, at most 300 characters."""
    return re.sub(r"[^\x20-\x7E]", "?", json.dumps(value, ensure_ascii=False))[:300]
