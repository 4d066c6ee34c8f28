"""Judges what a token says about itself and makes the AuthContext handlers see (RS-02, RS-07, RS-08, RS-20 to RS-22).

From an introspection answer or from a verified JWT. Pure: plain data and ``now`` in, no I/O, no clock. Not here: signatures
(_jwt.py), scopes (_scope.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ._actors import read_actors
from ._scope import parse_scope
from .errors import AuthenticationError

CLOCK_SKEW_SECONDS = 60
"""Clocks may differ by this much, at most (RS-07)."""


@dataclass(frozen=True)
class AuthUser:
    """The person, or for machine tokens the client itself, on whose behalf a request comes. ``id`` is opaque and stable."""

    id: str
    email: str | None = None
    username: str | None = None
    name: str | None = None
    """What to call the person: the name if the server told one, else the username."""


@dataclass(frozen=True)
class AuthContext:
    """Who may do what, in this request. Frozen: one object may serve many requests. The token is not in it (RS-09, RS-20)."""

    user: AuthUser
    client_id: str
    scopes: tuple[str, ...]
    """As granted; hierarchies are applied when scopes are checked, not here."""
    resource: str
    """The identifier of this MCP server."""
    issuer: str
    audience: tuple[str, ...]
    expires_at: int
    """Epoch seconds."""
    token_hash: str
    """SHA-256 of the token, base64url: for logs and caches."""
    grant_id: str | None = None
    """``grant_…``: what the person sees and can revoke."""
    jkt: str | None = None
    """SHA-256 thumbprint of the key that the token is bound to (RFC 9449 §6); whoever presents it proved to have the key."""
    actors: tuple[str, ...] = ()
    """Who acts for the person, the nearest first, when an MCP server called this one for them (RFC 8693).

    The last is the agent they connected.
    """
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Everything the authorization server said, wire names, read-only."""

    @property
    def id(self) -> str:
        """The same as ``user.id``."""
        return self.user.id

    @property
    def email(self) -> str | None:
        """The same as ``user.email``; None for machines and in local verification."""
        return self.user.email


@dataclass(frozen=True)
class Expectations:
    """What a token must match. ``now`` is epoch seconds."""

    issuer: str
    resource: str
    audiences: frozenset[str]
    now: float
    max_actors: float = math.inf


def judge_introspection(answer: Mapping[str, Any], expected: Expectations, token_hash: str) -> AuthContext:
    """RFC 7662 §2.2, RS-22: judges an answer, without trusting that the server filtered anything.

    Raises AuthenticationError invalid_token, whatever the reason.
    """
    if answer.get("active") is not True:
        raise _invalid("inactive")
    scheme = str(answer.get("token_type")).lower()
    if scheme not in ("bearer", "dpop"):
        raise _invalid("token_type")
    auth = judge_claims(answer, expected, token_hash)
    # What is called Bearer and bound, or DPoP and not, was meant to be something else.
    if scheme == "bearer" and auth.jkt is not None:
        raise _invalid("key_bound")
    if scheme == "dpop" and auth.jkt is None:
        raise _invalid("token_type")
    return auth


def judge_claims(claims: Mapping[str, Any], expected: Expectations, token_hash: str) -> AuthContext:
    """RFC 9068 §4: judges claims in the order issuer, audience, time, key binding, subject.

    Raises AuthenticationError invalid_token, whatever the reason.
    """
    if claims.get("iss") != expected.issuer:
        raise _invalid("issuer")
    audience = _audience_of(claims.get("aud"))
    if expected.audiences.isdisjoint(audience):
        raise _invalid("audience")
    expires_at = _check_times(claims, expected.now)
    jkt = _thumbprint_of(claims["cnf"]) if "cnf" in claims else None
    user, client_id, scope = _user_of(claims), _text(claims, "client_id"), claims.get("scope", "")
    if not isinstance(scope, str):
        raise _invalid("scope")
    actors = read_actors(claims.get("act"), expected.max_actors)
    return AuthContext(
        user=user,
        client_id=client_id,
        scopes=parse_scope(scope),
        resource=expected.resource,
        issuer=expected.issuer,
        audience=audience,
        expires_at=expires_at,
        token_hash=token_hash,
        grant_id=_optional(claims, "grant_id"),
        jkt=jkt,
        actors=actors,
        claims=_frozen(claims),
    )


def _thumbprint_of(confirmation: Any) -> str:
    """RFC 9449 §6: bound to the key of DPoP proofs and to nothing else; a binding not understood here cannot be checked."""
    jkt = confirmation.get("jkt") if isinstance(confirmation, Mapping) and len(confirmation) == 1 else None
    if not isinstance(jkt, str) or not re.fullmatch(r"[A-Za-z0-9_-]{43}", jkt):
        raise _invalid("key_bound")
    return jkt


def _check_times(answer: Mapping[str, Any], now: float) -> int:
    exp: Any = answer.get("exp")
    if not is_time(exp) or exp + CLOCK_SKEW_SECONDS <= now:
        raise _invalid("expired")
    for name in ("nbf", "iat"):
        start = answer.get(name, now)
        if not is_time(start) or start > now + CLOCK_SKEW_SECONDS:
            raise _invalid("not_yet_valid")
    return int(exp)


def _user_of(answer: Mapping[str, Any]) -> AuthUser:
    username = _optional(answer, "username")
    return AuthUser(_text(answer, "sub"), _optional(answer, "email"), username, _optional(answer, "name") or username)


def _audience_of(aud: object) -> tuple[str, ...]:
    return tuple(one for one in (aud if isinstance(aud, list) else [aud]) if isinstance(one, str))


def is_time(value: Any) -> bool:
    """Whether it is a number that arithmetic with times can take; JSON has integers of any length."""
    if isinstance(value, int):
        return not isinstance(value, bool) and value.bit_length() < 64
    return isinstance(value, float) and math.isfinite(value)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid("subject")
    return value


def _optional(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) and value else None


def _frozen(value: Any) -> Any:
    """A cached context is handed to many requests: no handler may lend the next one a scope."""
    if isinstance(value, Mapping):
        return MappingProxyType({name: _frozen(member) for name, member in value.items()})
    return tuple(_frozen(member) for member in value) if isinstance(value, list) else value


def thawed(value: Any) -> Any:
    """A copy of frozen claims as plain JSON values."""
    if isinstance(value, Mapping):
        return {name: thawed(member) for name, member in value.items()}
    return [thawed(member) for member in value] if isinstance(value, tuple) else value


def _invalid(reason: str) -> AuthenticationError:
    return AuthenticationError("invalid_token", reason)
