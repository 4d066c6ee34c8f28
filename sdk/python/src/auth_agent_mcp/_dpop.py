"""Proof of possession at an MCP server (RFC 9449, SEP-1932).

Demands the proof that a bound token needs, a nonce of our own where that is switched on, and that each proof is used once.
Not here: what a proof must say (_dpop_proof.py).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

from ._credentials import token_hash
from ._dpop_proof import ProvenRequest, judge_proof
from ._options import Settings
from ._verify import AuthContext
from .errors import AuthenticationError

_NONCE_WINDOW_SECONDS = 120
"""A nonce is made for one window and good in the next one too: it lives two to four minutes."""


class ProofCheck:
    """The check of one MCP server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def check(self, auth: AuthContext, *, proof: str | None, method: str, url: str) -> str | None:
        """Checks that whoever presents a bound token has its key.

        Returns the nonce to announce on the answer, when the one in the proof is about to end. Raises AuthenticationError
        invalid_dpop_proof, invalid_token, use_dpop_nonce.
        """
        if auth.jkt is None:
            raise AuthenticationError("invalid_token", "not_bound", scheme="DPoP")
        now = self._settings.now()
        judged = judge_proof(proof, ProvenRequest(method, url, auth.token_hash, auth.jkt, now))
        announced = self._check_nonce(judged.nonce, now)
        # DPR-05: MCP requests go to one address, so the id alone tells two calls apart.
        proof_id = token_hash(json.dumps([auth.jkt, judged.jti], separators=(",", ":")))
        if not await self._settings.proof_memory.use_once(proof_id, judged.expires_at, now):
            raise AuthenticationError("invalid_dpop_proof", "replayed", scheme="DPoP")
        return announced

    def _check_nonce(self, presented: str | None, now: float) -> str | None:
        """RFC 9449 §9. Nothing is stored: a nonce is a MAC over the time, and every process with the secret knows the same."""
        secret = self._settings.dpop_nonce_secret
        if secret is None:
            return None
        window = int(now // _NONCE_WINDOW_SECONDS)
        current = _nonce(secret, self._settings.server_id, window)
        if presented == current:
            return None
        if presented is not None and presented == _nonce(secret, self._settings.server_id, window - 1):
            return current
        raise AuthenticationError("use_dpop_nonce", "nonce", scheme="DPoP", nonce=current)


def _nonce(secret: str, server_id: str, window: int) -> str:
    mac = hmac.digest(secret.encode(), f"dpop-nonce {server_id} {window}".encode(), hashlib.sha256)
    return urlsafe_b64encode(mac).rstrip(b"=").decode()
