"""Judges a DPoP proof against the request it came with (RFC 9449 §4.3, §7.1): form, key, signature, then the claims.

Not here: whether the proof was seen before, nonces (_dpop.py).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ._public_key import KEY_ERRORS, SIGNATURE_ERRORS, decoded, is_public_key, parsed, verifier_of
from ._resource import origin_of
from ._verify import is_time
from .errors import AuthenticationError

PROOF_ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256")
"""What proofs may be signed with; metadata and challenges name the same list."""

CLOCK_SKEW_SECONDS = 300
"""What clocks may differ by (SEP-1932)."""

_MAX_PROOF_LENGTH = 4096
_MAX_JTI_BYTES = 128
_COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ProvenRequest:
    """The request a proof must be for. ``now`` is epoch seconds."""

    method: str
    url: str
    """Public address of the request."""
    token_hash: str
    """SHA-256 of the access token, base64url: what ``ath`` must be."""
    jkt: str
    """Thumbprint of the key that the access token is bound to."""
    now: float


@dataclass(frozen=True)
class JudgedProof:
    """What is left to check. ``expires_at``: epoch seconds, when the proof's own age will have it refused."""

    jti: str
    expires_at: int
    nonce: str | None


def judge_proof(proof: str | None, request: ProvenRequest) -> JudgedProof:
    """Judges the value of the DPoP header; several headers must arrive joined by a comma.

    Raises AuthenticationError invalid_dpop_proof, or invalid_token when the proof is good but by another key than the token's.
    """
    if proof is None:
        _refuse("missing")
    if len(proof) > _MAX_PROOF_LENGTH or not _COMPACT_FORM.fullmatch(proof):
        _refuse("malformed")
    header, payload, signature = proof.split(".")
    jwk, algorithm = _judge_header(header)
    try:
        verifier_of(jwk, algorithm)(decoded(signature), f"{header}.{payload}".encode())
        claims = parsed(decoded(payload))
    except (*KEY_ERRORS, *SIGNATURE_ERRORS, RecursionError):
        _refuse("signature")
    if not isinstance(claims, dict):
        _refuse("malformed")
    judged = _judge_claims(claims, request)
    if thumbprint(jwk) != request.jkt:
        raise AuthenticationError("invalid_token", "other_key", scheme="DPoP")
    return judged


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """SHA-256 thumbprint of a public key (RFC 7638), base64url."""
    members = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    content = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()


def _judge_header(part: str) -> tuple[dict[str, Any], str]:
    try:
        header = parsed(decoded(part))
    except (ValueError, RecursionError):
        _refuse("malformed")
    if not isinstance(header, dict):
        _refuse("malformed")
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if header.get("typ") != "dpop+jwt":
        _refuse("typ")
    if algorithm not in PROOF_ALGORITHMS:
        _refuse("alg")
    if "crit" in header:
        _refuse("crit")
    if not isinstance(jwk, dict) or not is_public_key(jwk):
        _refuse("jwk")
    return jwk, algorithm


def _judge_claims(claims: dict[str, Any], request: ProvenRequest) -> JudgedProof:
    htu, jti, nonce = claims.get("htu"), claims.get("jti"), claims.get("nonce")
    iat: Any = claims.get("iat")
    if claims.get("htm") != request.method:
        _refuse("htm")
    if not isinstance(htu, str) or not _is_address_of(htu, request.url):
        _refuse("htu")
    if not is_time(iat) or abs(request.now - iat) > CLOCK_SKEW_SECONDS:
        _refuse("iat")
    if not isinstance(jti, str) or not 0 < len(jti.encode(errors="surrogatepass")) <= _MAX_JTI_BYTES:
        _refuse("jti")
    if claims.get("ath") != request.token_hash:
        _refuse("ath")
    if "nonce" in claims and not isinstance(nonce, str):
        _refuse("nonce")
    # One second more: a proof is good up to and including the last one.
    return JudgedProof(jti, math.floor(iat) + CLOCK_SKEW_SECONDS + 1, nonce)


def _is_address_of(htu: str, url: str) -> bool:
    """RFC 9449 §4.3: without query and fragment; scheme, host and default port as URLs compare, the path as it is."""
    said, meant = origin_of(htu), origin_of(url)
    return said is not None and said == meant and _path_of(htu) == _path_of(url)


def _path_of(url: str) -> str:
    rest = re.sub(r"^[^:]+://[^/?#]*", "", url)
    return re.split(r"[?#]", rest, maxsplit=1)[0] or "/"


def _refuse(reason: str) -> NoReturn:
    # The cause would name the proof in a log.
    raise AuthenticationError("invalid_dpop_proof", reason, scheme="DPoP") from None
