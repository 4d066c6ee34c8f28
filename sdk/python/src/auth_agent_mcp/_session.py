"""Whose MCP session is whose (RS-10). A session id is no credential, but handlers keep state under it.

Whoever learned somebody else's must not get at that state with a good token of their own. Known here: sessions that
handlers opened in this process. Others are left to the handler.
"""

from __future__ import annotations

from collections import OrderedDict

from ._challenge import Answer, json_answer
from ._verify import AuthContext

_Owner = tuple[str, str, str]

_MAX_SESSIONS = 10_000
"""A bound of its own: who remembers fewer tokens must not stop telling sessions apart."""


class SessionOwners:
    """A bounded register of sessions; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, _Owner] = OrderedDict()

    def claim(self, session_id: str, auth: AuthContext) -> None:
        """Remembers who opened a session. The first owner stays."""
        self._owners.setdefault(session_id, _owner_of(auth))
        if len(self._owners) > _MAX_SESSIONS:
            self._owners.popitem(last=False)

    def may_use(self, session_id: str, auth: AuthContext) -> bool:
        """Whether a session may be used: it is unknown here, or theirs."""
        owner = self._owners.get(session_id)
        if owner is None:
            return True
        self._owners.move_to_end(session_id)
        return owner == _owner_of(auth)


def session_refused() -> Answer:
    """To a stranger the session does not exist; MCP clients then open one of their own."""
    return json_answer(404, {"error": "session_not_found", "error_description": "There is no such session"})


def session_ambiguous() -> Answer:
    """Applications read one of several lines, and not all the same one."""
    return json_answer(400, {"error": "invalid_request", "error_description": "The request carries more than one Mcp-Session-Id"})


def _owner_of(auth: AuthContext) -> _Owner:
    """Another token of the same person through the same client is the same owner: tokens are refreshed while sessions last."""
    return auth.issuer, auth.id, auth.client_id
