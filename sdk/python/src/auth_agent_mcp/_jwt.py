"""Verifies an RFC 9068 access token here, without asking the authorization server.

The order is RS-07: size, parse, typ, algorithm, key, signature; then _verify.py judges issuer, audience, times and key
binding. Revocation is not seen before ``exp``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ._credentials import is_bearer_token
from ._public_key import SIGNATURE_ERRORS, Verifier, decoded, parsed
from .errors import AuthenticationError

TOKEN_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
"""Asymmetric only: ``none`` and HMAC with a public key as its secret are the classic forgeries (RFC 8725 §2.1)."""

KeySource = Callable[[str, str], Awaitable[Verifier]]
"""Finds the key of an algorithm and key id. Raises AuthenticationError, AuthServerUnavailable."""

_TYPE = re.compile(r"(application/)?at\+jwt", re.IGNORECASE | re.ASCII)


async def verified_claims(token: str, find_key: KeySource) -> Mapping[str, Any]:
    """Checks form and signature and returns the unjudged claims.

    Raises AuthenticationError invalid_token, whatever the reason; AuthServerUnavailable when the keys cannot be fetched.
    """
    algorithm, key_id = check_header(token)
    if token.count(".") != 2:
        raise _invalid("signature")
    # Nothing else of the header reaches the choice of a key: not jwk, not jku, not x5c.
    verify = await find_key(algorithm, key_id)
    signed, _, signature = token.rpartition(".")
    payload = signed.partition(".")[2]
    try:
        verify(decoded(signature), signed.encode())
    except SIGNATURE_ERRORS:
        raise _invalid("signature") from None
    return _object(payload)


def unverified_claims(token: str) -> Mapping[str, Any]:
    """What a token says of itself. Anybody can write that: it decides nothing, it only helps the developer.

    Of plain values only: what is nested may be nested so deep that nobody gets to its end.
    """
    try:
        said = _object(token.split(".")[1]) if token.count(".") == 2 else {}
    except AuthenticationError:
        return {}
    return {name: value for name, value in said.items() if all(isinstance(one, str | int | float) for one in _listed(value))}


def check_header(token: str) -> tuple[str, str]:
    """Refuses what can be refused before any key is looked at, and returns algorithm and key id (RFC 9068 §4, RFC 8725 §3)."""
    if not is_bearer_token(token):
        raise _invalid("malformed")
    header = _object(token.partition(".")[0])
    kind, algorithm, key_id = header.get("typ"), header.get("alg"), header.get("kid")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise _invalid("typ")
    if not isinstance(algorithm, str) or algorithm not in TOKEN_ALGORITHMS:
        raise _invalid("alg")
    # No extension is understood here, so none may be critical (RFC 7515 §4.1.11).
    if "crit" in header or "b64" in header:
        raise _invalid("crit")
    if not isinstance(key_id, str) or not key_id:
        raise _invalid("kid")
    return algorithm, key_id


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(part: str) -> Mapping[str, Any]:
    try:
        value = parsed(decoded(part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _invalid("malformed")
    return value


def _invalid(reason: str) -> AuthenticationError:
    return AuthenticationError("invalid_token", reason)
