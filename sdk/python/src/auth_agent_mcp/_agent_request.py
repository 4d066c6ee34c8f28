"""Asks for a token: finds the token endpoint (RFC 8414), authenticates the client, reads the answer (RFC 6749 §4.4, §5).

Not here: when to ask. The secret goes to the token endpoint and into nothing else; an outage is told apart from a refusal.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._authorization_server import Members, parse_loosely, parse_object
from ._credentials import is_bearer_token
from ._hints import quote_for_log
from ._http import Pool, ServerAnswer
from ._options import check_timeout
from ._proof_key import ProofKey
from ._resource import origin_of, path_and_query, resource_problem
from ._scope import is_scope_token
from .errors import AuthServerUnavailable, TokenRequestRefused

_NOT_APPROVED = "delegation_not_approved"
_UNKNOWN_LIFETIME_SECONDS = 60
"""RFC 6749 §5.1 lets a server leave ``expires_in`` out."""


@dataclass(frozen=True)
class AgentSettings:
    """The checked options of AgentTokens. The secret is in no ``repr``."""

    client_id: str
    client_secret: str = field(repr=False)
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
    for name in ("client_id", "client_secret"):
        if not isinstance(options[name], str) or not options[name]:
            raise ValueError(f'"{name}" must be a string that is not empty')
    scope = options["scope"]
    if scope is not None and not (isinstance(scope, str) and all(is_scope_token(one) for one in scope.split(" "))):
        raise ValueError('"scope" must be scopes separated by one space (RFC 6749 §3.3)')
    proof_key = _proof_key_of(options.pop("dpop"))
    return AgentSettings(proof_key=proof_key, timeout=check_timeout(timeout), now=now, transport=transport, **options)


def _proof_key_of(dpop: object) -> ProofKey | None:
    if isinstance(dpop, bool):
        return ProofKey() if dpop else None
    if not isinstance(dpop, ec.EllipticCurvePrivateKey) or not isinstance(dpop.curve, ec.SECP256R1):
        raise ValueError('"dpop" must be True or a private key on P-256')
    return ProofKey(dpop)


def times_of(expires_in: object, asked_at: float) -> tuple[float, float]:
    """When to renew and when it ends: counted from before the request, renewed a tenth of the life ahead, at most a minute."""
    told = isinstance(expires_in, (int, float)) and not isinstance(expires_in, bool) and 0 < expires_in < 2**53
    lifetime = float(expires_in) if told and isinstance(expires_in, (int, float)) else _UNKNOWN_LIFETIME_SECONDS
    expires_at = asked_at + lifetime
    return expires_at - min(60, lifetime / 10), expires_at


def metadata_address(issuer: str) -> str:
    """The well-known part goes between host and path (RFC 8414 §3.1)."""
    return f"{origin_of(issuer)}/.well-known/oauth-authorization-server{path_and_query(issuer).removesuffix('/')}"


class TokenRequest:
    """The token endpoint is looked up once, and again after anything went wrong there."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._endpoint = settings.token_endpoint
        place = settings.issuer or settings.token_endpoint or ""
        self._pool = Pool(place, timeout=settings.timeout, transport=settings.transport)

    async def send(self, form: Mapping[str, str | None]) -> IssuedToken:
        """Raises TokenRequestRefused for a no, AuthServerUnavailable for everything else that is no token."""
        settings, asked_at = self._settings, self._settings.now()
        headers = {"Accept": "application/json", "Authorization": _basic_credentials(settings)}
        try:
            self._endpoint = self._endpoint or await self._discover()
            present = {name: value for name, value in form.items() if value is not None}
            answer = await self._ask(self._endpoint, headers, present)
            if answer.status != 200:
                raise _refusal(answer, settings.client_secret)
            return _judge(parse_object(answer.body), asked_at, "dpop" if settings.proof_key else "bearer")
        except (AuthServerUnavailable, TokenRequestRefused):
            self._endpoint = settings.token_endpoint
            raise

    async def _ask(self, url: str, headers: dict[str, str], form: dict[str, str]) -> ServerAnswer:
        """With a proof where tokens are to be bound; repeated once with the nonce that the server wants (RFC 9449 §8)."""
        key = self._settings.proof_key
        if key is None:
            return await self._pool.send("POST", url, headers=headers, form=form)
        for repeated in (False, True):
            proof = key.prove("POST", url, now=self._settings.now())
            answer = await self._pool.send("POST", url, headers={**headers, "DPoP": proof.value}, form=form)
            error = parse_loosely(answer.body).get("error") if answer.status in (400, 401) else None
            if not key.learn(url, proof, answer.headers, error) or repeated:
                break
        return answer

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()

    async def _discover(self) -> str:
        """RFC 8414 §3.3: the ``issuer`` of the document must be identical to the one it was made from."""
        wanted = self._settings.issuer or ""
        answer = await self._pool.send("GET", metadata_address(wanted), headers={"Accept": "application/json"})
        if answer.status != 200:
            raise AuthServerUnavailable(f"status_{answer.status}")
        document = parse_object(answer.body)
        if document.get("issuer") != wanted:
            called = quote_for_log(document.get("issuer"))
            raise TokenRequestRefused("wrong_issuer", f'"issuer" is {wanted}, but there it is called {called}')
        endpoint = document.get("token_endpoint")
        if not isinstance(endpoint, str) or resource_problem(endpoint):
            raise TokenRequestRefused("wrong_metadata", "it names no usable token_endpoint")
        return endpoint


def _basic_credentials(settings: AgentSettings) -> str:
    """RFC 6749 §2.3.1: both halves are form-encoded before they become Basic credentials."""
    pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _refusal(answer: ServerAnswer, secret: str) -> AuthServerUnavailable | TokenRequestRefused:
    """400 and 401 with an OAuth error are a no; everything else is an outage."""
    members = parse_loosely(answer.body) if answer.status in (400, 401) else {}
    error, said = members.get("error"), members.get("error_description")
    if not isinstance(error, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", error):
        return AuthServerUnavailable(f"status_{answer.status}")
    # RFC 8693 knows no code of its own for this one, and it is the one that a server can do something about.
    error = _NOT_APPROVED if members.get("code") == _NOT_APPROVED else error
    # Whatever a server says, our secret gets into no log.
    return TokenRequestRefused(error, quote_for_log(said.replace(secret, "********")) if isinstance(said, str) else "")


def _judge(answer: Members, asked_at: float, expected: str) -> IssuedToken:
    """RFC 6749 §5.1, RFC 6750 §4; RFC 9449 §5: a token of type Bearer is not bound, whoever asked for it."""
    value, token_type = answer.get("access_token"), answer.get("token_type")
    if not isinstance(value, str) or not is_bearer_token(value):
        raise AuthServerUnavailable("no_token")
    if not isinstance(token_type, str) or token_type.lower() != expected:
        raise AuthServerUnavailable("token_type")
    return IssuedToken(value, *times_of(answer.get("expires_in"), asked_at))
