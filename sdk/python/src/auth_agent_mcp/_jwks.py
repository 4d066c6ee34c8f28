"""The public keys of the one trusted issuer (RFC 7517; KEY-04, KEY-05).

The address is pinned by configuration: nothing in a token is ever followed. An unknown key id causes one fetch at most
every 30 seconds, shared by all who wait; known keys outlive an outage for a while.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ._authorization_server import AuthorizationServer, Members
from ._flight import Flight
from ._options import Settings
from ._public_key import KEY_ERRORS, Verifier, is_public_key, verifier_of
from .errors import AuthenticationError, AuthServerUnavailable

FRESH_SECONDS = 600
"""Keys of this age are fetched again, so that a key that was dropped is not believed any longer (KEY-03)."""

COOLDOWN_SECONDS = 30
"""Between two fetches, at least."""

_PATH = "/.well-known/jwks.json"
_KEY_TYPES = {"ES256": "EC", "RS256": "RSA", "PS256": "RSA", "EdDSA": "OKP", "Ed25519": "OKP"}


class KeySet:
    """The keys of one document. Those that were used stay ready for use."""

    def __init__(self, document: Members, fetched_at: float) -> None:
        """Raises AuthServerUnavailable when the document is no set of keys."""
        keys = document.get("keys")
        if not isinstance(keys, list) or not keys:
            raise AuthServerUnavailable("jwks_empty")
        if not all(isinstance(jwk, dict) for jwk in keys):
            raise AuthServerUnavailable("jwks")
        self.fetched_at = fetched_at
        self._keys: list[dict[str, Any]] = keys
        self._verifiers: dict[tuple[str, str], Verifier] = {}

    def find(self, algorithm: str, key_id: str) -> Verifier | None:
        """None when there is no such key. Raises AuthenticationError when it is not one key, or none to be used."""
        named = (algorithm, key_id)
        if named not in self._verifiers:
            found = [jwk for jwk in self._keys if _is_meant(jwk, algorithm, key_id)]
            if not found:
                return None
            # Only keys that exist get here, so tokens cannot make this grow.
            self._verifiers[named] = _usable(found, algorithm)
        return self._verifiers[named]


class KeySource:
    """Finds keys, by ``find``."""

    def __init__(self, server: AuthorizationServer, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._keys: KeySet | None = None
        self._attempted_at = -math.inf
        self._failure: AuthServerUnavailable | None = None
        self._flight = Flight[None]()

    async def find(self, algorithm: str, key_id: str) -> Verifier:
        """Raises AuthenticationError for a key nobody published, AuthServerUnavailable when that cannot be known."""
        if self._keys is None or self._settings.now() >= self._keys.fetched_at + FRESH_SECONDS:
            await self._flight.join(self._refresh)
        key = self._usable_keys().find(algorithm, key_id)
        if key is not None:
            return key
        await self._flight.join(self._refresh)
        published = self._usable_keys().find(algorithm, key_id)
        if published is not None:
            return published
        # After a failed fetch the key may well exist: an outage, not a bad token.
        if self._failure is not None:
            raise self._outage()
        raise AuthenticationError("invalid_token", "unknown_key")

    def _usable_keys(self) -> KeySet:
        limit = max(self._settings.max_stale_keys, FRESH_SECONDS)
        if self._keys is not None and self._settings.now() < self._keys.fetched_at + limit:
            return self._keys
        raise self._outage()

    async def _refresh(self) -> None:
        """Fetches the keys unless the last fetch is too recent. Never raises for an outage: ``_failure`` tells."""
        if self._keys is not None and self._settings.now() < self._attempted_at + COOLDOWN_SECONDS:
            return
        self._attempted_at = self._settings.now()
        self._failure = None
        try:
            self._keys = KeySet(await self._server.get_document(_PATH), self._settings.now())
        except AuthServerUnavailable as error:
            self._failure = error
            if error.reason.startswith("jwks"):
                self._settings.hint(f"{self._settings.issuer}{_PATH} names no keys. Callers get 503 for tokens of keys not known before.")

    def _outage(self) -> AuthServerUnavailable:
        """A new one each time: one that is raised again would grow by a traceback."""
        failed = self._failure
        if failed is None:
            return AuthServerUnavailable("jwks")
        return AuthServerUnavailable(failed.reason, retry_after=failed.retry_after, detail=failed.detail)


def _is_meant(jwk: Mapping[str, Any], algorithm: str, key_id: str) -> bool:
    """KEY-05: the id, and the algorithm wherever the key says what it is for."""
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kid") == key_id
        and jwk.get("kty") == _KEY_TYPES[algorithm]
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _usable(found: list[dict[str, Any]], algorithm: str) -> Verifier:
    try:
        if len(found) == 1 and is_public_key(found[0]):
            return verifier_of(found[0], algorithm)
    except KEY_ERRORS:
        pass
    raise AuthenticationError("invalid_token", "key")
