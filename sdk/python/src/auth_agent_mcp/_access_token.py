"""An AuthContext in the shape of ``AccessToken`` of the official MCP SDK and FastMCP. Neither is imported."""

from __future__ import annotations

from typing import Any

from ._client import AuthAgentClient
from ._scope import expand_scopes, satisfies
from ._verify import AuthContext, thawed


def access_token_members(auth: AuthContext, client: AuthAgentClient) -> dict[str, Any]:
    """The members of an ``AccessToken`` (PY-02).

    ``token`` is its SHA-256: passing the caller's token on is forbidden (RS-09), and a tool has no other use for it.
    """
    return {
        "token": auth.token_hash,
        "client_id": auth.client_id,
        "scopes": _scopes(auth, client),
        "expires_at": auth.expires_at,
        # A plain string: AnyHttpUrl would add a slash to a bare origin (PY-03).
        "resource": auth.resource,
        "subject": auth.id,
        "claims": thawed(auth.claims),
    }


def _scopes(auth: AuthContext, client: AuthAgentClient) -> list[str]:
    """With everything the hierarchy includes, because the official checks compare literally; of ``*`` what is required."""
    settings = client.settings
    required = [scope for scope in settings.required_scopes if satisfies(auth.scopes, (scope,), settings.closure)]
    return list(dict.fromkeys([*expand_scopes(auth.scopes, settings.closure), *required]))
