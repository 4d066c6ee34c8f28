"""The private key with which a client says who it is: read from whatever form it comes in, and judged at once.

Its algorithm follows from the key and from nothing else (RFC 8725 §3.1). Not here: what is signed with it
(_client_authentication.py).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

ClientKey = str | bytes | Mapping[str, Any] | PrivateKey
"""EC on P-256, Ed25519, or RSA of 2048 bits and more: a JWK, PKCS #8 in PEM, or a key of ``cryptography``."""

_LEAST_BITS = 2048
_PEM = re.compile(r"\s*-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----\s*")
_PEM_RULE = "must be PKCS #8 in PEM, -----BEGIN PRIVATE KEY-----; `openssl pkcs8 -topk8 -nocrypt` makes it"
_RSA_MEMBERS = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


@dataclass(frozen=True)
class SigningKey:
    """A key that was judged."""

    algorithm: Literal["ES256", "EdDSA", "RS256"]
    key_id: str | None
    sign: Callable[[bytes], bytes] = field(repr=False)


def read_client_key(key: object, key_id: str | None) -> SigningKey:
    """Judges a key, which appears in no message. Raises ValueError naming "client_key" or "client_key_id"."""
    if key_id is not None and (not isinstance(key_id, str) or not key_id):
        raise ValueError('"client_key_id" must be a string that is not empty')
    if isinstance(key, Mapping):
        told = key.get("kid")
        signing = _signing(_of_jwk(key), key_id or (told if isinstance(told, str) and told else None))
        # RFC 9864 gave EdDSA over Ed25519 a second name.
        if key.get("alg", signing.algorithm) not in ({"EdDSA", "Ed25519"} if signing.algorithm == "EdDSA" else {signing.algorithm}):
            raise ValueError(f'"client_key" is a key for {signing.algorithm}, its "alg" says otherwise')
        return signing
    return _signing(_of_pem(key) if isinstance(key, (str, bytes)) else key, key_id)


def _signing(key: object, key_id: str | None) -> SigningKey:
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return SigningKey("ES256", key_id, _ecdsa(key))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return SigningKey("EdDSA", key_id, key.sign)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return SigningKey("RS256", key_id, lambda content: key.sign(content, padding.PKCS1v15(), hashes.SHA256()))
    raise _unusable()


def _ecdsa(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    def sign(content: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def _of_pem(key: str | bytes) -> object:
    text = key if isinstance(key, str) else key.decode("latin-1")
    if not _PEM.fullmatch(text):
        raise ValueError(f'"client_key" {_PEM_RULE}')
    try:
        return load_pem_private_key(text.strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable() from None


def _of_jwk(jwk: Mapping[str, Any]) -> object:
    kind = (jwk.get("kty"), jwk.get("crv"))
    try:
        if kind == ("EC", "P-256"):
            public = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), ec.SECP256R1())
            return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public).private_key()
        if kind == ("OKP", "Ed25519") and isinstance(jwk.get("x"), str):
            return ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(jwk, "d"))
        if kind[0] == "RSA":
            n, e, d, p, q, dp, dq, qi = (_number(jwk, name) for name in _RSA_MEMBERS)
            return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n)).private_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable() from None
    return None


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(jwk, name), "big")


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        raise ValueError(name)
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _unusable() -> ValueError:
    return ValueError('"client_key" must be a private key: EC on P-256, Ed25519, or RSA of 2048 bits and more')
