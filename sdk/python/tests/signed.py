"""Keys and signed access tokens for tests of local verification, and a played server that publishes the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from stage import RESOURCE, START_OF_TIME, PlayedServer, Received, Reply

from auth_agent_mcp._proof_key import encoded, jws_part

JWKS = "/.well-known/jwks.json"


@dataclass(frozen=True)
class KeyPair:
    """``jwk`` is the public half."""

    jwk: dict[str, Any]
    sign: Callable[[bytes], bytes]


def key_pair(kid: str, algorithm: str = "ES256") -> KeyPair:
    """A new key."""
    named = {"kid": kid, "alg": algorithm, "use": "sig"}
    if algorithm == "ES256":
        return _elliptic(named)
    if algorithm in ("EdDSA", "Ed25519"):
        edwards = ed25519.Ed25519PrivateKey.generate()
        return KeyPair({"kty": "OKP", "crv": "Ed25519", "x": encoded(edwards.public_key().public_bytes_raw()), **named}, edwards.sign)
    key = rsa.generate_private_key(65537, 2048)
    pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if algorithm == "PS256" else padding.PKCS1v15()
    modulus = encoded(key.public_key().public_numbers().n.to_bytes(256, "big"))
    return KeyPair({"kty": "RSA", "n": modulus, "e": "AQAB", **named}, lambda content: key.sign(content, pad, hashes.SHA256()))


def _elliptic(named: dict[str, str]) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()

    def sign(content: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    point = {"x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}
    return KeyPair({"kty": "EC", "crv": "P-256", **point, **named}, sign)


def claims_of(played: PlayedServer) -> dict[str, Any]:
    """What an access token says (RFC 9068 §2.2)."""
    said = {"iss": played.url, "aud": RESOURCE, "sub": "usr_1", "client_id": "client_a", "scope": "files:read", "grant_id": "grant_1"}
    return {**said, "iat": START_OF_TIME, "exp": START_OF_TIME + 3600, "jti": "j1"}


def access_token(key: KeyPair, played: PlayedServer, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token signed by a key. ``changes`` override claims; None takes one away."""
    claims = {name: value for name, value in {**claims_of(played), **changes}.items() if value is not None}
    head = {"typ": "at+jwt", "alg": key.jwk["alg"], "kid": key.jwk["kid"], **(header or {})}
    signed = f"{jws_part(head)}.{jws_part(claims)}"
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


def publish(played: PlayedServer, *keys: KeyPair) -> None:
    """From now on the played server has these keys, and answers no introspection."""
    jwks = [key.jwk for key in keys]

    def reply(request: Received) -> Reply:
        if request.path == JWKS:
            return Reply({"keys": jwks})
        return Reply({}, status=500) if request.path == "/introspect" else played.good_reply(request)

    played.reply = reply
