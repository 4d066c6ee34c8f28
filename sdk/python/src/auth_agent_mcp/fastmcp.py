"""For FastMCP: ``FastMCP("files", auth=AuthAgentProvider(…))``. Needs the package ``fastmcp``.

FastMCP's own checks stand behind the guard, so every answer is the guard's: 503 during an outage, one 403 with all scopes,
the metadata document with its strings untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth import TokenVerifier as FastMCPTokenVerifier
from starlette.middleware import Middleware

from ._access_token import access_token_members
from ._asgi import GuardedApp
from ._client import AuthAgentClient
from ._options import AuthAgentOptions
from .errors import AuthenticationError

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AuthAgentProvider"]


class AuthAgentProvider(FastMCPTokenVerifier):
    """Guards every path of a FastMCP HTTP application, custom routes too unless they are ``public_paths``.

    >>> mcp = FastMCP("files", auth=AuthAgentProvider(server_id="srv_abc123", api_key="sk_…", resource="https://files.example.com/mcp"))
    """

    def __init__(self, **options: Unpack[AuthAgentOptions]) -> None:
        """Raises ValueError naming the option that is missing or wrong."""
        self.client = AuthAgentClient(**options)
        super().__init__(required_scopes=list(self.client.settings.required_scopes))

    async def verify_token(self, token: str) -> AccessToken | None:
        """None for whatever is wrong with a token. Raises AuthServerUnavailable when it cannot be known."""
        try:
            return AccessToken(**access_token_members(await self.client.validate_token(token), self.client))
        except AuthenticationError:
            return None

    def get_middleware(self) -> list[Any]:
        """The guard, then FastMCP's own."""
        return [Middleware(GuardedApp, self.client), *super().get_middleware()]
