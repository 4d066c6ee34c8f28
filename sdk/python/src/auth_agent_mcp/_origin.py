"""Browsers: which origins may call the MCP endpoint, and the CORS headers they need (CORS-08, CORS-09).

A page that rebinds its name to our address still sends its own Origin, so an unknown one is refused. Clients that are no
browsers send none and pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._challenge import Answer, json_answer
from ._options import Settings
from ._resource import is_loopback, origin_of

_REQUEST_HEADERS = "Authorization, Content-Type, Accept, DPoP, MCP-Protocol-Version, Mcp-Session-Id, Last-Event-ID, Mcp-Method, Mcp-Name"
_METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


def is_allowed_origin(origin: str, settings: Settings) -> bool:
    """Whether configuration alone admits the origin. ``null``, the origin of sandboxed pages and files, never is."""
    if settings.allowed_origins == "*" or origin in settings.allowed_origins:
        return True
    return settings.loopback_origins and origin_of(origin) == origin and is_loopback(origin)


def cors_headers(origin: str | None, settings: Settings) -> Mapping[str, str]:
    """Headers of every answer to a browser, refusals among them: otherwise its script cannot read the challenge."""
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": "*" if settings.allowed_origins == "*" else origin,
        "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After",
        "Vary": "Origin",
    }


def options_answer(origin: str | None) -> Answer:
    """Answers OPTIONS, so that a preflight is never 401 and no handler ever sees a request that nobody checked."""
    if origin is None:
        return Answer(204, {"Allow": _METHODS})
    return Answer(
        204,
        {
            "Allow": _METHODS,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )


def origin_refused() -> Answer:
    """Refuses an origin. Says which option admits it, and does not repeat it."""
    said = 'This Origin is not in the "allowed_origins" of the MCP server'
    return json_answer(403, {"error": "origin_not_allowed", "error_description": said})
