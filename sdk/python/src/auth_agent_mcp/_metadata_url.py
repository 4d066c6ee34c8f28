"""Addresses of RFC 9728 documents: where ours lives on its own origin, and what challenges point at (PRM-01, PRM-06, PRM-07)."""

from __future__ import annotations

from ._options import Settings
from ._resource import origin_of, path_and_query
from ._server_metadata import server_metadata_path

WELL_KNOWN = "/.well-known/oauth-protected-resource"
"""RFC 9728 §3: inserted between host and path of the resource."""


def metadata_path(resource: str) -> str:
    """Path, and query if the resource has one, of the document of a resource; a bare origin's is at the root (PRM-01)."""
    rest = path_and_query(resource)
    if rest == "/":
        return WELL_KNOWN
    return WELL_KNOWN + (rest[1:] if rest.startswith("/?") else rest)


def metadata_url(settings: Settings) -> str:
    """The document on our own origin when ``resource`` is configured, else the authorization server's about us."""
    if settings.resource is None:
        return settings.issuer + server_metadata_path(settings.server_id)
    return f"{origin_of(settings.resource)}{metadata_path(settings.resource)}"


def is_metadata_target(target: str) -> bool:
    """Whether a request target is for a metadata document, ours or not. Compared as received: nothing is decoded (RS-18)."""
    return target.startswith(WELL_KNOWN) and target[len(WELL_KNOWN) :][:1] in ("", "/", "?")
