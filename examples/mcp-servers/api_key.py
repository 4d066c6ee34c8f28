"""The key with which the notes server asks about tokens.

An owner makes one and sets SERVER_ID and API_KEY. In development mode the management API needs no credentials, so there the
program makes its own, and deletes it at its end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

LIFETIME_SECONDS = 7 * 86_400
"""Longer than anybody looks at an example."""


class SetupError(Exception):
    """Says what is wrong and what to do."""


@dataclass(frozen=True)
class ApiKey:
    server_id: str
    secret: str = field(repr=False)


@contextmanager
def api_key(auth_server: str, resource: str) -> Iterator[ApiKey]:
    """A key of the server registered for ``resource``. Raises SetupError."""
    if "API_KEY" in os.environ:
        yield ApiKey(os.environ.get("SERVER_ID", "srv_notes"), os.environ["API_KEY"])
        return
    with httpx.Client(base_url=auth_server, timeout=5, trust_env=False) as http:
        try:
            server_id = registered_as(resource, http)
            wanted = {"name": "oauth_protected_server.py", "expires_in": LIFETIME_SECONDS}
            made = said(http.post(f"/api/servers/{server_id}/keys", json=wanted))
        except httpx.TransportError:
            start = "uv run python examples/mcp-servers/oauth_auth_server.py"
            raise SetupError(f"Nobody answers at {auth_server}. Start the authorization server first: {start}") from None
        try:
            yield ApiKey(server_id, made["key_secret"])
        finally:
            # Best effort: without it the key ends by itself.
            with suppress(httpx.TransportError):
                http.delete(f"/api/servers/{server_id}/keys/{made['key_id']}")


def registered_as(resource: str, http: httpx.Client) -> str:
    """The id under which the authorization server knows ``resource``, which may be new."""
    for server in said(http.get("/api/servers"))["servers"]:
        if server["resource"] == resource:
            return str(server["server_id"])
    scopes = [
        {"name": "mcp:read", "description": "Read your notes and profile", "group": "see"},
        {"name": "mcp:write", "description": "Write notes", "group": "change"},
    ]
    made = http.post("/api/servers", json={"server_url": resource, "server_name": "Secure Notes", "scopes": scopes})
    return str(said(made)["server_id"])


def said(response: httpx.Response) -> Any:
    if response.status_code in (401, 403):
        raise SetupError(f"{response.url.host} gives no key to strangers. Make one (auth-agent keys create) and set SERVER_ID and API_KEY")
    if not response.is_success:
        raise SetupError(f"{response.url} answered {response.status_code}. Is that an authorization server?")
    return response.json()
