"""How a client says who it is to its authorization server.

With a secret (RFC 6749 §2.3.1), with a key (``private_key_jwt``, RFC 7523 §2.2 as updated by draft-ietf-oauth-rfc7523bis), or by
its name alone. Not here: which keys will do (_client_key.py).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus
from uuid import uuid4

from ._client_key import SigningKey, read_client_key
from ._proof_key import encoded, jws_part

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME_SECONDS = 60


@dataclass(frozen=True)
class Credentials:
    """What authenticates one request: made anew for each, because an assertion is good once. ``secrets`` must get into no log."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


Authenticate = Callable[[float], Credentials]
"""Makes the credentials of one request at this time."""


def client_authentication(
    *, client_id: object, client_secret: object, client_key: object, client_key_id: str | None, issuer: str | None
) -> Authenticate:
    """The way in which a client authenticates; a public one only says its name. Raises ValueError naming the option that is wrong."""
    name = _check_text("client_id", client_id)
    if client_secret is not None and client_key is not None:
        raise ValueError('either "client_secret" or "client_key" must be given, not both')
    if client_secret is not None:
        return _by_secret(name, _check_text("client_secret", client_secret))
    if client_key is None:
        return lambda _: Credentials(fields={"client_id": name})
    if issuer is None:
        raise ValueError('"client_key" needs "issuer": what it signs is for this server alone')
    return _by_key(name, issuer, read_client_key(client_key, client_key_id))


def _check_text(option: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{option}" must be a string that is not empty')
    return value


def _by_secret(client_id: str, secret: str) -> Authenticate:
    """RFC 6749 §2.3.1: both halves are form-encoded before they become Basic credentials."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    credentials = Credentials({"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}, (secret,))
    return lambda _: credentials


def _by_key(client_id: str, issuer: str, key: SigningKey) -> Authenticate:
    """The issuer as the only audience, and a type of its own: no other server and no other purpose can use what was signed."""
    header = {"typ": "client-authentication+jwt", "alg": key.algorithm, **({} if key.key_id is None else {"kid": key.key_id})}

    def authenticate(now: float) -> Credentials:
        times = {"iat": int(now), "exp": int(now) + _LIFETIME_SECONDS}
        claims = {"iss": client_id, "sub": client_id, "aud": issuer, "jti": str(uuid4()), **times}
        signed = f"{jws_part(header)}.{jws_part(claims)}"
        assertion = f"{signed}.{encoded(key.sign(signed.encode()))}"
        fields = {"client_id": client_id, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
        return Credentials({}, fields, (assertion,))

    return authenticate
