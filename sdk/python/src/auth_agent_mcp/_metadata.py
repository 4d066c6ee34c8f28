"""The RFC 9728 document on the MCP server's own origin, where most clients look first, and who may read it (everybody).

Every URL comes from configuration, never from Host (PRM-07).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ._challenge import Answer, json_answer
from ._client import AuthAgentClient
from ._dpop_proof import PROOF_ALGORITHMS
from ._metadata_url import WELL_KNOWN, metadata_path
from ._options import Settings
from ._scope import challenge_scopes
from ._server_metadata import ServerMetadata
from .errors import AuthServerUnavailable

_PUBLIC_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "MCP-Protocol-Version, Accept, Content-Type",
}


async def metadata_answer(method: str, target: str, client: AuthAgentClient) -> Answer:
    """200, 204 to OPTIONS, 405, 404 when it is of another resource, 503 while that cannot be known."""
    if method == "OPTIONS":
        return Answer(204, {**_PUBLIC_HEADERS, "Access-Control-Max-Age": "3600"})
    if method not in ("GET", "HEAD"):
        return json_answer(405, {"error": "method_not_allowed"}, {**_PUBLIC_HEADERS, "Allow": "GET, HEAD, OPTIONS"})
    try:
        answer = await _find_document(target, client)
    except AuthServerUnavailable as error:
        body = {"error": error.code, "error_description": error.text}
        answer = json_answer(error.status, body, {**_PUBLIC_HEADERS, "Retry-After": str(error.retry_after)})
    return replace(answer, body=b"") if method == "HEAD" else answer


async def _find_document(target: str, client: AuthAgentClient) -> Answer:
    if _is_document_target(target, await client.resource(), alone=not client.settings.shared_host):
        return await _document_answer(client)
    body = {"error": "not_found", "error_description": "No protected resource has its metadata at this address"}
    return json_answer(404, body, _PUBLIC_HEADERS)


def _is_document_target(target: str, resource: str, *, alone: bool) -> bool:
    """PRM-01, PRM-02. A query that is not part of the resource is ignored: clients and caches add their own."""
    own, path = metadata_path(resource), target.partition("?")[0]
    return (target if "?" in own else path) == own or (alone and path == WELL_KNOWN)


async def _document_answer(client: AuthAgentClient) -> Answer:
    """While the authorization server is down the list of scopes is what this server is known to need."""
    settings = client.settings
    try:
        registered = await client.get_server_metadata()
    except AuthServerUnavailable:
        if settings.resource is None:
            raise
        registered = None
    document = _document(settings, registered)
    return json_answer(200, document, {**_PUBLIC_HEADERS, "Cache-Control": f"public, max-age={3600 if registered else 60}"})


def _document(settings: Settings, registered: ServerMetadata | None) -> dict[str, Any]:
    known = registered.scopes if registered else challenge_scopes([settings.required_scopes, *settings.tool_scopes.values()], {})
    scopes = [one for one in known if one != "offline_access" and (one != "openid" or one in settings.required_scopes)]
    document: dict[str, Any] = {
        "resource": settings.resource or (registered.resource if registered else None),
        "authorization_servers": [settings.issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }
    if settings.dpop_required:
        document["dpop_bound_access_tokens_required"] = True
    # RFC 9728 §3.2: no empty lists.
    if scopes:
        document["scopes_supported"] = scopes
    if registered and registered.name:
        document["resource_name"] = registered.name
    return document
