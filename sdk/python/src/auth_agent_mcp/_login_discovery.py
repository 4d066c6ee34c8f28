"""Finds out, from nothing but the address of an MCP server, whom to ask for its tokens (RFC 9728, RFC 8414).

Every address in there is a stranger's word and judged before it is used. Not here: the login itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ._authorization_server import Members, parse_loosely
from ._http import Pool
from ._resource import is_loopback, origin_of, path_and_query, resource_problem
from ._scope import is_scope_token
from ._token_endpoint import read_issuer_metadata
from .errors import AuthServerUnavailable, TokenRequestRefused

_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_PARAMETER = re.compile(r'\b(resource_metadata|scope)="([^"\\]*)"')
_PRINTABLE = re.compile(r"[\x21-\x7E]+")
"""A URI is written in ASCII, without spaces (RFC 3986 §2)."""
_JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class LoginTarget:
    """Whom to ask, and for what."""

    issuer: str
    resource: str
    """As the MCP server calls itself, byte for byte: what the tokens are for."""
    scopes: Sequence[str]
    """What it asks for; nothing when it does not say."""
    metadata: Members


async def find_login_target(url: str, pool: Pool) -> LoginTarget:
    """Finds the authorization server of an MCP server.

    Raises TokenRequestRefused wrong_metadata, wrong_issuer, when what is found is for somebody else or nothing is found;
    AuthServerUnavailable when the authorization server cannot be asked.
    """
    challenge = await _read_challenge(url, pool)
    document = await _find_document(url, challenge.get("resource_metadata"), pool)
    resource, servers = document.get("resource"), document.get("authorization_servers")
    if not isinstance(resource, str) or not _speaks_for(resource, url):
        raise _wrong(f"{url} is guarded by metadata that is for another server")
    issuer = servers[0] if isinstance(servers, list) and servers else None
    if not isinstance(issuer, str) or "?" in issuer or not is_usable(issuer, url):
        raise _wrong(f"{url} names no usable authorization server")
    metadata = await read_issuer_metadata(pool, issuer)
    scopes = _scopes_of(challenge.get("scope", "").split(" ")) or _scopes_of(document.get("scopes_supported"))
    return LoginTarget(issuer, resource, scopes, metadata)


def is_usable(address: object, url: str) -> bool:
    """An address that a server on the net names must not lead to services of this computer, nor drive a terminal that shows it."""
    if not isinstance(address, str) or not _PRINTABLE.fullmatch(address) or resource_problem(address) is not None:
        return False
    return not is_loopback(address) or is_loopback(url)


async def _read_challenge(url: str, pool: Pool) -> dict[str, str]:
    """RFC 9728 §5.1. A server that answers anything but a challenge may still have metadata."""
    try:
        status, headers = await pool.peek(url, headers={"Accept": "application/json, text/event-stream"})
    except AuthServerUnavailable:
        return {}
    return dict(_PARAMETER.findall(headers.get("www-authenticate", ""))) if status == 401 else {}


async def _find_document(url: str, named: str | None, pool: Pool) -> Members:
    """MCP authorization: the address in the challenge, else the well-known one of the path, else that of the root."""
    origin = origin_of(url)
    rest = re.sub(r"^/(\?|$)", r"\1", path_and_query(url))
    if named is not None and is_usable(named, url):
        addresses = [named]
    else:
        addresses = list(dict.fromkeys([f"{origin}{_WELL_KNOWN}{rest}", f"{origin}{_WELL_KNOWN}"]))
    for address in addresses:
        answer = await pool.send("GET", address, headers=_JSON)
        document = parse_loosely(answer.body) if answer.status == 200 else {}
        if "resource" in document:
            return document
    raise _wrong(f"{url} has no metadata of a protected resource")


def _speaks_for(resource: str, url: str) -> bool:
    """RFC 9728 §3.3, and the practice of clients: this very address, or one above it by whole path segments on the same origin."""
    if resource_problem(resource) is not None or origin_of(resource) != origin_of(url):
        return False
    own, wanted = path_and_query(resource) or "/", path_and_query(url) or "/"
    path = wanted.partition("?")[0]
    return own in (wanted, path) or path.startswith(own if own.endswith("/") else f"{own}/")


def _scopes_of(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if is_scope_token(one)) if isinstance(value, list) else ()


def _wrong(what: str) -> TokenRequestRefused:
    return TokenRequestRefused("wrong_metadata", what)
