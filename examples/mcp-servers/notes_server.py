"""The tools and resources, as one FastMCP server. Who calls is for the transport to say; here is only what a caller may do and gets."""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastmcp import FastMCP
from fastmcp.exceptions import FastMCPError
from fastmcp.server.auth import AuthProvider
from notes import Notes
from pydantic import Field

QUOTA = 10_000
"""Requests that a person has in a month."""

TOOL_SCOPES = {"create_secure_note": ["mcp:write"]}
"""What tools need on top of mcp:read, without which nothing here answers."""

Title = Annotated[str, Field(max_length=200)]
Content = Annotated[str, Field(max_length=100_000)]


class Refused(FastMCPError):
    """Told to the client as it is. A line in the log, without a traceback: it is no failure of the server."""

    def __init__(self, said: str) -> None:
        super().__init__(said, log_level=logging.INFO)


@dataclass(frozen=True)
class Caller:
    user_id: str
    email: str | None
    name: str | None
    signed_in_at: int
    scopes: list[str]


def caller_of(claims: Mapping[str, Any], scopes: list[str]) -> Caller:
    """The person whom an introspection answer is about."""
    signed_in_at = int(claims.get("auth_time") or claims.get("iat") or time.time())
    return Caller(claims["sub"], claims.get("email"), claims.get("name") or claims.get("username"), signed_in_at, scopes)


def make_server(notes: Notes, who_calls: Callable[[], Awaitable[Caller]], auth: AuthProvider | None = None) -> FastMCP[Any]:
    """``who_calls`` raises when nobody does."""
    server: FastMCP[Any] = FastMCP("oauth-protected", auth=auth, mask_error_details=True)

    async def enter(scopes: Sequence[str] = (), characters: int = 0) -> Caller:
        """Every tool and resource begins here: who it is, whether they may, and one request more on their account."""
        caller = await who_calls()
        missing = {"mcp:read", *scopes}.difference(caller.scopes)
        if missing:
            raise Refused(f"This needs {' and '.join(sorted(missing))}: sign in again and allow it")
        if notes.count(caller.user_id, this_month(), characters) > QUOTA:
            raise Refused("The requests of this month are used up")
        return caller

    def profile_of(caller: Caller) -> dict[str, Any]:
        return {
            "user_id": caller.user_id,
            "email": caller.email,
            "name": caller.name,
            "created_at": iso(notes.meet(caller.user_id, now())),
            "last_login": iso(caller.signed_in_at),
            "permissions": caller.scopes,
        }

    @server.tool
    async def get_user_profile() -> dict[str, Any]:
        """Get the authenticated user's profile: id, e-mail, name and permissions."""
        return profile_of(await enter())

    @server.tool
    async def create_secure_note(content: Content, title: Title = "Untitled") -> dict[str, str]:
        """Create a note that only the authenticated user can read."""
        caller = await enter(TOOL_SCOPES["create_secure_note"], len(content))
        return {"note_id": notes.add(caller.user_id, title, content, now()), "title": title}

    @server.tool
    async def list_secure_notes() -> dict[str, Any]:
        """List all notes of the authenticated user with previews."""
        return {"notes": notes.previews((await enter()).user_id)}

    @server.tool
    async def get_api_usage() -> dict[str, Any]:
        """Get what the authenticated user used this month and what is left."""
        requests, characters = notes.used((await enter()).user_id, this_month())
        # No model runs here; four characters of a note count as one token.
        return {"month": this_month(), "requests": requests, "tokens_used": -(-characters // 4), "quota_remaining": QUOTA - requests}

    @server.resource("user://profile", mime_type="application/json")
    async def profile() -> str:
        """The authenticated user's profile."""
        return json.dumps(profile_of(await enter()))

    @server.resource("user://notes/{note_id}", mime_type="text/plain")
    async def note(note_id: str) -> str:
        """One note of the authenticated user."""
        caller = await enter()
        content = notes.content(caller.user_id, note_id)
        if content is None:
            raise Refused("There is no such note")
        return content

    return server


def now() -> int:
    return int(time.time())


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def this_month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")
