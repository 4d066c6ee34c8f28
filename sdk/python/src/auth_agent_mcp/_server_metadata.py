"""What the authorization server has registered about this MCP server, from the RFC 9728 document it publishes.

Fetched once an hour, single flight; while the authorization server is down the last known document stays good.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._authorization_server import AuthorizationServer, Members
from ._flight import Flight
from ._hints import quote_for_log
from ._options import Settings
from ._resource import canonical_resource, resource_problem
from ._scope import is_scope_token
from .errors import AuthServerUnavailable

_FRESH_SECONDS = 3600
_RETRY_SECONDS = 30


@dataclass(frozen=True)
class ServerMetadata:
    """What is registered for ``server_id``. ``resource`` is canonical, the ``aud`` of its tokens."""

    resource: str
    scopes: tuple[str, ...]
    name: str | None = None


def server_metadata_path(server_id: str) -> str:
    """Path of the document below the issuer."""
    return f"/.well-known/oauth-protected-resource/{server_id}"


class RegisteredServer:
    """Reads the registered metadata. Raises AuthServerUnavailable only while nothing was ever read."""

    def __init__(self, server: AuthorizationServer, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._known: ServerMetadata | None = None
        self._until = 0.0
        self._flight = Flight[ServerMetadata]()

    async def read(self) -> ServerMetadata:
        """The metadata as last read, at most an hour ago unless there is an outage."""
        if self._known is not None and self._settings.now() < self._until:
            return self._known
        return await self._flight.join(self._refresh)

    async def _refresh(self) -> ServerMetadata:
        try:
            metadata = _judge(await self._server.get_document(server_metadata_path(self._settings.server_id)), self._settings)
        except AuthServerUnavailable:
            if self._known is None:
                raise
            self._until = self._settings.now() + _RETRY_SECONDS
            return self._known
        self._known, self._until = metadata, self._settings.now() + _FRESH_SECONDS
        return metadata


def _judge(document: Members, settings: Settings) -> ServerMetadata:
    resource, servers = document.get("resource"), document.get("authorization_servers")
    if not isinstance(resource, str) or resource_problem(resource):
        raise _refused(f"names no usable resource: {quote_for_log(resource)}", settings)
    # PRM-10: byte for byte. Another issuer here means another server than the one we were told to trust.
    if not isinstance(servers, list) or settings.issuer not in servers:
        raise _refused(
            f'names other authorization servers: {quote_for_log(servers)}. "auth_server" must be one of them, to the letter.', settings
        )
    if settings.resource is not None and canonical_resource(settings.resource) != canonical_resource(resource):
        registered = quote_for_log(resource)
        settings.hint(f'"resource" is {settings.resource}, but {settings.server_id} is registered as {registered}: tokens will be refused.')
    scopes, name = document.get("scopes_supported"), document.get("resource_name")
    return ServerMetadata(
        resource=resource,
        scopes=tuple(scope for scope in scopes if is_scope_token(scope)) if isinstance(scopes, list) else (),
        name=name if isinstance(name, str) and name else None,
    )


def _refused(what: str, settings: Settings) -> AuthServerUnavailable:
    settings.hint(f"the document about {settings.server_id} at {settings.issuer} {what}")
    return AuthServerUnavailable("server_metadata")
