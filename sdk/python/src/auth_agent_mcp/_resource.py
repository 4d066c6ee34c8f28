"""The identifier of the MCP server we stand before, and the audiences that mean it (RFC 8707 §2, RFC 9728 §1.2, D3).

Tokens carry the canonical registered form; the only laxness is the slash of a bare root.
"""

from __future__ import annotations

import ipaddress
import re

_URL = re.compile(r"(?i:https?)://[^/?#@\\\s]+(?:[/?][^#\\\s]*)?")
_AUTHORITY = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?", re.IGNORECASE)
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|\?|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|\[::1\]|127(?:\.\d{1,3}){3}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """Scheme, host and port in canonical form, or None for what is no http(s) URL with an ASCII host."""
    match = _AUTHORITY.match(url)
    if match is None or url[match.end() : match.end() + 1] not in ("", "/", "?", "#"):
        return None
    scheme, host = match["scheme"].lower(), _canonical_host(match["host"].lower())
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if host is None or port > 65535:
        return None
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def is_loopback(url: str) -> bool:
    """Whether plain http is acceptable because nothing leaves this machine."""
    match = _AUTHORITY.match(origin_of(url) or "")
    return match is not None and _LOOPBACK.fullmatch(match["host"]) is not None


def resource_problem(value: object) -> str | None:
    """What is wrong with a resource identifier: absolute https (http on loopback), no fragment, userinfo or dot segments."""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        return "must be an absolute URL without fragment and userinfo"
    origin = origin_of(value)
    if origin is None:
        return "must be an absolute URL with an ASCII host"
    if not origin.startswith("https:") and not is_loopback(value):
        return "must be https (http is for loopback only)"
    if _DOT_SEGMENT.search(path_and_query(value)):
        return "must not contain dot segments"
    return None


def canonical_resource(value: str) -> str:
    """Scheme and host in lower case, no default port, no slash at a bare root; the path stays byte for byte."""
    rest = path_and_query(value)
    return (origin_of(value) or "") + ("" if rest == "/" else rest)


def accepted_audiences(resource: str) -> frozenset[str]:
    """RS-08: the exact strings that name us in ``aud``; for a bare origin its twin with the slash as well."""
    canonical = canonical_resource(resource)
    return frozenset({canonical, f"{canonical}/"} if path_and_query(canonical) == "" else {canonical})


def path_and_query(value: str) -> str:
    """What follows the authority, byte for byte as it was written."""
    match = re.match(r"(?i:https?)://[^/?#]+([^#]*)", value)
    return match[1] if match else ""


def _canonical_host(host: str) -> str | None:
    if not host.startswith("["):
        return host
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        return None
