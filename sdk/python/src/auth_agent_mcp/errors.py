"""What can be wrong with a request, as a stranger may know it. RFC 6750 §3.1, RFC 9470 §3.

Every error has a stable ``code`` and ``status``; ``reason`` is for the developer's log and never leaves the process.

    AuthAgentError
    ├─ AuthenticationError     401 missing_token, invalid_token, invalid_dpop_proof, use_dpop_nonce,
    │                            insufficient_user_authentication · 400 invalid_request
    ├─ AuthorizationError      403 insufficient_scope
    ├─ ActorRefused            403 actor_refused
    └─ AuthServerUnavailable   503 auth_server_unavailable

    TokenRequestRefused        an agent is refused a token (not about a request, so it has no answer of its own)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

__all__ = [
    "ActorRefused",
    "AuthAgentError",
    "AuthServerUnavailable",
    "AuthenticationCode",
    "AuthenticationError",
    "AuthorizationError",
    "TokenRequestRefused",
]

AuthenticationCode = Literal[
    "missing_token",
    "invalid_token",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "invalid_request",
    "insufficient_user_authentication",
]

_TEXTS: dict[AuthenticationCode, str] = {
    "missing_token": "This server needs an access token in the Authorization header",
    "invalid_token": "The access token is invalid, expired or meant for another server",
    "invalid_dpop_proof": "The DPoP proof is missing, does not fit this request, or was used before",
    "use_dpop_nonce": "Repeat the request with the nonce of the DPoP-Nonce header in the proof",
    "invalid_request": "Send exactly one access token, in the Authorization header",
    "insufficient_user_authentication": "The person must sign in again for this",
}


class AuthAgentError(Exception):
    """The base of every error about a request. ``code`` and ``status`` are stable; the text may change."""

    def __init__(self, code: str, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.text = message
        """What the caller is told."""
        self.reason = reason
        """Why, in one word, for logs. Telling it to the caller would make an oracle (RS-02)."""


class AuthenticationError(AuthAgentError):
    """Nobody was authenticated: no token, a bad one, or a malformed request.

    ``acr_values`` and ``max_age`` (seconds) say how the person must sign in again (RFC 9470 §3). ``scheme`` is that of the
    credentials that were refused, whose challenge names the error; ``nonce`` comes with ``use_dpop_nonce`` (RFC 9449).
    """

    def __init__(
        self,
        code: AuthenticationCode,
        reason: str | None = None,
        *,
        acr_values: Iterable[str] = (),
        max_age: int | None = None,
        scheme: Literal["Bearer", "DPoP"] = "Bearer",
        nonce: str | None = None,
    ) -> None:
        super().__init__(code, 400 if code == "invalid_request" else 401, reason or code, _TEXTS[code])
        self.acr_values = tuple(acr_values)
        self.max_age = max_age
        self.scheme = scheme
        self.nonce = nonce


class AuthorizationError(AuthAgentError):
    """The token is good but does not allow this. Raise it in a handler to answer a step-up challenge of your own.

    ``scopes`` are all that the operation needs, whether or not the token has them already (RS-03).
    """

    def __init__(self, scopes: Iterable[str]) -> None:
        super().__init__("insufficient_scope", 403, "scope", "The access token does not allow this")
        self.scopes = tuple(scopes)


class ActorRefused(AuthAgentError):  # noqa: N818
    """Whoever acts for the person may not do this here. Nothing the person allows can change it, so there is no challenge."""

    def __init__(self) -> None:
        super().__init__("actor_refused", 403, "actor", "This is not for whoever acts for the person")


class AuthServerUnavailable(AuthAgentError):  # noqa: N818 - the name is the same in every SDK
    """The authorization server could not be asked. Never a reason to make the person sign in again (RS-17)."""

    def __init__(self, reason: str, *, retry_after: int = 5, detail: str | None = None) -> None:
        super().__init__("auth_server_unavailable", 503, reason, "The authorization server cannot be reached")
        self.retry_after = retry_after
        """Seconds after which asking again makes sense."""
        self.detail = detail
        """Which address, and what came of it: for logs, as is ``str`` of this error."""

    def __str__(self) -> str:
        return self.text if self.detail is None else f"{self.text}: {self.detail}"


class TokenRequestRefused(Exception):  # noqa: N818
    """The authorization server refused a token. ``code`` is its OAuth error, e.g. ``invalid_client`` (RFC 6749 §5.2)."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"The authorization server refused to issue a token: {code} {description}".rstrip())
        self.code = code
