"""AuthAgentClient: everything that needs the authorization server, in one object with one cache and one connection pool."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._authorization_server import AuthorizationServer
from ._credentials import MAX_TOKEN_LENGTH, is_bearer_token, token_hash
from ._dpop import ProofCheck
from ._hints import quote_for_log
from ._jwks import KeySource
from ._jwt import unverified_claims, verified_claims
from ._metadata_url import metadata_url
from ._options import AuthAgentOptions, Settings, check_options
from ._report import Reporter
from ._resource import accepted_audiences, origin_of
from ._server_metadata import RegisteredServer, ServerMetadata
from ._subject_token import keep_subject_token
from ._token_cache import TokenCache
from ._verify import AuthContext, Expectations, judge_claims, judge_introspection, thawed
from .errors import AuthenticationError

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


_SAME_ADDRESS = 'If both are this server, "resource" and its registered "server_url" must be the same to the letter.'


class AuthAgentClient:
    """Validates and revokes access tokens of one MCP server.

    >>> async with AuthAgentClient(server_id="srv_abc123", api_key="sk_xyz789") as client:
    ...     auth = await client.validate_token(token)
    """

    def __init__(self, **options: Unpack[AuthAgentOptions]) -> None:
        """Raises ValueError naming the option that is missing or wrong."""
        self.settings: Settings = check_options(**options)
        self._cache = TokenCache(lifetime=self.settings.cache_ttl, max_entries=self.settings.max_cache_entries)
        self._proofs = ProofCheck(self.settings)
        self._server = AuthorizationServer(self.settings)
        self.reporter = Reporter(self._server, on=self.settings.report and self.settings.api_key is not None)
        self._keys = KeySource(self._server, self.settings)
        self._registered = RegisteredServer(self._server, self.settings)
        self._none_good_yet = True

    @property
    def resource_metadata_url(self) -> str:
        """What challenges point at (PRM-06)."""
        return metadata_url(self.settings)

    async def validate_token(self, token: str) -> AuthContext:
        """Says on whose behalf a Bearer token speaks. A good answer is remembered for ``cache_ttl`` seconds and never past ``exp``.

        Scopes are not checked here. Raises AuthenticationError invalid_token, also for a token that is bound to a key;
        AuthServerUnavailable when it cannot be known.
        """
        if self.settings.dpop_required:
            raise AuthenticationError("invalid_token", "not_bound")
        auth = await self._read(token)
        # A token bound to a key is worth nothing as a bare Bearer token (RFC 9449 §7.2).
        if auth.jkt is not None:
            raise AuthenticationError("invalid_token", "key_bound")
        return auth

    async def validate_bound_token(self, token: str, *, proof: str | None, method: str, target: str) -> tuple[AuthContext, str | None]:
        """Says on whose behalf a token speaks that came with a proof (RFC 9449 §7.1), and the nonce to announce, if any.

        ``target`` is the path that was asked for. Raises AuthenticationError invalid_token, invalid_dpop_proof,
        use_dpop_nonce; AuthServerUnavailable when it cannot be known.
        """
        try:
            auth = await self._read(token)
        except AuthenticationError as error:
            raise AuthenticationError("invalid_token", error.reason, scheme="DPoP") from None
        url = f"{origin_of(auth.resource)}{target}"
        return auth, await self._proofs.check(auth, proof=proof, method=method, url=url)

    async def _read(self, token: str) -> AuthContext:
        if len(token) > MAX_TOKEN_LENGTH or not is_bearer_token(token):
            raise AuthenticationError("invalid_token", "malformed")
        hashed, now = token_hash(token), self.settings.now()
        auth = self._cache.find(hashed, now) or await self._cache.ask(hashed, lambda: self._verify(token, hashed), now)
        keep_subject_token(hashed, token)
        return auth

    async def stands(self, token: str) -> bool:
        """Whether a token that was good is still worth something, asked anew. Only a clear no counts against it. Never raises. Internal."""
        hashed = token_hash(token)
        try:
            await self._cache.ask(hashed, lambda: self._verify(token, hashed), self.settings.now())
        except AuthenticationError:
            self._cache.forget(hashed)
            return False
        except Exception:
            # An outage, or trouble of ours: the next look may find out more, so nobody stops looking.
            return True
        return True

    async def introspect_token(self, token: str) -> dict[str, Any]:
        """The RFC 7662 answer about a token, judged as in ``validate_token``; ``{"active": False}`` for whatever is not good.

        In local verification the claims of the token are the answer. Raises AuthServerUnavailable when it cannot be known.
        """
        try:
            return {**thawed((await self.validate_token(token)).claims), "active": True}
        except AuthenticationError:
            return {"active": False}

    async def revoke_token(self, token: str) -> None:
        """Revokes a token of this server, and forgets it here at once (RFC 7009).

        Raises AuthServerUnavailable when it is not certain that the token is revoked, ValueError without ``api_key``.
        """
        if self.settings.api_key is None:
            raise ValueError('"api_key" is needed to revoke tokens')
        await self._server.revoke(token)
        # Also an answer from before that is still on its way.
        self._cache.forget(token_hash(token))

    async def get_server_metadata(self) -> ServerMetadata:
        """What is registered for ``server_id``: resource identifier and scopes. Cached for an hour, and over outages.

        Raises AuthServerUnavailable when it was never read before.
        """
        return await self._registered.read()

    async def resource(self) -> str:
        """The identifier of this MCP server: the configured one, else the registered one."""
        return self.settings.resource or (await self.get_server_metadata()).resource

    async def aclose(self) -> None:
        """Sends what waits to be reported and closes the connections. What is asked afterwards opens new ones."""
        await self.reporter.aclose()
        await self._server.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _verify(self, token: str, hashed: str) -> AuthContext:
        resource = await self.resource()
        local = self.settings.verify == "local"
        claims = await (verified_claims(token, self._keys.find) if local else self._server.introspect(token))
        expected = Expectations(self.settings.issuer, resource, accepted_audiences(resource), self.settings.now(), self.settings.max_actors)
        try:
            auth = (judge_claims if local else judge_introspection)(claims, expected, hashed)
        except AuthenticationError as error:
            self._explain(error.reason, claims, resource)
            said = unverified_claims(token) if error.reason == "inactive" else {}
            if said:
                self._explain_inactive(said, expected, hashed)
            raise
        self._none_good_yet = False
        return auth

    def _explain(self, reason: str, claims: Mapping[str, Any], resource: str, about: str | None = None) -> None:
        """The caller learns only invalid_token; a wrong setup of our own must not be a riddle."""
        if reason == "audience":
            self.settings.hint(f"a token is for {quote_for_log(claims.get('aud'))}, this server is {resource}. {_SAME_ADDRESS}", about)
        if reason == "issuer":
            said = f'a token is from {quote_for_log(claims.get("iss"))}, "auth_server" is {self.settings.issuer}.'
            self.settings.hint(f"{said} They must be the same to the letter.", about)

    def _explain_inactive(self, said: Mapping[str, Any], expected: Expectations, hashed: str) -> None:
        """RFC 7662 §2.2: of a token that is not for who asks nothing is told. So it is taken at its word, for one line a minute."""
        try:
            judge_claims(said, expected, hashed)
        except AuthenticationError as error:
            self._explain(error.reason, said, expected.resource, about="inactive")
            return
        if self._none_good_yet:
            mixed_up = f'"api_key" is the key of another server than {self.settings.server_id}'
            self.settings.hint(f"a token for this server is not active, and none was so far. If none ever is, {mixed_up}.")
