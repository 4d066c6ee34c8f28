"""The options of a client, their checks, and its request for a token (RFC 6749 §4.4, §5.1).

Not here: when to ask, and how requests are sent and refused (_token_endpoint.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._authorization_server import Members, unusable
from ._client_authentication import Authenticate, client_authentication
from ._credentials import is_bearer_token
from ._http import Pool
from ._options import check_timeout
from ._proof_key import ProofKey
from ._resource import resource_problem
from ._scope import is_scope_token
from ._token_endpoint import Asker, endpoint_in, read_issuer_metadata
from .errors import AuthServerUnavailable, TokenRequestRefused

_UNKNOWN_LIFETIME_SECONDS = 60
"""RFC 6749 §5.1 lets a server leave ``expires_in`` out."""


@dataclass(frozen=True)
class AgentSettings:
    """The checked options of a client. The secret is in no ``repr``."""

    authenticate: Authenticate = field(repr=False)
    issuer: str | None
    token_endpoint: str | None
    scope: str | None
    resource: str | None
    proof_key: ProofKey | None
    timeout: float
    transport: httpx.AsyncBaseTransport | None
    now: Callable[[], float]


@dataclass(frozen=True)
class IssuedToken:
    """A token and its times, in epoch seconds."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float


def check_agent_options(
    *, timeout: float, now: Callable[[], float], transport: httpx.AsyncBaseTransport | None, **options: Any
) -> AgentSettings:
    """Raises ValueError naming the option and the rule it breaks; the secret is in no message."""
    if (options["issuer"] is None) == (options["token_endpoint"] is None):
        raise ValueError('either "issuer" or "token_endpoint" must be given, not both')
    if "?" in (options["issuer"] or ""):
        raise ValueError('"issuer" must not have a query')
    for name in ("issuer", "token_endpoint", "resource"):
        problem = None if options[name] is None else resource_problem(options[name])
        if problem:
            raise ValueError(f'"{name}" {problem}')
    if options["client_secret"] is None and options["client_key"] is None:
        raise ValueError('either "client_secret" or "client_key" must be given')
    scope = options["scope"]
    if scope is not None and not (isinstance(scope, str) and all(is_scope_token(one) for one in scope.split(" "))):
        raise ValueError('"scope" must be scopes separated by one space (RFC 6749 §3.3)')
    client = {name: options.pop(name) for name in ("client_id", "client_secret", "client_key", "client_key_id")}
    authenticate = client_authentication(**client, issuer=options["issuer"])
    proof_key = proof_key_of(options.pop("dpop"))
    return AgentSettings(
        authenticate=authenticate, proof_key=proof_key, timeout=check_timeout(timeout), now=now, transport=transport, **options
    )


def proof_key_of(dpop: object) -> ProofKey | None:
    """The key that tokens are to be bound to, if they are."""
    if isinstance(dpop, bool):
        return ProofKey() if dpop else None
    if not isinstance(dpop, ec.EllipticCurvePrivateKey) or not isinstance(dpop.curve, ec.SECP256R1):
        raise ValueError('"dpop" must be True or a private key on P-256')
    return ProofKey(dpop)


class TokenRequest:
    """The token endpoint is looked up once, and again after anything went wrong there."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._endpoint = settings.token_endpoint
        place = settings.issuer or settings.token_endpoint or ""
        self._pool = Pool(place, timeout=settings.timeout, transport=settings.transport)
        self._asker = Asker(self._pool, settings.authenticate, settings.proof_key, settings.now)

    async def send(self, form: Mapping[str, str | None]) -> IssuedToken:
        """Raises TokenRequestRefused for a no, AuthServerUnavailable for everything else that is no token."""
        issued, _ = await self.ask(form)
        return issued

    async def ask(self, form: Mapping[str, str | None]) -> tuple[IssuedToken, Members]:
        """The same, with all that was answered."""
        asked_at = self._settings.now()
        try:
            self._endpoint = self._endpoint or await self._discover()
            answer = await self._asker.post(self._endpoint, form)
            return judge(answer, asked_at, url=self._endpoint, bound=self._settings.proof_key is not None), answer
        except (AuthServerUnavailable, TokenRequestRefused):
            self._endpoint = self._settings.token_endpoint
            raise

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()

    async def _discover(self) -> str:
        return endpoint_in(await read_issuer_metadata(self._pool, self._settings.issuer or ""), "token_endpoint")


def judge(answer: Members, asked_at: float, *, url: str, bound: bool) -> IssuedToken:
    """RFC 6749 §5.1, RFC 6750 §4; RFC 9449 §5: a token of type Bearer is not bound, whoever asked for it."""
    value, token_type = answer.get("access_token"), answer.get("token_type")
    wanted = "DPoP" if bound else "Bearer"
    if not isinstance(value, str) or not is_bearer_token(value):
        raise unusable("no_token", url, "without a usable access_token")
    # What it says instead is not repeated: it could be the token.
    if not isinstance(token_type, str) or token_type.lower() != wanted.lower():
        raise unusable("token_type", url, f"with a token that is not of type {wanted}")
    return IssuedToken(value, *_times_of(answer.get("expires_in"), asked_at))


def _times_of(expires_in: object, asked_at: float) -> tuple[float, float]:
    """When to renew and when it ends: counted from before the request, renewed a tenth of the life ahead, at most a minute."""
    told = isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool) and 0 < expires_in < 2**53
    lifetime = float(expires_in) if told and isinstance(expires_in, (int, float)) else _UNKNOWN_LIFETIME_SECONDS
    expires_at = asked_at + lifetime
    return expires_at - min(60, lifetime / 10), expires_at
