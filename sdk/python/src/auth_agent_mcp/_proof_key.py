"""The key with which a client proves that a token is its own (RFC 9449 §4): signs a proof for each request.

Also the nonces that servers ask for, each kept for the origin it came from (CL-21).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ._dpop_proof import thumbprint
from ._resource import origin_of

_NONCE_FORM = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,512}")
_WANTED = re.compile(r'\berror="?use_dpop_nonce\b')
_MAX_ORIGINS = 100


@dataclass(frozen=True)
class Proof:
    """The value of a DPoP header, and the nonce in it."""

    value: str
    nonce: str | None


class ProofKey:
    """Makes a key on P-256, or uses the one given. The private half is in no ``repr``."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._private_key = private_key or ec.generate_private_key(ec.SECP256R1())
        numbers = self._private_key.public_key().public_numbers()
        coordinates = {"x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}
        self._jwk = {"kty": "EC", "crv": "P-256", **coordinates}
        self._nonces: dict[str, str] = {}

    @property
    def thumbprint(self) -> str:
        """``dpop_jkt``, and ``cnf.jkt`` of the tokens."""
        return thumbprint(self._jwk)

    def prove(self, method: str, url: str, *, now: float, access_token: str | None = None) -> Proof:
        """A fresh proof for one request, with the newest nonce of its origin."""
        origin = origin_of(url) or ""
        claims: dict[str, object] = {"jti": str(uuid4()), "htm": method, "htu": re.split(r"[?#]", url, maxsplit=1)[0], "iat": int(now)}
        if access_token is not None:
            claims["ath"] = encoded(hashlib.sha256(access_token.encode()).digest())
        nonce = self._nonces.get(origin)
        if nonce is not None:
            claims["nonce"] = nonce
        signed = f"{jws_part({'typ': 'dpop+jwt', 'alg': 'ES256', 'jwk': self._jwk})}.{jws_part(claims)}"
        r, s = decode_dss_signature(self._private_key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return Proof(f"{signed}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}", nonce)

    def learn(self, url: str, proof: Proof, headers: Mapping[str, str], error: object = None) -> bool:
        """Keeps the nonce that an answer announces. ``headers`` in any case, ``error`` the OAuth error of its body.

        True when the answer refused ``proof`` for want of it: then the request is worth repeating (RFC 9449 §8, §9).
        """
        nonce = headers.get("dpop-nonce")
        if nonce is None or not _NONCE_FORM.fullmatch(nonce):
            return False
        if len(self._nonces) >= _MAX_ORIGINS:
            self._nonces.clear()
        self._nonces[origin_of(url) or ""] = nonce
        asked = error == "use_dpop_nonce" or _WANTED.search(headers.get("www-authenticate", "")) is not None
        # The same nonce again would be refused again.
        return asked and nonce != proof.nonce


def jws_part(members: Mapping[str, object]) -> str:
    """A header or payload as it is signed (RFC 7515 §7.1)."""
    return encoded(json.dumps(members, separators=(",", ":")).encode())


def encoded(content: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()
