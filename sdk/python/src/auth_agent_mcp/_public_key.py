"""A public key as a JWK (RFC 7517, RFC 7518 §6): what it may be, and how signatures by it are verified.

The algorithm must fit the key: never one that the key did not mean (RFC 8725 §3.1). Not here: whose key it is
(_dpop_proof.py, _jwks.py).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

Verifier = Callable[[bytes, bytes], None]
"""Takes a signature and what was signed."""

KEY_ERRORS = (UnsupportedAlgorithm, KeyError, TypeError, ValueError)
"""What ``verifier_of`` raises for a key that is malformed or does not fit the algorithm."""

SIGNATURE_ERRORS = (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError)
"""What a Verifier raises for a signature that is not by the key, and ``decoded`` for a part that is not base64url."""

_RSA_MODULUS = re.compile(r"[A-Za-z0-9_-]{342,683}")
_PART = re.compile(r"[A-Za-z0-9_-]+")
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_CURVES: dict[str, tuple[str, ec.EllipticCurve, hashes.HashAlgorithm, int]] = {
    "ES256": ("P-256", ec.SECP256R1(), hashes.SHA256(), 32),
    "ES384": ("P-384", ec.SECP384R1(), hashes.SHA384(), 48),
    "ES512": ("P-521", ec.SECP521R1(), hashes.SHA512(), 66),
}


def is_public_key(jwk: Mapping[str, Any]) -> bool:
    """Whether a key is neither symmetric nor private, and no RSA key that is weak or whose verification is made to be slow."""
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        return False
    if jwk.get("kty") == "RSA":
        modulus = jwk.get("n")
        return jwk.get("e") == "AQAB" and isinstance(modulus, str) and _RSA_MODULUS.fullmatch(modulus) is not None
    return jwk.get("kty") in ("EC", "OKP")


def verifier_of(jwk: Mapping[str, Any], algorithm: str) -> Verifier:
    """The function that verifies signatures by a key for which ``is_public_key`` holds. Raises one of KEY_ERRORS."""
    if jwk.get("use", "sig") != "sig":
        raise ValueError("not a key for signatures")
    if algorithm in _CURVES:
        return _elliptic(jwk, algorithm)
    if algorithm in ("EdDSA", "Ed25519"):
        if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
            raise ValueError("another kind of key")
        return ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify
    if jwk["kty"] != "RSA":
        raise ValueError("another kind of key")
    key = rsa.RSAPublicNumbers(65537, _number(jwk["n"])).public_key()
    pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if algorithm == "PS256" else padding.PKCS1v15()
    return lambda signature, data: key.verify(signature, data, pad, hashes.SHA256())


def decoded(part: object) -> bytes:
    """A part of a JWS or JWK from base64url without padding. Raises ValueError."""
    if not isinstance(part, str) or not _PART.fullmatch(part):
        raise ValueError("not base64url")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parsed(content: bytes) -> Any:
    """JSON as RFC 8259 has it, in UTF-8. Raises ValueError or RecursionError."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(content.decode(), parse_constant=refuse)


def _elliptic(jwk: Mapping[str, Any], algorithm: str) -> Verifier:
    name, curve, digest, size = _CURVES[algorithm]
    if (jwk["kty"], jwk["crv"]) != ("EC", name):
        raise ValueError("another kind of key")
    # Raises when the point is not on the curve.
    key = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), curve).public_key()

    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size:
            raise InvalidSignature
        halves = (int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        key.verify(encode_dss_signature(*halves), data, ec.ECDSA(digest))

    return verify


def _number(part: object) -> int:
    return int.from_bytes(decoded(part), "big")
