"""Calls another MCP server for the person whose agent called this one (RFC 8693).

The token that came in is exchanged for one that is good there only and says who acts through whom. It is never sent anywhere but
to the authorization server (RS-09). For servers that call servers.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._agent import AgentTokens
from ._agent_request import AgentSettings, IssuedToken, TokenRequest, check_agent_options
from ._client_key import ClientKey
from ._resource import accepted_audiences, resource_problem
from ._scope import is_scope_token
from ._subject_token import keep_subject_tokens, subject_token
from ._verify import AuthContext
from .errors import TokenRequestRefused

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
_MOST_AGENTS = 10_000


class AccessTokenLike(Protocol):
    """``AccessToken`` of the official MCP SDK or FastMCP, as our verifiers make it: ``token`` is the hash."""

    token: str
    resource: Any


class TokenExchange:
    """Exchanges what callers bring for tokens with which this server acts for them elsewhere.

    Make it at start, beside the guard: tokens of requests before that cannot be exchanged.

    >>> onward = TokenExchange(issuer="https://auth.example.com", client_id="…", client_secret="…")
    >>> notes = onward.on_behalf_of(request.state.auth, "https://notes.example.com/mcp", ["notes:read"])
    >>> async with httpx.AsyncClient(auth=notes) as http:
    ...     response = await http.get("https://notes.example.com/mcp")
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str | None = None,
        client_key: ClientKey | None = None,
        client_key_id: str | None = None,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        dpop: bool | ec.EllipticCurvePrivateKey = False,
        timeout: float = 5,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """The client is the one that speaks for this MCP server (``auth-agent clients add --speaks-for``).

        Exactly one of ``issuer`` and ``token_endpoint``, and one of ``client_secret`` and ``client_key``, as for
        AgentTokens. Raises ValueError naming the option that is missing or wrong.
        """
        self._settings: AgentSettings = check_agent_options(
            client_id=client_id,
            client_secret=client_secret,
            client_key=client_key,
            client_key_id=client_key_id,
            issuer=issuer,
            token_endpoint=token_endpoint,
            scope=None,
            resource=None,
            dpop=dpop,
            timeout=timeout,
            transport=transport,
            now=now,
        )
        self._request = TokenRequest(self._settings)
        self._agents: OrderedDict[tuple[str, str, str | None], _ExchangedTokens] = OrderedDict()
        keep_subject_tokens()

    async def exchange(self, caller: AuthContext | AccessTokenLike, resource: str, scopes: Sequence[str] = ()) -> str:
        """An access token with which this server acts for the caller at ``resource``. Without scopes: all there is in common.

        Asked for once, and again when it is about to end. Raises TokenRequestRefused, with the code ``delegation_not_approved``
        when the person has not allowed this server to act for them there, ``invalid_request`` when the caller's token has
        ended, ``invalid_scope`` when it does not reach that far; AuthServerUnavailable when nobody can be asked.
        """
        return await self.on_behalf_of(caller, resource, scopes).token()

    def on_behalf_of(self, caller: AuthContext | AccessTokenLike, resource: str, scopes: Sequence[str] = ()) -> AgentTokens:
        """The same as the ``auth`` of an ``httpx.AsyncClient``, which sends the token to the origin of ``resource`` only.

        Raises ValueError for anything that is not the context of a request that was let through in this process.
        """
        token_hash, own = _caller(caller)
        subject = subject_token(token_hash)
        if subject is None:
            raise ValueError("only the context of a request that the guard of this process let through can be exchanged")
        settings = replace(self._settings, resource=resource, scope=_check_target(resource, scopes, own))
        key = (token_hash, resource, settings.scope)
        agent = self._agents.pop(key, None) or _ExchangedTokens(settings, self._request, subject)
        self._agents[key] = agent
        if len(self._agents) > _MOST_AGENTS:
            self._agents.popitem(last=False)
        return agent

    async def aclose(self) -> None:
        """Closes the connections to the authorization server."""
        await self._request.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


class _ExchangedTokens(AgentTokens):
    """AgentTokens whose tokens come of an exchange. The connections are the exchange's."""

    def __init__(self, settings: AgentSettings, request: TokenRequest, subject: str) -> None:
        self._begin(settings, request)
        self._subject = subject

    async def _send(self) -> IssuedToken:
        form = {
            "grant_type": _GRANT_TYPE,
            "subject_token": self._subject,
            "subject_token_type": _ACCESS_TOKEN,
            "resource": self._settings.resource,
            "scope": self._settings.scope,
        }
        issued = await self._request.send(form)
        # RS-09: whatever the authorization server answers, the caller's token does not travel on.
        if issued.value == self._subject:
            raise TokenRequestRefused("wrong_token", "it answered with the token that was to be exchanged")
        return issued

    async def aclose(self) -> None:
        """Nothing of its own to close."""


def _caller(caller: object) -> tuple[str, frozenset[str]]:
    """The hash of the caller's token and the names of this server. A raw token is no caller: who has one got around the guard."""
    if isinstance(caller, AuthContext):
        return caller.token_hash, frozenset(caller.audience)
    token_hash, resource = getattr(caller, "token", None), getattr(caller, "resource", None)
    if not isinstance(token_hash, str):
        raise ValueError("the caller must be the context of a request, not a token")
    return token_hash, accepted_audiences(str(resource)) if resource is not None else frozenset()


def _check_target(resource: str, scopes: Sequence[str], own: frozenset[str]) -> str | None:
    """The rules for ``resource`` are those of an agent's."""
    if isinstance(scopes, str) or not all(is_scope_token(scope) for scope in scopes):
        raise ValueError('"scopes" must be a list of scopes (RFC 6749 §3.3)')
    problem = resource_problem(resource)
    if problem:
        raise ValueError(f'"resource" {problem}')
    if resource in own:
        raise ValueError('"resource" must be another server than this one')
    return " ".join(scopes) or None
