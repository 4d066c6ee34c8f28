"""Reads the one access token of a request, or says why there is none (RFC 6750 §2.1, RFC 9449 §7.1, RS-01, RS-04 to RS-06).

Tokens in the query or body are never used: they end up in logs. Beside a header they make the request ambiguous.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from .errors import AuthenticationError

MAX_TOKEN_LENGTH = 8192
"""Longest token that is looked at, in characters."""

_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_SCHEME = re.compile(r"(bearer|dpop) +", re.IGNORECASE)
_HIDDEN = re.compile(r",\s*(bearer|dpop)(\s|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """A token and the scheme it was presented with: under ``DPoP`` a proof must come with it."""

    scheme: Literal["Bearer", "DPoP"]
    token: str = field(repr=False)


def read_credentials(authorization: str | None, elsewhere: bool) -> Credentials:
    """Takes the token out of the Authorization header; several headers must arrive joined by a comma.

    Raises AuthenticationError: missing_token without Bearer or DPoP credentials, invalid_request when malformed or twofold.
    """
    value = (authorization or "").strip()
    if not value:
        raise AuthenticationError("missing_token")
    if value.lower() in ("bearer", "dpop"):
        raise AuthenticationError("invalid_request", "empty")
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise _other_scheme(value)
    if elsewhere:
        raise AuthenticationError("invalid_request", "two_credentials")
    token = value[scheme.end() :]
    if not is_bearer_token(token):
        raise AuthenticationError("invalid_request", "malformed")
    return Credentials("DPoP" if scheme[1].lower() == "dpop" else "Bearer", token)


def is_bearer_token(token: str) -> bool:
    """RFC 6750 §2.1 b64token, of a length that a header may have."""
    return len(token) <= MAX_TOKEN_LENGTH and _BEARER_TOKEN.fullmatch(token) is not None


def carries_access_token(form: str) -> bool:
    """Whether a query string or form body carries ``access_token``, however it is percent-encoded."""
    return any(name == "access_token" for name, _ in parse_qsl(form, keep_blank_values=True))


def token_hash(token: str) -> str:
    """SHA-256 in base64url, so that no cache and no log ever holds a token."""
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _other_scheme(value: str) -> AuthenticationError:
    """Basic and the like are no credentials here, unless another header hides behind them."""
    if _HIDDEN.search(value):
        return AuthenticationError("invalid_request", "two_credentials")
    return AuthenticationError("missing_token", "other_scheme")
