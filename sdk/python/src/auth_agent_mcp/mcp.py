"""For the official MCP Python SDK (1.x and 2.x): its ``TokenVerifier``. Needs the package ``mcp``.

The official check knows no 503: during an outage it answers 500. ``AuthAgentMiddleware`` answers 503.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.auth.provider import AccessToken

from ._access_token import access_token_members
from ._client import AuthAgentClient
from ._options import AuthAgentOptions
from ._sign_in import check_sign_in
from .errors import AuthenticationError

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["TokenVerifier"]

_WHERE_INSTEAD = {
    "required_scopes": "belongs to AuthSettings: a verifier checks no scopes",
    "tool_scopes": "needs AuthAgentMiddleware: a verifier sees no request",
    "public_paths": "needs AuthAgentMiddleware: a verifier sees no request",
    "allowed_origins": "needs AuthAgentMiddleware: a verifier sees no request",
}
"""Options that a verifier cannot keep. Ignored, they would look like checks that are made."""


class TokenVerifier:
    """Satisfies ``mcp.server.auth.provider.TokenVerifier``. Scopes are left to the official check.

    >>> server = MCPServer("files", token_verifier=TokenVerifier(server_id="srv_abc123", api_key="sk_…"), auth=AuthSettings(…))
    """

    def __init__(self, **options: Unpack[AuthAgentOptions]) -> None:
        """Raises ValueError naming the option that is missing, wrong, or nothing that a verifier can keep."""
        for option, instead in _WHERE_INSTEAD.items():
            if options.get(option):
                raise ValueError(f'"{option}" {instead}')
        self.client = AuthAgentClient(**options)

    async def verify_token(self, token: str) -> AccessToken | None:
        """None for whatever is wrong with a token. Raises AuthServerUnavailable when it cannot be known."""
        try:
            auth = await self.client.validate_token(token)
            check_sign_in(auth.claims, self.client.settings.sign_in, self.client.settings.now())
            return AccessToken(**access_token_members(auth, self.client))
        except AuthenticationError:
            return None
