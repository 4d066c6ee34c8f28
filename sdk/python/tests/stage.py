"""A stage on which a small HTTP server plays the authorization server, in whatever state a test needs.

``ask`` puts an ASGI application behind the middleware and gives a client for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from auth_agent_mcp import AuthAgentMiddleware

START_OF_TIME = 1_800_000_000
RESOURCE = "https://files.example.com/mcp"
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Received:
    """One request as the played server got it."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    content: str = ""


@dataclass
class Reply:
    """What the played server says. ``hang`` never answers, ``cut`` ends the connection without an answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None
    hang: bool = False
    cut: bool = False


class PlayedServer:
    """Knows every token to be good. Tests change ``reply`` as they go."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://localhost:{server.server_port}"
        self.received: list[Received] = []
        self.reply: Callable[[Received], Reply] = self.good_reply
        self.over = threading.Event()

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(one.path == path for one in self.received)

    def good_reply(self, request: Received) -> Reply:
        """What a healthy authorization server says."""
        if request.path == "/introspect":
            return Reply(self.active())
        if request.path == "/revoke":
            return Reply({})
        if request.path.startswith("/.well-known/oauth-protected-resource/"):
            return Reply(self.registered())
        return Reply({"error": "not_found"}, status=404)

    def active(self, **changes: Any) -> dict[str, Any]:
        """An active introspection answer; ``changes`` override members."""
        return {
            "active": True,
            "sub": "usr_1",
            "username": "testuser",
            "email": "testuser@example.com",
            "client_id": "client_a",
            "scope": "files:read",
            "aud": RESOURCE,
            "iss": self.url,
            "exp": START_OF_TIME + 3600,
            "iat": START_OF_TIME - 10,
            "jti": "j1",
            "token_type": "Bearer",
            "grant_id": "grant_1",
            **changes,
        }

    def registered(self, **changes: Any) -> dict[str, Any]:
        """The document about srv_abc123."""
        scopes = ["files:read", "files:write"]
        named = {"resource_name": "My File Server"}
        return {"resource": RESOURCE, "authorization_servers": [self.url], "scopes_supported": scopes, **named, **changes}

    def says(self, **changes: Any) -> None:
        """Every introspection gets an active answer with these changes."""
        self.reply = lambda request: Reply(self.active(**changes)) if request.path == "/introspect" else self.good_reply(request)

    def options(self, **changes: Any) -> dict[str, Any]:
        """Options for this server with a clock that stands still."""
        fixed = {"now": lambda: START_OF_TIME, "log": lambda _: None}
        return {"server_id": "srv_abc123", "api_key": "sk_test_secret", "auth_server": self.url, **fixed, **changes}


class PatientServer(ThreadingHTTPServer):
    """Refuses no connection while many come at once."""

    request_queue_size = 128


@contextmanager
def play() -> Iterator[PlayedServer]:
    """Listens on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet: in two they wait for each other.
        wbufsize = -1

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Received(self.command, self.path, headers, form, body)
            played.received.append(got)
            self.answer(played.reply(got))

        do_GET = do_POST = handle_any

        def answer(self, reply: Reply) -> None:
            if reply.hang:
                played.over.wait()
            if reply.hang or reply.cut:
                self.close_connection = True
                return
            content = (json.dumps(reply.body) if reply.raw is None else reply.raw).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            pass

    server = PatientServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played = PlayedServer(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield played
    finally:
        played.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


async def who(request: Request) -> JSONResponse:
    """Says what the middleware told, and the body as it arrived."""
    names = ("user_email", "scopes", "client_id", "resource")
    told = {name: getattr(request.state, name) for name in names if hasattr(request.state, name)}
    return JSONResponse(
        {**told, "id": getattr(getattr(request.state, "user", None), "id", None), "body": (await request.body()).decode("latin-1")}
    )


ECHO = Starlette(routes=[Route("/{path:path}", who, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])])


@asynccontextmanager
async def ask(app: Any = ECHO, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the guarded application, at the origin of RESOURCE."""
    guarded = AuthAgentMiddleware(app, **options)
    async with guarded.client, httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="https://files.example.com") as http:
        yield http


def bearer(token: str = "abc") -> dict[str, str]:
    """The header of a request with a token."""
    return {"Authorization": f"Bearer {token}"}


def vectors(name: str) -> dict[str, Any]:
    """One file of the vectors that every SDK runs."""
    content: dict[str, Any] = json.loads((ROOT / "sdk/vectors" / f"{name}.json").read_text())
    return content
