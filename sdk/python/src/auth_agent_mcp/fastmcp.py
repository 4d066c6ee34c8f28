"""For FastMCP: ``FastMCP("files", auth=AuthAgentProvider(…))``. Needs the package ``fastmcp``.

FastMCP's own checks stand behind the guard, so every answer is the guard's: 503 during an outage, one 403 with all scopes,
the metadata document with its strings untouched.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth import TokenVerifier as FastMCPTokenVerifier
from starlette.middleware import Middleware

from ._access_token import access_token_members
from ._asgi import GuardedApp
from ._client import AuthAgentClient
from ._credentials import read_credentials, token_hash
from ._options import AuthAgentOptions
from ._sign_in import check_sign_in
from ._verify import AuthContext
from .errors import AuthenticationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Unpack

__all__ = ["AuthAgentProvider"]

_admitted: ContextVar[AuthContext | None] = ContextVar("auth_agent_mcp_admitted", default=None)
"""Whom the guard has let in with a proof, in this request."""


class _AsBearer:
    """FastMCP's checks know Bearer only: of what the guard let in under DPoP they see the same token under that name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        auth: AuthContext | None = scope.get("state", {}).get("auth") if scope["type"] == "http" else None
        if auth is None or auth.jkt is None:
            return await self._app(scope, receive, send)
        headers = [(name, _renamed(value) if name.lower() == b"authorization" else value) for name, value in scope["headers"]]
        known = _admitted.set(auth)
        try:
            return await self._app({**scope, "headers": headers}, receive, send)
        finally:
            _admitted.reset(known)


def _renamed(authorization: bytes) -> bytes:
    return b"Bearer " + read_credentials(authorization.decode("latin-1"), False).token.encode()


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
            admitted = _admitted.get()
            proven = admitted is not None and admitted.token_hash == token_hash(token)
            auth = admitted if admitted is not None and proven else await self.client.validate_token(token)
            check_sign_in(auth.claims, self.client.settings.sign_in, self.client.settings.now())
            return AccessToken(**access_token_members(auth, self.client))
        except AuthenticationError:
            return None

    def get_middleware(self) -> list[Any]:
        """The guard, then FastMCP's own."""
        return [Middleware(GuardedApp, self.client), Middleware(_AsBearer), *super().get_middleware()]
