"""Who acts for the person, when an MCP server calls another one (RFC 8693 §4.1): the chain of a token, and what a server asks of it.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ActorRefused, AuthenticationError

if TYPE_CHECKING:
    from ._verify import AuthContext

_DEEPEST = 16
"""More than any server hands on; a deeper claim is somebody's experiment."""


def read_actors(act: Any, max_actors: float) -> tuple[str, ...]:
    """The ids in an ``act`` claim, the nearest first; empty without one.

    Raises AuthenticationError invalid_token for a claim that cannot be read, or a chain of more than ``max_actors``.
    """
    actors: list[str] = []
    while act is not None:
        sub = act.get("sub") if isinstance(act, Mapping) else None
        if not isinstance(sub, str) or not sub or len(actors) == _DEEPEST:
            raise AuthenticationError("invalid_token", "act")
        actors.append(sub)
        act = act.get("act")
    if len(actors) > max_actors:
        raise AuthenticationError("invalid_token", "actors")
    return tuple(actors)


def require_actor(auth: AuthContext, *client_ids: str) -> None:
    """Lets only requests through that come from one of these clients in somebody's name: an MCP server that an agent called.

    Raises ActorRefused, a 403, also when nobody acts for anybody.

    >>> require_actor(request.state.auth, "client_files")
    """
    if not auth.actors or auth.actors[0] not in client_ids:
        raise ActorRefused
