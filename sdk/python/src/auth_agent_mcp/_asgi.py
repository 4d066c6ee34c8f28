"""AuthAgentMiddleware: the guard as a pure ASGI class. Streams pass untouched, chunk by chunk; those of events end with the access.

Converts between ASGI messages and the guard, completes the headers of answers on their way out (RS-23), and closes the
connections when the application shuts down. Not here: how a stream ends (_event_stream.py).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._challenge import Answer, complete_challenge
from ._client import AuthAgentClient
from ._event_stream import EventStream
from ._guard import Admission, Guard, Inbound
from ._options import AuthAgentOptions
from ._seal import complete_headers
from ._tool_call import MAX_BODY_BYTES
from .errors import AuthAgentError, AuthServerUnavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from typing_extensions import Unpack

GUARD_KEY = "auth_agent_mcp.guard"
"""Where the guard a request passed is found in its ASGI scope."""

_STATE_NAMES = ("user", "user_email", "scopes", "client_id", "resource", "auth")


class GuardedApp:
    """An ASGI application behind the guard of a client."""

    def __init__(self, app: ASGIApp, client: AuthAgentClient) -> None:
        self.app = app
        self.client = client
        self._guard = Guard(client)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, self._closing(send))
        elif scope["type"] == "websocket":
            # A connection would outlive its token, and browsers cannot send one with it.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "This server speaks HTTP only"})
        else:
            raise ValueError(f"AuthAgentMiddleware knows no scope of type {scope['type']!r}")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _PeekedBody(receive)
        outcome = await self._guard.admit(_inbound_of(scope, body))
        if isinstance(outcome, Answer):
            await _send_answer(outcome, scope, send)
            return
        _set_state(scope, outcome, self._guard)
        stream = EventStream(body.receive, send, outcome.access_ended)
        outgoing = _Outgoing(stream.send, outcome, self._guard)
        try:
            await self.app(scope, stream.receive, outgoing.send)
        except Exception as error:
            if stream.ended:
                # It heard that its caller is gone, and nobody is left to be told what it made of that: nearly always an error of sending.
                logging.getLogger("auth_agent_mcp").debug("After the end of its event stream the application failed", exc_info=error)
                return
            if not isinstance(error, AuthAgentError) or not outgoing.take_back():
                raise
            if isinstance(error, AuthServerUnavailable):
                # A handler asked for something, say a token for elsewhere; nobody else sees why the caller gets a 503.
                self.client.settings.hint(f"A handler could not go on, and callers get 503. {error}")
            if outcome.auth is not None:
                self._guard.note_refusal(outcome.auth, outcome.call, error, instead=True)
            await _send_answer(self._guard.answer_error(error), scope, outgoing.send)
        finally:
            await outgoing.flush()
            stream.stop()

    def _closing(self, send: Send) -> Send:
        async def send_and_close(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self.client.aclose()
            await send(message)

        return send_and_close


class AuthAgentMiddleware(GuardedApp):
    """Lets only requests with a good access token through and says in ``request.state`` who calls.

    ``request.state`` gets ``user`` (id, email, username, name), ``user_email``, ``scopes`` (a list), ``client_id``, ``resource`` and
    ``auth``. Errors of this library that a handler raises become their challenge. WebSockets are refused.

    >>> app.add_middleware(AuthAgentMiddleware, server_id="srv_abc123", api_key="sk_xyz789", required_scopes=["files:read"])
    """

    def __init__(self, app: ASGIApp, **options: Unpack[AuthAgentOptions]) -> None:
        """Raises ValueError naming the option that is missing or wrong, and says so in the log."""
        try:
            client = AuthAgentClient(**options)
        except (TypeError, ValueError) as error:
            # Frameworks make middleware when the lifespan begins; uvicorn takes an error there for "no lifespan" and starts without a word.
            say = options.get("log") or logging.getLogger("auth_agent_mcp").error
            say(f"auth-agent: {error}")
            raise
        super().__init__(app, client)


class _PeekedBody:
    """Reads a request body ahead, up to the limit, and gives it to the application again, as one message however many it came in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[Message] = []

    async def __call__(self) -> bytes | None:
        content, more = bytearray(), True
        while more and len(content) <= MAX_BODY_BYTES:
            message = await self._receive()
            if message["type"] != "http.request":
                # The caller hung up.
                self._read.append(message)
                break
            content += message.get("body", b"")
            more = message.get("more_body", False)
        body = bytes(content)
        if body or not more:
            self._read.insert(0, {"type": "http.request", "body": body, "more_body": more})
        return None if len(body) > MAX_BODY_BYTES else body

    async def receive(self) -> Message:
        return self._read.pop(0) if self._read else await self._receive()


class _Outgoing:
    """Completes the headers of the application's answer on its way out, whatever it set.

    A 500 waits for the application to end: frameworks send one before they pass on the error that caused it, which may be ours.
    """

    def __init__(self, send: Send, admission: Admission, guard: Guard) -> None:
        self._send = send
        self._admission = admission
        self._guard = guard
        self._held: list[Message] = []
        self._started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._completed(message["status"], message.get("headers", ()))}
            if message["status"] == 500:
                self._held.append(message)
                return
        if len(self._held) == 1 and not message.get("more_body", False):
            self._held.append(message)
            return
        await self.flush()
        self._started = True
        await self._send(message)

    def take_back(self) -> bool:
        """Whether nothing has gone out yet; a 500 that waits never will."""
        self._held.clear()
        return not self._started

    async def flush(self) -> None:
        """Sends what waits."""
        held, self._held = self._held, []
        for message in held:
            self._started = True
            await self._send(message)

    def _completed(self, status: int, raw: Any) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower(), value) for name, value in raw]
        if status in (401, 403):
            headers = [(name, self._challenge(value) if name == b"www-authenticate" else value) for name, value in headers]
        complete_headers(headers, self._admission)
        if self._admission.opens_session and self._admission.auth is not None:
            for name, value in headers:
                if name == b"mcp-session-id":
                    self._guard.sessions.claim(value.decode("latin-1"), self._admission.auth)
        return headers

    def _challenge(self, value: bytes) -> bytes:
        return complete_challenge(value.decode("latin-1"), self._guard.challenge).encode("latin-1")


def _inbound_of(scope: Scope, body: _PeekedBody) -> Inbound:
    raw: bytes | None = scope.get("raw_path")
    # Some servers leave it out; encoded again, the path can only be compared with what is plain.
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~") if raw is None else raw.decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return Inbound(
        method=scope["method"],
        target=f"{path}?{query}" if query else path,
        path=scope["path"],
        headers=_joined(scope["headers"]),
        session_ids=[value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"mcp-session-id"],
        peek_body=body,
    )


def _joined(raw: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _set_state(scope: Scope, admission: Admission, guard: Guard) -> None:
    """A dict of the request's own: what a server or lifespan shares between requests must never carry a user."""
    state = {name: value for name, value in scope.get("state", {}).items() if name not in _STATE_NAMES}
    scope["state"] = state
    scope[GUARD_KEY] = guard
    auth = admission.auth
    if auth is None:
        return
    state.update(
        user=auth.user,
        user_email=auth.email,
        scopes=list(auth.scopes),
        client_id=auth.client_id,
        resource=auth.resource,
        auth=auth,
    )


async def _send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
