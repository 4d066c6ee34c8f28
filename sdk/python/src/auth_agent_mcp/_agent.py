"""Access tokens for a machine that acts as itself: fetched, remembered and renewed (RFC 6749 §4.4).

For whoever calls a protected server, not for the server: nothing here judges tokens. The requests are in _agent_request.py.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._agent_request import AgentSettings, IssuedToken, TokenRequest, check_agent_options
from ._client_key import ClientKey
from ._flight import Flight
from ._proof_key import Proof
from ._resource import is_loopback, origin_of

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_PAUSE_SECONDS = 10
"""After a renewal that failed ahead of time, until the next attempt."""


class AgentTokens(httpx.Auth):
    """The tokens of a machine client. However many calls need one at the same time, one request is made.

    As the ``auth`` of an ``httpx.AsyncClient`` it sends the token, and after a 401 asks for a new one and repeats the request
    once, unless its body is a stream.

    >>> agent = AgentTokens(issuer="https://auth.example.com", client_id="…", client_secret="…", resource="https://tasks.example.com")
    >>> async with httpx.AsyncClient(auth=agent) as http:
    ...     response = await http.get("https://tasks.example.com/api/tasks")
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
        scope: str | None = None,
        resource: str | None = None,
        dpop: bool | ec.EllipticCurvePrivateKey = False,
        timeout: float = 5,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Exactly one of ``issuer`` and ``token_endpoint``, and one of ``client_secret`` and ``client_key``. ``scope`` is
        space-separated; default what the client is registered for.

        ``client_key`` is the private key whose public half is registered for the client (``private_key_jwt``, RFC 7523): it signs a
        statement for each request and goes nowhere. ``client_key_id`` is its ``kid``, by default that of the JWK. It needs ``issuer``.
        With ``resource`` the token goes to its origin only. With ``dpop`` tokens are bound to a key (RFC 9449), which is made
        here unless one on P-256 is given; then the token alone opens nothing. Raises ValueError naming the option that is missing or wrong.
        """
        settings = check_agent_options(
            client_id=client_id,
            client_secret=client_secret,
            client_key=client_key,
            client_key_id=client_key_id,
            issuer=issuer,
            token_endpoint=token_endpoint,
            scope=scope,
            resource=resource,
            dpop=dpop,
            timeout=timeout,
            transport=transport,
            now=now,
        )
        self._begin(settings, TokenRequest(settings))

    def _begin(self, settings: AgentSettings, request: TokenRequest) -> None:
        self._settings, self._request = settings, request
        self._flight = Flight[IssuedToken]()
        self._current: IssuedToken | None = None
        self._paused_until = float("-inf")

    async def token(self, *, refused: str | None = None) -> str:
        """An access token that is good for now. ``refused`` is one that somebody just answered 401 to.

        Raises TokenRequestRefused when the authorization server says no, AuthServerUnavailable when it cannot be asked and no
        token is left.
        """
        now = self._settings.now()
        usable = self._usable(now, refused)
        if usable is not None and (now < usable.renew_at or now < self._paused_until):
            return usable.value
        try:
            return (await self._flight.join(self._replace)).value
        except Exception:
            # Ahead of its time a failure costs nothing yet; if it lasts, it is told at the end of the old token.
            if usable is not None and self._settings.now() < usable.expires_at:
                return usable.value
            raise

    def check_target(self, url: str) -> None:
        """A token in the wrong place belongs to whoever reads it there (RFC 6750 §5.2, RFC 8707 §2)."""
        origin, resource = origin_of(url), self._settings.resource
        if origin is None or not (origin.startswith("https:") or is_loopback(url)):
            raise ValueError(f"{origin or 'the address'} must be https (http is for loopback only)")
        if resource is not None and origin != origin_of(resource):
            raise ValueError(f"the token is for {resource}, not for {origin}")

    async def attempts(
        self, method: str, url: str, *, repeatable: bool
    ) -> AsyncGenerator[dict[str, str] | None, tuple[int, Mapping[str, str]] | None]:
        """Yields the headers of each attempt at a request, is told status and headers of its answer, and yields None at the end."""
        self.check_target(url)
        first = token = await self.token()
        given_nonce = False
        while True:
            headers, proof = self._presented(token, method, url)
            answered = yield headers
            status, said = answered if answered is not None else (0, {})
            key = self._settings.proof_key
            wants_nonce = key is not None and proof is not None and key.learn(url, proof, said)
            if repeatable and wants_nonce and not given_nonce:
                given_nonce = True
            elif repeatable and status == 401 and token is first:
                token, given_nonce = await self.token(refused=first), False
            else:
                break
        yield None

    def _presented(self, token: str, method: str, url: str) -> tuple[dict[str, str], Proof | None]:
        """A bound token comes with a proof for this very request (RFC 9449 §7.1)."""
        key = self._settings.proof_key
        if key is None:
            return {"Authorization": f"Bearer {token}"}, None
        proof = key.prove(method, url, now=self._settings.now(), access_token=token)
        return {"Authorization": f"DPoP {token}", "DPoP": proof.value}, proof

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """What ``httpx.AsyncClient`` calls."""
        # Asked before it is sent: some transports read a stream and put what they read in its place.
        attempts = self.attempts(request.method, str(request.url), repeatable=isinstance(request.stream, httpx.ByteStream))
        answered: tuple[int, Mapping[str, str]] | None = None
        while (headers := await attempts.asend(answered)) is not None:
            request.headers.update(headers)
            response = yield request
            answered = (response.status_code, response.headers)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Refuses: a blocking client has no event loop to share one request in."""
        raise RuntimeError("AgentTokens needs httpx.AsyncClient")

    async def aclose(self) -> None:
        """Closes the connections to the authorization server."""
        await self._request.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _usable(self, now: float, refused: str | None) -> IssuedToken | None:
        current = self._current
        return current if current is not None and current.value != refused and now < current.expires_at else None

    async def _replace(self) -> IssuedToken:
        try:
            self._current = await self._send()
        except Exception:
            self._paused_until = self._settings.now() + _PAUSE_SECONDS
            raise
        return self._current

    async def _send(self) -> IssuedToken:
        """RFC 6749 §4.4."""
        scope, resource = self._settings.scope, self._settings.resource
        return await self._request.send({"grant_type": "client_credentials", "scope": scope, "resource": resource})
