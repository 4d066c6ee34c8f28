"""An event stream outlives the judgement of the request that opened it: while one is open, its token is asked about again.

The stream ends when the access did. Not here: what a stream is made of (_asgi.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from ._client import AuthAgentClient
from ._token_cache import MAX_CACHE_SECONDS
from ._verify import CLOCK_SKEW_SECONDS

_GRACE_SECONDS = 300
"""A call that began under a good token may finish: once it has ended by its time nobody can say whether its grant still stands."""
_EVENT_STREAM = re.compile(rb"\s*text/event-stream\s*(;|$)", re.IGNORECASE)


def is_event_stream(content_type: bytes) -> bool:
    """Whether a stream is one of events: only those stay open for longer than one answer takes."""
    return _EVENT_STREAM.match(content_type) is not None


async def access_ended(
    client: AuthAgentClient,
    token: str,
    expires_at: float,
    wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Looks at the access every 30 seconds and returns when it has ended. ``expires_at`` is epoch seconds."""
    while True:
        await wait(MAX_CACHE_SECONDS)
        if not await may_go_on(client, token, expires_at):
            return


async def may_go_on(client: AuthAgentClient, token: str, expires_at: float) -> bool:
    """Whether a stream may go on, looked at now. An outage says nothing against it.

    In the last moments of a token nobody is asked: the server may hold it for ended before we do.
    """
    now = client.settings.now()
    if now < expires_at - CLOCK_SKEW_SECONDS:
        return await client.stands(token)
    return now < expires_at + _GRACE_SECONDS
