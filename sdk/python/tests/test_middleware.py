"""AuthAgentMiddleware on the wire, before Starlette, FastAPI and a bare ASGI application."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from stage import ECHO, RESOURCE, START_OF_TIME, PlayedServer, Received, Reply, ask, bearer
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from auth_agent_mcp import (
    AuthAgentMiddleware,
    AuthContext,
    AuthenticationError,
    AuthorizationError,
    AuthServerUnavailable,
    require_any_scope,
    require_scopes,
)
from auth_agent_mcp._asgi import _PeekedBody
from auth_agent_mcp._tool_call import MAX_BODY_BYTES

pytestmark = pytest.mark.anyio

DOCUMENT = "https://files.example.com/.well-known/oauth-protected-resource/mcp"
FIVE_HUNDRED = Reply({}, status=500)


async def test_without_a_token_401_says_where_to_sign_in_and_what_to_ask_for(played: PlayedServer) -> None:
    """[RS-01] [RS-12] [PRM-06]"""
    async with ask(**played.options(resource=RESOURCE, required_scopes=["files:read"])) as http:
        response = await http.post("/mcp")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == f'Bearer realm="srv_abc123", resource_metadata="{DOCUMENT}", scope="files:read"'
    assert response.headers["cache-control"] == "no-store"
    assert played.received == []


async def test_a_bad_token_is_401_invalid_token_the_same_for_every_reason(played: PlayedServer) -> None:
    """[RS-02] [RS-07] [RS-08] [RS-22]"""
    revoked = {"active": False}
    expired = played.active(exp=START_OF_TIME - 60)
    elsewhere = played.active(aud="https://other.example.com")
    not_yet = played.active(nbf=START_OF_TIME + 61)
    answers = set()
    for answer in (revoked, expired, elsewhere, not_yet):
        played.reply = lambda _, answer=answer: Reply(answer)  # type: ignore[misc]
        async with ask(**played.options(resource=RESOURCE)) as http:
            response = await http.get("/mcp", headers=bearer())
        answers.add((response.status_code, response.headers["www-authenticate"], response.text))

    ((status, challenge, _),) = answers
    assert status == 401
    assert 'error="invalid_token"' in challenge


async def test_clocks_may_differ_by_a_minute(played: PlayedServer) -> None:
    """[RS-07]"""
    for changes in ({"exp": START_OF_TIME - 59}, {"iat": START_OF_TIME + 60}, {"nbf": START_OF_TIME + 60}):
        played.says(**changes)
        async with ask(**played.options(resource=RESOURCE)) as http:
            assert (await http.get("/mcp", headers=bearer())).status_code == 200


@pytest.mark.parametrize(
    "reply",
    [
        FIVE_HUNDRED,
        Reply(cut=True),
        Reply(hang=True),
        Reply({"error": "invalid_client"}, status=401),
        Reply({"error": "invalid_client", "code": "key_id_used_as_secret"}, status=401),
        Reply(raw="<h1>Sign in to the Wi-Fi</h1>"),
    ],
    ids=["500", "down", "slow", "wrong or expired key", "key id instead of secret", "captive portal"],
)
async def test_while_nothing_can_be_known_the_answer_is_503_never_401(reply: Reply, played: PlayedServer) -> None:
    """[RS-17]"""
    played.reply = lambda _: reply
    async with ask(**played.options(resource=RESOURCE, timeout=0.1)) as http:
        response = await http.get("/mcp", headers=bearer())

    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "www-authenticate" not in response.headers
    assert response.json()["error"] == "auth_server_unavailable"


async def test_who_waits_for_the_authorization_server_keeps_nobody_else_waiting(played: PlayedServer) -> None:
    """[PY-05]"""
    answered = threading.Event()

    def slowly(request: Received) -> Reply:
        if request.form.get("token") == "slow":
            answered.wait(5)
        return played.good_reply(request)

    played.reply = slowly
    async with ask(**played.options(resource=RESOURCE)) as http:
        waiting = [asyncio.create_task(http.get("/mcp", headers=bearer("slow"))) for _ in range(20)]
        others = await asyncio.gather(*(http.get("/mcp", headers=bearer(f"t{number}")) for number in range(20)))
        still = [task.done() for task in waiting]
        answered.set()
        late = await asyncio.gather(*waiting)

    assert [one.status_code for one in others] == [200] * 20
    assert not any(still)
    assert [one.status_code for one in late] == [200] * 20
    assert played.asked("/introspect") == 21


async def test_a_good_token_without_the_scopes_is_403_that_names_all_of_them(played: PlayedServer) -> None:
    """[RS-03] [RS-13] [PY-06]"""
    async with ask(**played.options(resource=RESOURCE, required_scopes=["files:read", "files:write"])) as http:
        response = await http.get("/mcp", headers=bearer())

    assert response.status_code == 403
    challenge = f'Bearer error="insufficient_scope", scope="files:read files:write", resource_metadata="{DOCUMENT}"'
    assert response.headers["www-authenticate"] == challenge


async def test_a_sign_in_that_is_too_weak_or_too_old_is_401_with_what_to_ask_for(played: PlayedServer) -> None:
    """[RS-15] before any scope is looked at"""
    demand = {"acr_values": ["aal2", "aal1"], "max_age": 300, "required_scopes": ["admin:all"]}
    weak_or_old = [{}, {"acr": "aal1", "auth_time": START_OF_TIME - 301}, {"acr": "aal0", "auth_time": START_OF_TIME}]
    for claims in weak_or_old:
        played.says(**claims)
        async with ask(**played.options(resource=RESOURCE, **demand)) as http:
            refused = await http.get("/mcp", headers=bearer())
        assert refused.status_code == 401
        challenge = refused.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert challenge.endswith('acr_values="aal2 aal1", max_age="300"')

    played.says(acr="aal1", auth_time=START_OF_TIME - 300)
    async with ask(**played.options(resource=RESOURCE, **demand)) as http:
        assert (await http.get("/mcp", headers=bearer())).status_code == 403


async def test_a_scope_that_includes_the_required_one_suffices(played: PlayedServer) -> None:
    """[RS-11]"""
    played.says(scope="admin:all")
    async with ask(**played.options(resource=RESOURCE, required_scopes=["files:read"], scope_hierarchy={"admin:all": ["*"]})) as http:
        assert (await http.get("/mcp", headers=bearer())).status_code == 200


async def test_handlers_know_who_calls(played: PlayedServer) -> None:
    """[RS-20] contracts: request.state"""
    app = FastAPI()

    @app.get("/api/files")
    async def files(request: Request) -> dict[str, Any]:
        state = request.state
        user, auth = state.user, state.auth
        assert isinstance(state.scopes, list)
        assert isinstance(auth, AuthContext)
        listed = [state.user_email, state.client_id, state.resource, user.id, user.email, user.name, user.username, auth.grant_id]
        return {"scopes": state.scopes, "listed": listed, "token": "abc" in repr(vars(state))}

    async with ask(app, **played.options(resource=RESOURCE)) as http:
        response = await http.get("/api/files", headers=bearer())

    email = "testuser@example.com"
    listed = [email, "client_a", RESOURCE, "usr_1", email, "testuser", "testuser", "grant_1"]
    assert response.json() == {"scopes": ["files:read"], "listed": listed, "token": False}


async def test_a_machine_has_neither_email_nor_name(played: PlayedServer) -> None:
    answer = {name: value for name, value in played.active(sub="client_a").items() if name not in ("email", "username")}
    played.reply = lambda _: Reply(answer)
    async with ask(**played.options(resource=RESOURCE)) as http:
        told = (await http.get("/mcp", headers=bearer())).json()

    assert (told["user_email"], told["id"]) == (None, "client_a")


async def test_two_tokens_are_one_too_many(played: PlayedServer) -> None:
    """[RS-04]"""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with ask(**played.options(resource=RESOURCE)) as http:
        answers = [
            await http.get("/mcp?access_token=x", headers=bearer()),
            await http.get("/mcp?access%5Ftoken=x", headers=bearer()),
            await http.get("/mcp", headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")]),
            await http.post("/mcp", content="a=1&access_token=x", headers={**bearer(), **form}),
        ]

    assert {answer.status_code for answer in answers} == {400}
    assert all('Bearer error="invalid_request"' in answer.headers["www-authenticate"] for answer in answers)


async def test_a_token_in_the_query_or_a_form_is_never_used(played: PlayedServer) -> None:
    """[RS-05]"""
    async with ask(**played.options(resource=RESOURCE)) as http:
        answers = [await http.get("/mcp?access_token=x"), await http.post("/mcp", data={"access_token": "x"})]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert played.received == []


async def test_a_form_without_a_token_reaches_the_handler_whole(played: PlayedServer) -> None:
    async def parts() -> Any:
        for part in (b"a=1", b"&b=", b"2"):
            yield part

    headers = {**bearer(), "Content-Type": "application/x-www-form-urlencoded"}
    async with ask(**played.options(resource=RESOURCE)) as http:
        response = await http.post("/mcp", content=parts(), headers=headers)

    assert response.json()["body"] == "a=1&b=2"


async def test_a_session_belongs_to_who_opened_it(played: PlayedServer) -> None:
    """[RS-10]"""

    async def open_session(request: StarletteRequest) -> JSONResponse:
        # As the official SDKs do: a new id, or the one that came.
        return JSONResponse({}, headers={"Mcp-Session-Id": request.headers.get("mcp-session-id", "s1")})

    app = Starlette(routes=[Route("/mcp", open_session, methods=["POST"])])
    played.reply = lambda request: Reply(played.active(sub=f"usr_{request.form['token'][0]}"))
    async with ask(app, **played.options(resource=RESOURCE)) as http:
        session = {"Mcp-Session-Id": "s1"}
        statuses = [
            (await http.post("/mcp", headers={**bearer(token), **headers})).status_code
            for token, headers in [("a1", {}), ("a1", session), ("a2", session), ("b1", session)]
        ]
        without = await http.post("/mcp", headers=session)
        echoed = {"Mcp-Session-Id": "opened by a in another process"}
        others = [(await http.post("/mcp", headers={**bearer(token), **echoed})).status_code for token in ("b1", "a1")]

    assert statuses == [200, 200, 200, 404]
    assert others == [200, 200]
    assert without.status_code == 401


async def test_a_session_is_named_once(played: PlayedServer) -> None:
    """[RS-10] Starlette reads the first line of several: a second one must not hide whose session it is."""
    handled: list[str | None] = []

    async def open_session(request: StarletteRequest) -> JSONResponse:
        handled.append(request.headers.get("mcp-session-id"))
        return JSONResponse({}, headers={"Mcp-Session-Id": "s1"})

    app = Starlette(routes=[Route("/mcp", open_session, methods=["POST"])])
    played.reply = lambda request: Reply(played.active(sub=f"usr_{request.form['token'][0]}"))
    async with ask(app, **played.options(resource=RESOURCE)) as http:
        opened = await http.post("/mcp", headers=bearer("a1"))
        doubled = [
            await http.post("/mcp", headers=[*bearer("b1").items(), *(("Mcp-Session-Id", one) for one in lines)])
            for lines in (("s1", "x"), ("x", "s1"), ("s1", ""), ("s1", "s1"), ("x", "y", "z"))
        ]

    assert opened.status_code == 200
    assert [(one.status_code, one.json()["error"]) for one in doubled] == [(400, "invalid_request")] * 5
    assert handled == [None]


async def test_a_register_of_sessions_does_not_shrink_with_the_cache_of_tokens(played: PlayedServer) -> None:
    """[RS-10]"""
    app = Starlette(routes=[Route("/mcp", lambda _: JSONResponse({}, headers={"Mcp-Session-Id": "s1"}), methods=["POST"])])
    played.reply = lambda request: Reply(played.active(sub=f"usr_{request.form['token'][0]}"))
    async with ask(app, **played.options(resource=RESOURCE, max_cache_entries=0)) as http:
        opened = await http.post("/mcp", headers=bearer("a1"))
        stolen = await http.post("/mcp", headers={**bearer("b1"), "Mcp-Session-Id": "s1"})

    assert (opened.status_code, stolen.status_code) == (200, 404)


async def test_every_method_but_options_is_protected_and_options_reaches_no_handler(played: PlayedServer) -> None:
    """[RS-18] [CORS-08]"""
    async with ask(**played.options(resource=RESOURCE)) as http:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"):
            assert (await http.request(method, "/mcp")).status_code == 401, method
        overridden = await http.post("/mcp", headers={"X-HTTP-Method-Override": "OPTIONS"})
        preflight = await http.options("/mcp", headers={"Origin": "https://files.example.com", "Access-Control-Request-Method": "POST"})

    assert overridden.status_code == 401
    assert preflight.status_code == 204
    assert "Mcp-Session-Id" in preflight.headers["access-control-allow-headers"]


async def test_tricks_with_the_path_open_nothing(played: PlayedServer) -> None:
    """[RS-18]"""
    tricks = ("//health", "/health/", "/Health", "/%68ealth", "/health;x", "/health%2f", "/health%00", "/health%3f")
    async with ask(**played.options(resource=RESOURCE, public_paths=["/health"])) as http:
        for path in tricks:
            assert (await http.get(httpx.URL("https://files.example.com", raw_path=path.encode()))).status_code == 401, path
        public = [await http.get("/health"), await http.get("/health?probe=1")]
        for path in (
            "/.well-known/oauth-protected-resourceX",
            "//.well-known/oauth-protected-resource",
            "/.well-known%2foauth-protected-resource",
        ):
            assert (await http.get(httpx.URL("https://files.example.com", raw_path=path.encode()))).status_code == 401, path

    assert [one.status_code for one in public] == [200, 200]
    assert "user_email" not in public[0].json()
    assert "cache-control" not in public[0].headers


async def test_a_raw_path_that_is_not_what_the_application_sees_is_not_public(played: PlayedServer) -> None:
    """[RS-18]"""
    guarded = AuthAgentMiddleware(ECHO, **played.options(resource=RESOURCE, public_paths=["/health"]))
    for raw_path, path in (
        (b"/health", "/secret"),
        (b"/secret", "/health"),
        (b"/x/../health", "/x/../health"),
        (None, "/health\n"),
        (b"http://x/health", "http://x/health"),
    ):
        sent = await call(guarded, path=path, raw_path=raw_path)
        assert sent[0]["status"] == 401, (raw_path, path)
    assert (await call(guarded, path="/health", raw_path=None))[0]["status"] == 200


async def call(app: Any, *, path: str, raw_path: bytes | None, headers: Any = (), state: Any = None) -> list[dict[str, Any]]:
    """One GET, message by message."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": list(headers), "state": state or {}}
    await app({**scope, **({} if raw_path is None else {"raw_path": raw_path})}, receive, send)
    return sent


async def test_a_state_shared_between_requests_never_carries_a_user(played: PlayedServer) -> None:
    """[RS-20]"""
    guarded = AuthAgentMiddleware(ECHO, **played.options(resource=RESOURCE, public_paths=["/health"]))
    shared: dict[str, Any] = {"database": "kept"}
    async with guarded.client:
        await call(guarded, path="/mcp", raw_path=b"/mcp", headers=[(b"authorization", b"Bearer abc")], state=shared)
    assert shared == {"database": "kept"}

    sent = await call(guarded, path="/health", raw_path=b"/health", state={"user_email": "left@over.example"})

    assert "left@over" not in sent[1]["body"].decode()


async def test_browsers_can_read_every_answer_also_refusals(played: PlayedServer) -> None:
    """[CORS-08] [PY-07]"""
    origin = {"Origin": "https://app.example.com"}
    async with ask(**played.options(resource=RESOURCE, allowed_origins=["https://app.example.com"])) as http:
        answers = [await http.get("/mcp", headers=origin), await http.get("/mcp", headers={**origin, **bearer()})]

    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]


async def test_an_origin_that_is_not_allowed_is_refused(played: PlayedServer) -> None:
    """[CORS-09]"""
    async with ask(**{**played.options(resource=RESOURCE), "auth_server": "https://auth.example.com"}) as http:
        for origin in ("https://evil.example.com", "null", "http://localhost:3000", "https://files.example.com.evil.test", ""):
            for method in ("GET", "OPTIONS"):
                assert (await http.request(method, "/mcp", headers={**bearer(), "Origin": origin})).status_code == 403, origin
    async with ask(**played.options(resource=RESOURCE)) as http:
        for origin in ("https://files.example.com", "http://localhost:3000", "http://127.0.0.1:6274"):
            assert (await http.get("/mcp", headers={**bearer(), "Origin": origin})).status_code == 200, origin


async def test_authenticated_answers_stay_out_of_shared_caches(played: PlayedServer) -> None:
    """[RS-23]"""
    expected = {
        "public, max-age=60": "no-store",
        "private, max-age=60": "private, max-age=60",
        "no-cache, no-transform": "no-store, no-transform",
        "": "no-store",
    }
    for own, completed in expected.items():

        async def handler(_: StarletteRequest, own: str = own) -> JSONResponse:
            return JSONResponse({}, headers={"Cache-Control": own, "Vary": "Accept"})

        async with ask(Starlette(routes=[Route("/mcp", handler)]), **played.options(resource=RESOURCE)) as http:
            response = await http.get("/mcp", headers=bearer())
        assert response.headers["cache-control"] == completed
        assert response.headers["vary"] == "Accept, Authorization"


async def test_the_metadata_document_has_what_clients_need_and_everybody_may_read_it(played: PlayedServer) -> None:
    """[PRM-01] [PRM-02] [PRM-03] [PRM-05] [PRM-08] [PRM-09] [PRM-10] [PY-03] [PY-07]"""
    registered = played.registered(scopes_supported=["files:read", "offline_access", "openid", "files:write"])
    played.reply = lambda _: Reply(registered)
    async with ask(**played.options(resource=RESOURCE)) as http:
        root = await http.get("/.well-known/oauth-protected-resource", headers={"Origin": "https://anything.example.com"})
        inserted = await http.get("/.well-known/oauth-protected-resource/mcp", headers={"Host": "evil.example.com"})
        head = await http.head("/.well-known/oauth-protected-resource/mcp")
        preflight = await http.options("/.well-known/oauth-protected-resource/mcp", headers={"Origin": "https://x.example"})
        post = await http.post("/.well-known/oauth-protected-resource/mcp")

    assert root.json() == inserted.json()
    assert root.json() == {
        "resource": RESOURCE,
        "authorization_servers": [played.url],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256"],
        "scopes_supported": ["files:read", "files:write"],
        "resource_name": "My File Server",
    }
    assert root.headers["access-control-allow-origin"] == "*"
    assert root.headers["cache-control"] == "public, max-age=3600"
    assert (head.status_code, head.content, preflight.status_code, post.status_code) == (200, b"", 204, 405)
    assert "MCP-Protocol-Version" in preflight.headers["access-control-allow-headers"]


async def test_while_the_authorization_server_is_down_the_document_names_the_scopes_this_server_needs(played: PlayedServer) -> None:
    """[RS-17] [PRM-09]"""
    played.reply = lambda _: Reply(status=503, headers={"Retry-After": "9"})
    tools = {"write_file": ["files:write"]}
    async with ask(**played.options(resource=RESOURCE, required_scopes=["files:read"], tool_scopes=tools)) as http:
        known = await http.get("/.well-known/oauth-protected-resource")
    async with ask(**played.options()) as http:
        unknown = await http.get("/.well-known/oauth-protected-resource")

    assert known.json()["scopes_supported"] == ["files:read", "files:write"]
    assert known.headers["cache-control"] == "public, max-age=60"
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "9")


async def test_errors_of_ours_that_a_handler_raises_become_their_challenge(played: PlayedServer) -> None:
    """[RS-03] [RS-15]"""
    errors = {
        "scope": AuthorizationError(["files:delete"]),
        "again": AuthenticationError("insufficient_user_authentication", max_age=300),
        "down": AuthServerUnavailable("status_404", detail="/token answered 404"),
        "other": LookupError("not ours"),
    }
    app = FastAPI()

    @app.get("/{kind}")
    async def handler(kind: str) -> None:
        raise errors[kind]

    lines: list[str] = []
    async with ask(app, **played.options(resource=RESOURCE, log=lines.append)) as http:
        scope, again, down = [await http.get(f"/{kind}", headers=bearer()) for kind in ("scope", "again", "down")]
        with pytest.raises(LookupError):
            await http.get("/other", headers=bearer())

    assert (scope.status_code, again.status_code, down.status_code) == (403, 401, 503)
    assert 'scope="files:delete"' in scope.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in again.headers["www-authenticate"]
    assert scope.headers["vary"] == "Authorization"
    assert down.json()["error_description"] == "The authorization server cannot be reached"
    assert [line.endswith("callers get 503. The authorization server cannot be reached: /token answered 404") for line in lines] == [True]


async def test_a_handlers_own_403_passes_through_completed_with_resource_metadata(played: PlayedServer) -> None:
    """contracts: HTTPException(403, headers={"WWW-Authenticate": …})"""
    app = FastAPI()

    @app.post("/api/files")
    async def write(request: Request) -> None:
        if "files:write" not in request.state.scopes:
            headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="files:write"'}
            raise HTTPException(status_code=403, detail="Insufficient scope", headers=headers)

    @app.get("/complete")
    async def complete() -> None:
        raise HTTPException(403, headers={"WWW-Authenticate": 'Bearer resource_metadata="https://own.example/x"'})

    @app.get("/basic")
    async def basic() -> None:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    async with ask(app, **played.options(resource=RESOURCE)) as http:
        response = await http.post("/api/files", headers=bearer())
        complete_response = await http.get("/complete", headers=bearer())
        basic_response = await http.get("/basic", headers=bearer())

    assert (response.status_code, response.json()) == (403, {"detail": "Insufficient scope"})
    challenge = f'Bearer error="insufficient_scope", scope="files:write", resource_metadata="{DOCUMENT}"'
    assert response.headers["www-authenticate"] == challenge
    assert complete_response.headers["www-authenticate"] == 'Bearer resource_metadata="https://own.example/x"'
    assert basic_response.headers["www-authenticate"] == 'Basic realm="x"'


async def test_a_dependency_asks_for_all_scopes_of_the_operation_in_one_403(played: PlayedServer) -> None:
    """[RS-13] [RS-11]"""
    app = FastAPI()

    @app.post("/api/files", dependencies=[Depends(require_scopes("files:write", "files:delete"))])
    async def write() -> dict[str, bool]:
        return {"written": True}

    @app.get("/api/db")
    async def query(auth: Annotated[AuthContext, Depends(require_any_scope("db:read", "db:write"))]) -> dict[str, str]:
        return {"by": auth.id}

    @app.get("/health", dependencies=[Depends(require_scopes("files:read"))])
    async def health() -> None: ...

    async with ask(app, **played.options(resource=RESOURCE, required_scopes=["files:read"], public_paths=["/health"])) as http:
        refused = await http.post("/api/files", headers=bearer("a"))
        none = await http.get("/api/db", headers=bearer("a"))
        public = await http.get("/health")
        played.says(scope="files:read files:write files:delete db:write")
        written = await http.post("/api/files", headers=bearer("b"))
        queried = await http.get("/api/db", headers=bearer("b"))

    assert (refused.status_code, none.status_code, public.status_code) == (403, 403, 401)
    assert 'scope="files:read files:write files:delete"' in refused.headers["www-authenticate"]
    assert 'scope="files:read db:read"' in none.headers["www-authenticate"]
    assert (written.json(), queried.json()) == ({"written": True}, {"by": "usr_1"})


async def test_a_dependency_without_the_middleware_fails_closed() -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(require_scopes("files:read"))])
    async def handler() -> None: ...

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://files.example.com") as http:
        with pytest.raises(RuntimeError, match="AuthAgentMiddleware"):
            await http.get("/")


async def test_a_tool_call_in_another_encoding_or_with_endless_numbers_is_still_a_tool_call(played: PlayedServer) -> None:
    """[RS-16] what json.loads reads in a handler is read here as well"""
    call_ = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "write_file"}}
    bodies = [json.dumps(call_).encode(encoding) for encoding in ("utf-16", "utf-32-le", "utf-8-sig")]
    bodies.append(json.dumps(call_).replace('"id": 1', f'"id": {"9" * 5000}').encode())
    async with ask(**played.options(resource=RESOURCE, tool_scopes={"write_file": ["files:write"]})) as http:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for body in bodies:
                assert (await http.request(method, "/mcp", content=body, headers=bearer())).status_code == 403
        deep = await http.post("/mcp", content=b"[" * 100_000, headers=bearer())

    assert deep.status_code == 200


async def test_a_body_too_large_to_look_at_is_refused(played: PlayedServer) -> None:
    """[RS-16]"""
    async with ask(**played.options(resource=RESOURCE, tool_scopes={"write_file": ["files:write"]})) as http:
        assert (await http.post("/mcp", content=b" " * (MAX_BODY_BYTES + 1), headers=bearer())).status_code == 413
        assert (await http.post("/mcp", content=b" " * MAX_BODY_BYTES, headers=bearer())).status_code == 200


@pytest.mark.parametrize(
    ("come", "looked_at", "given"),
    [
        ([(b"a", True), (b"b", True), (b"", True), (b"c", False)], b"abc", [(b"abc", False)]),
        ([(b"", False)], b"", [(b"", False)]),
        ([(b"a", True), (b"b", True), None], b"ab", [(b"ab", True), None]),
        ([None], b"", [None]),
    ],
)
async def test_a_body_that_was_looked_at_is_one_message(come: list[Any], looked_at: bytes, given: list[Any]) -> None:
    def message(of: tuple[bytes, bool] | None) -> dict[str, Any]:
        return {"type": "http.disconnect"} if of is None else {"type": "http.request", "body": of[0], "more_body": of[1]}

    messages = [message(one) for one in come]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "afterwards"}

    body = _PeekedBody(receive)

    assert await body() == looked_at
    assert [await body.receive() for _ in range(len(given) + 1)] == [*map(message, given), {"type": "afterwards"}]


async def test_a_stream_passes_chunk_by_chunk(played: PlayedServer) -> None:
    seen: list[bytes] = []
    goes_on = asyncio.Event()

    async def events() -> Any:
        yield b"data: 1\n\n"
        await goes_on.wait()
        yield b"data: 2\n\n"

    async def handler(_: StarletteRequest) -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    guarded = AuthAgentMiddleware(Starlette(routes=[Route("/mcp", handler)]), **played.options(resource=RESOURCE))

    async def receive() -> dict[str, Any]:
        if seen:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message.get("body"):
            seen.append(message["body"])
            goes_on.set()

    scope = {"type": "http", "method": "GET", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"", "asgi": {"spec_version": "2.4"}}
    async with guarded.client:
        await guarded({**scope, "headers": [(b"authorization", b"Bearer abc")]}, receive, send)

    assert seen == [b"data: 1\n\n", b"data: 2\n\n"]


def test_add_middleware_closes_the_pool_with_the_application_and_refuses_websockets(played: PlayedServer) -> None:
    app = FastAPI()
    app.add_middleware(AuthAgentMiddleware, **played.options(resource=RESOURCE, required_scopes=["files:read"]))

    @app.get("/api/files")
    async def files(request: Request) -> dict[str, str]:
        return {"user_email": request.state.user_email}

    with TestClient(app, base_url="https://files.example.com") as http:
        assert http.get("/api/files", headers=bearer()).json() == {"user_email": "testuser@example.com"}
        guarded = app.middleware_stack
        while not isinstance(guarded, AuthAgentMiddleware):
            guarded = guarded.app  # type: ignore[union-attr]
        assert guarded.client._server._pool._client is not None
        with pytest.raises(WebSocketDisconnect) as caught, http.websocket_connect("/ws", headers=bearer()):
            pass

    assert caught.value.code == 1008
    assert guarded.client._server._pool._client is None


def test_a_wrong_option_stops_the_application_at_start() -> None:
    app = FastAPI()
    app.add_middleware(AuthAgentMiddleware, server_id="srv_a", api_key="", auth_server="https://auth.example.com")

    with pytest.raises(ValueError, match="api_key"), TestClient(app):
        pass


async def test_what_uvicorn_takes_for_a_missing_lifespan_is_in_the_log_at_start(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    app.add_middleware(AuthAgentMiddleware, server_id="srv_a", api_key="", auth_server="https://auth.example.com")
    config = uvicorn.Config(app, log_config=None, lifespan="auto", ws="none")
    config.load()
    lifespan = config.lifespan_class(config)

    await lifespan.startup()

    assert not lifespan.should_exit
    assert [one.getMessage() for one in caplog.records if "api_key" in one.getMessage()] == [
        'auth-agent: "api_key" must be the key_secret shown once when the key was made, sk_<id>_<secret>'
    ]
