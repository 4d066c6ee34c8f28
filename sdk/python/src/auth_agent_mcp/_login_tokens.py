"""The tokens of a person who signed in: renewed with the refresh token, which changes each time (RFC 6749 §6, OAuth 2.1 §4.3.1).

They are handed to whoever keeps them. Not here: how the person signed in (_device_login.py), when to renew (_agent.py).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypedDict, cast

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._agent import AgentTokens
from ._agent_request import AgentSettings, IssuedToken, TokenRequest, proof_key_of
from ._authorization_server import Members
from ._client_authentication import client_authentication
from ._client_key import ClientKey
from ._credentials import is_bearer_token
from ._options import check_timeout
from ._resource import resource_problem
from .errors import TokenRequestRefused

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class SavedLogin(TypedDict):
    """A login as plain JSON, to be kept where only its person can read it: whoever has it acts for them."""

    issuer: str
    token_endpoint: str
    resource: str
    client_id: str
    scope: NotRequired[str]
    """As granted, space-separated."""
    access_token: str
    refresh_token: NotRequired[str]
    expires_at: float
    """Of the access token, in epoch seconds."""
    bound: NotRequired[bool]
    """Its tokens are worth something only with the key that was given as ``dpop``."""


OnChange = Callable[[SavedLogin], "Awaitable[None] | None"]
"""Keeps a login: called with the first tokens, and whenever they changed, before they are used. The old ones are then worth nothing."""


class LoginTokens(AgentTokens):
    """The tokens of a login, as the ``auth`` of an ``httpx.AsyncClient`` like those of a machine.

    Made by ``device_login`` and ``resume_login``. Raises TokenRequestRefused ``invalid_grant`` or ``login_required`` when the person
    must sign in again.
    """

    def __init__(self, login: SavedLogin, settings: AgentSettings, first: IssuedToken, on_change: OnChange | None) -> None:
        """Of a login that has its first tokens."""
        self._begin(settings, TokenRequest(settings))
        self._current = first
        self._login: SavedLogin = login
        self._on_change = on_change

    def saved(self) -> SavedLogin:
        """The login as it is now."""
        return self._login.copy()

    async def _send(self) -> IssuedToken:
        if "refresh_token" not in self._login:
            raise TokenRequestRefused("login_required", "the login has ended, and it cannot be renewed")
        form = {"grant_type": "refresh_token", "refresh_token": self._login["refresh_token"], "resource": self._login["resource"]}
        issued, answer = await self._request.ask(form)
        self._login = changed(self._login, issued, answer)
        await hand_over(self._on_change, self._login)
        return issued


def resume_login(
    login: SavedLogin,
    *,
    client_secret: str | None = None,
    client_key: ClientKey | None = None,
    client_key_id: str | None = None,
    on_change: OnChange | None = None,
    dpop: ec.EllipticCurvePrivateKey | None = None,
    timeout: float = 5,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
) -> LoginTokens:
    """Goes on with a login that was kept. Nothing is asked until a token is needed.

    ``dpop`` is the key that the login began with. Raises ValueError naming the option, or the member of ``login``, that is wrong.

    >>> login = resume_login(json.loads(path.read_text()), on_change=keep)
    """
    _check(login)
    if not isinstance(dpop, ec.EllipticCurvePrivateKey) if login.get("bound") else dpop is not None:
        raise ValueError('"dpop" must be the key that the login began with, or nothing')
    given = {"client_secret": client_secret, "client_key": client_key, "client_key_id": client_key_id}
    settings = login_settings(
        dict(login), client_id=login["client_id"], **given, dpop=dpop or False, timeout=timeout, transport=transport, now=now
    )
    ends = login["expires_at"]
    return LoginTokens(login.copy(), settings, IssuedToken(login["access_token"], ends - 60, ends), on_change)


def _check(login: Any) -> None:
    if not isinstance(login, dict):
        raise ValueError("resume_login needs what on_change was called with")
    for name in ("client_id", "issuer"):
        if not isinstance(login.get(name), str):
            raise ValueError(f'"{name}" of the login must be a string')
    if isinstance(login.get("expires_at"), bool) or not isinstance(login.get("expires_at"), (int, float)):
        raise ValueError('"expires_at" of the login must be a number of seconds')
    for name in ("access_token", "refresh_token"):
        token = login.get(name)
        if not (isinstance(token, str) and is_bearer_token(token)) and (name in login or name == "access_token"):
            raise ValueError(f'"{name}" of the login must be a token')


def login_settings(place: dict[str, Any], *, timeout: float, dpop: object, **options: Any) -> AgentSettings:
    """The settings of an agent that acts in a login. Raises ValueError naming the option that is wrong."""
    for name in ("issuer", "token_endpoint", "resource"):
        problem = resource_problem(place.get(name))
        if problem:
            raise ValueError(f'"{name}" {problem}')
    transport, now = options.pop("transport"), options.pop("now")
    return AgentSettings(
        authenticate=client_authentication(**options, issuer=place["issuer"]),
        issuer=place["issuer"],
        token_endpoint=place["token_endpoint"],
        scope=None,
        resource=place["resource"],
        proof_key=proof_key_of(dpop),
        timeout=check_timeout(timeout),
        transport=transport,
        now=now,
    )


def changed(login: Any, issued: IssuedToken, answer: Members) -> SavedLogin:
    """RFC 6749 §6: a refresh token that comes along replaces the old one; without one the old one stays, and so does the scope."""
    refresh_token, scope = answer.get("refresh_token"), answer.get("scope")
    now = {**login, "access_token": issued.value, "expires_at": issued.expires_at}
    if isinstance(refresh_token, str) and is_bearer_token(refresh_token):
        now["refresh_token"] = refresh_token
    if isinstance(scope, str):
        now["scope"] = scope
    return cast("SavedLogin", now)


async def hand_over(on_change: OnChange | None, login: SavedLogin) -> None:
    """Waits until whoever keeps the login has it."""
    waiting = None if on_change is None else on_change(login.copy())
    if waiting is not None:
        await waiting
