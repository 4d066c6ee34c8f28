"""End to end against the real authorization server in development mode: people, machines, keys, revocation."""

from __future__ import annotations

import inspect
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import mcp.shared.auth
import pytest
from browser import allow_device, press, sign_in_and_allow
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import Depends, FastAPI, Request
from fastmcp import Client, FastMCP
from fastmcp.server.dependencies import get_access_token
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import OAuthClientMetadata
from serving import development_server, serve
from stage import ask, bearer

from auth_agent_mcp import (
    AgentTokens,
    AuthAgentClient,
    AuthAgentMiddleware,
    AuthenticationError,
    AuthServerUnavailable,
    DevicePrompt,
    SavedLogin,
    TokenRequestRefused,
    device_login,
    require_scopes,
    resume_login,
)
from auth_agent_mcp.fastmcp import AuthAgentProvider

pytestmark = pytest.mark.anyio

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "http://localhost:3000/callback"
MACHINE: dict[str, Any] = {"client_id": "mcp-task-manager", "client_secret": "mcp-secret-12345"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with development_server() as url:
        yield url


def new_key(issuer: str, server_id: str) -> dict[str, str]:
    """Development mode needs no owner token."""
    response = httpx.post(f"{issuer}/api/servers/{server_id}/keys", json={"name": "test"})
    assert response.status_code == 201
    key: dict[str, str] = response.json()
    return key


async def tokens_of_a_person(
    issuer: str, resource: str, scope: str, browser: httpx.AsyncClient | None = None, client_id: str = "client_claude_code"
) -> dict[str, Any]:
    """testuser signs in, in their browser or another, and allows; the code becomes tokens."""
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": scope,
        "resource": resource,
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient() as http:
        url = f"{issuer}/authorize?{httpx.QueryParams(request)}"
        back = await sign_in_and_allow(browser or http, url, username="testuser", password="testpass")
        code = parse_qs(urlsplit(back).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": client_id}
        response = await http.post(f"{issuer}/token", data={**form, "code_verifier": VERIFIER})
    tokens: dict[str, Any] = response.json()
    assert response.status_code == 200, tokens
    return tokens


async def test_a_person_signs_in_and_fastapi_knows_who_it_is(issuer: str) -> None:
    app = FastAPI()

    @app.get("/api/files")
    async def files(request: Request) -> dict[str, Any]:
        state = request.state
        return {"user_email": state.user_email, "scopes": state.scopes, "client_id": state.client_id, "name": state.user.name}

    @app.post("/api/files", dependencies=[Depends(require_scopes("files:write"))])
    async def write() -> None: ...

    token = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", "files:read"))["access_token"]
    key = new_key(issuer, "srv_abc123")["key_secret"]

    async with ask(app, server_id="srv_abc123", api_key=key, auth_server=issuer, required_scopes=["files:read"]) as http:
        told = await http.get("/api/files", headers=bearer(token))
        refused = await http.post("/api/files", headers=bearer(token))
        document = await http.get("/.well-known/oauth-protected-resource")

    assert told.json() == {
        "user_email": "testuser@example.com",
        "scopes": ["files:read"],
        "client_id": "client_claude_code",
        "name": "testuser",
    }
    assert refused.status_code == 403
    assert 'scope="files:read files:write"' in refused.headers["www-authenticate"]
    assert document.json()["resource"] == "https://your-mcp-server.com"
    assert document.json()["authorization_servers"] == [issuer]


async def test_the_bare_key_id_of_the_documents_works_in_development_only_as_far_as_it_should(issuer: str) -> None:
    token = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", "files:read"))["access_token"]
    async with AuthAgentClient(server_id="srv_abc123", api_key="sk_xyz789", auth_server=issuer) as client:
        assert (await client.validate_token(token)).email == "testuser@example.com"


async def test_a_revoked_token_a_token_for_another_server_and_nonsense_are_all_inactive(issuer: str) -> None:
    """[RS-08] [RS-22]"""
    elsewhere = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", "files:read"))["access_token"]
    key = new_key(issuer, "srv_tasks")["key_secret"]
    async with (
        AgentTokens(issuer=issuer, **MACHINE) as agent,
        AuthAgentClient(server_id="srv_tasks", api_key=key, auth_server=issuer) as client,
    ):
        token = await agent.token()
        good = await client.introspect_token(token)
        await client.revoke_token(token)
        answers = [await client.introspect_token(one) for one in (token, elsewhere, "nonsense")]

    assert (good["active"], good["client_id"], good["aud"]) == (True, "mcp-task-manager", "http://localhost:4001")
    assert answers == [{"active": False}] * 3


def grant_of(token: str) -> str:
    """What the person allowed, as the pages name it."""
    payload = token.split(".")[1]
    return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["grant_id"])


async def test_a_pause_and_a_reduction_are_honoured_within_the_cache_time_and_a_resumption_at_once(issuer: str) -> None:
    """[ACC-01] [ACC-02] [RS-20]"""
    late = 0.0
    key = new_key(issuer, "srv_abc123")["key_secret"]
    options: dict[str, Any] = {"server_id": "srv_abc123", "api_key": key, "auth_server": issuer, "cache_ttl": 30}
    async with httpx.AsyncClient() as browser, AuthAgentClient(**options, now=lambda: time.time() + late) as client:
        scope = "files:read files:write"
        # A client of its own: consents of one client to one server share a card, which one of them names.
        registered = await browser.post(f"{issuer}/register", json={"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"})
        own = registered.json()["client_id"]
        token = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", scope, browser, own))["access_token"]
        before = await client.validate_token(token)
        grant, agents = grant_of(token), f"{issuer}/account/agents"

        await press(browser, f"{agents}/pause?grant={grant}", "/account/agents/pause", about=grant)
        cached = await client.validate_token(token)
        late += 31
        with pytest.raises(AuthenticationError):
            await client.validate_token(token)
        await press(browser, agents, "/account/agents/resume", about=grant)
        resumed = await client.validate_token(token)
        await press(browser, f"{agents}/reduce?grant={grant}", "/account/agents/reduce", about=grant, without="files:write")
        late += 31
        reduced = await client.validate_token(token)
        await press(browser, agents, "/account/agents/disconnect", about=grant)
        late += 31
        gone = await client.introspect_token(token)

    assert set(before.scopes) == set(cached.scopes) == set(resumed.scopes) == {"files:read", "files:write"}
    assert set(reduced.scopes) == {"files:read"}
    assert gone == {"active": False}


async def test_wrong_keys_are_an_outage_to_callers_and_a_hint_to_the_developer(issuer: str) -> None:
    """[RS-17]"""
    key = new_key(issuer, "srv_tasks")
    gone = new_key(issuer, "srv_tasks")
    async with httpx.AsyncClient() as http:
        assert (await http.delete(f"{issuer}/api/servers/srv_tasks/keys/{gone['key_id']}")).status_code == 204
    for wrong, expected in (
        (key["key_id"], "key_id_used_as_secret"),
        (gone["key_secret"], "wrong, expired or revoked"),
        ("sk_never_was", "wrong, expired or revoked"),
    ):
        hints: list[str] = []
        async with AuthAgentClient(server_id="srv_tasks", api_key=wrong, auth_server=issuer, log=hints.append) as client:
            with pytest.raises(AuthServerUnavailable) as caught:
                await client.validate_token("abc")
        assert caught.value.reason == "api_key_refused"
        assert expected in hints[0]


async def test_an_agent_calls_a_protected_server_and_survives_the_revocation_of_its_token(issuer: str) -> None:
    key = new_key(issuer, "srv_tasks")["key_secret"]
    app = FastAPI()

    @app.get("/api/tasks")
    async def tasks(request: Request) -> dict[str, Any]:
        return {"by": request.state.client_id, "email": request.state.user_email}

    options = {"server_id": "srv_tasks", "api_key": key, "auth_server": issuer, "required_scopes": ["tasks:read"], "cache_ttl": 0}
    async with ask(app, **options) as http, AgentTokens(issuer=issuer, **MACHINE, scope="tasks:read") as agent:
        http.auth = agent
        first = await http.get("/api/tasks")
        token = await agent.token()
        async with AuthAgentClient(server_id="srv_tasks", api_key=key, auth_server=issuer) as client:
            await client.revoke_token(token)
        second = await http.get("/api/tasks")

    assert first.json() == second.json() == {"by": "mcp-task-manager", "email": None}
    assert await agent.token() != token


async def test_a_wrong_secret_is_refused_by_name(issuer: str) -> None:
    async with AgentTokens(issuer=issuer, client_id="mcp-task-manager", client_secret="wrong-one") as agent:
        with pytest.raises(TokenRequestRefused) as caught:
            await agent.token()
    assert caught.value.code == "invalid_client"


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
async def test_the_official_client_finds_its_way_from_the_first_401_to_a_tool_call(issuer: str, method: str) -> None:
    """[PY-02] [PY-04] [PRM-01] [PRM-04] discovery, registration, sign-in by form posts, FastMCP behind the guard"""
    async with notes_server(issuer) as url, Client(url, auth=official_sign_in(url, method)) as client:
        answer = await client.call_tool("whoami")

    assert answer.data == "testuser@example.com"


# 1.x leaves client_id out of the body (and must not: RFC 6749 §2.3.1), so there only Basic works.
MACHINE_METHODS = (
    ["client_secret_basic", "client_secret_post"] if hasattr(mcp.shared.auth, "AuthorizationCodeResult") else ["client_secret_basic"]
)


@pytest.mark.parametrize("method", MACHINE_METHODS)
async def test_the_official_client_for_machines_gets_its_token_with_its_secret(issuer: str, method: str) -> None:
    """[PY-04] Basic credentials arrive percent-encoded, `token_type` is Bearer"""
    settings: dict[str, Any] = {**MACHINE, "token_endpoint_auth_method": method, "issuer": issuer}
    # 1.x knows no issuer.
    known = inspect.signature(ClientCredentialsOAuthProvider).parameters
    async with notes_server(issuer, scope="tasks:read") as url:
        given = {name: value for name, value in settings.items() if name in known}
        machine: Any = ClientCredentialsOAuthProvider(url, Storage(), **given)
        async with Client(url, auth=machine) as client:
            answer = await client.call_tool("whoami")

    assert answer.data == "mcp-task-manager"


@asynccontextmanager
async def notes_server(issuer: str, scope: str = "notes:read") -> AsyncIterator[str]:
    """A FastMCP server behind the guard, registered with the authorization server; its address."""

    def make(url: str) -> Any:
        body = {"server_url": f"{url}/mcp", "server_name": "Notes", "scopes": [scope]}
        server_id = httpx.post(f"{issuer}/api/servers", json=body).json()["server_id"]
        key = new_key(issuer, server_id)["key_secret"]
        provider = AuthAgentProvider(server_id=server_id, api_key=key, auth_server=issuer, resource=f"{url}/mcp", required_scopes=[scope])
        notes: FastMCP[Any] = FastMCP("notes", auth=provider)

        @notes.tool
        def whoami() -> str:
            """Says who calls."""
            token = get_access_token()
            return str(token.claims.get("email") or token.client_id) if token else "nobody"

        return notes.http_app(path="/mcp")

    async with serve(make) as url:
        yield f"{url}/mcp"


class Storage:
    """What the official client keeps, in memory."""

    def __init__(self) -> None:
        self.tokens: Any = None
        self.client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


def official_sign_in(url: str, method: str) -> Any:
    """OAuthClientProvider of the official SDK, with testuser at a browser that runs no script. 1.x and 2.x differ in the answer."""
    kept: dict[str, Any] = {}

    async def redirect(authorization_url: str) -> None:
        async with httpx.AsyncClient() as http:
            back = await sign_in_and_allow(http, authorization_url, username="testuser", password="testpass")
        kept["back"] = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    async def callback() -> Any:
        back = kept["back"]
        result = getattr(mcp.shared.auth, "AuthorizationCodeResult", None)
        return result(**back) if result else (back["code"], back["state"])

    metadata = OAuthClientMetadata.model_validate(
        {"client_name": "test", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": method}
    )
    return OAuthClientProvider(url, metadata, Storage(), redirect, callback)


async def test_an_agent_with_a_key_calls_a_guarded_server_and_what_a_thief_takes_opens_nothing(issuer: str) -> None:
    """[DPR-01] [DPR-02] [DPR-04] [DPR-05]"""
    app = FastAPI()

    @app.post("/api/tasks")
    async def tasks(request: Request) -> dict[str, Any]:
        return {"jkt": request.state.auth.jkt}

    key = new_key(issuer, "srv_tasks")["key_secret"]
    options: dict[str, Any] = {"server_id": "srv_tasks", "api_key": key, "auth_server": issuer, "required_scopes": ["tasks:read"]}
    guarded = AuthAgentMiddleware(app, **options, dpop_nonce_secret="a nonce secret of thirty-two chars")
    url = "http://localhost:4001/api/tasks"
    sent: list[httpx.Headers] = []
    inner = httpx.ASGITransport(guarded)

    class Noting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request.headers.copy())
            return await inner.handle_async_request(request)

    agent = AgentTokens(**MACHINE, issuer=issuer, scope="tasks:read", resource="http://localhost:4001", dpop=True)
    async with agent, guarded.client, httpx.AsyncClient(transport=Noting()) as http:
        answers = [await http.post(url, auth=agent, json={}) for _ in range(2)]
        replayed = await http.post(url, headers={name: sent[-1][name] for name in ("authorization", "dpop")}, json={})
        as_bearer = await http.post(url, headers=bearer(await agent.token()), json={})

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(answers[0].json()["jkt"]) == 43
    assert (replayed.status_code, replayed.json()["error"]) == (401, "invalid_dpop_proof")
    assert (as_bearer.status_code, as_bearer.json()["error"]) == (401, "invalid_token")


async def signed_in(issuer: str, url: str, **options: Any) -> Any:
    """testuser allows on another device."""

    async def allow(prompt: DevicePrompt) -> None:
        async with httpx.AsyncClient() as http:
            assert prompt.verification_uri == f"{issuer}/device"
            await allow_device(http, prompt.verification_uri, code=prompt.user_code, username="testuser", password="testpass")

    async def at_once(_: float) -> None: ...

    return await device_login(resource=url, on_prompt=allow, wait=at_once, **options)


async def test_a_person_signs_in_on_another_device_and_the_login_goes_on_from_what_was_kept(issuer: str) -> None:
    """[DEV-01] [CL-10] [CL-20]"""
    kept: list[SavedLogin] = []
    clock = 0

    def app_of(url: str) -> Any:
        body = {"server_url": url, "server_name": "Files", "scopes": ["files:read"]}
        server_id = httpx.post(f"{issuer}/api/servers", json=body).json()["server_id"]
        key = new_key(issuer, server_id)["key_secret"]
        app = FastAPI()
        app.add_middleware(
            AuthAgentMiddleware, server_id=server_id, api_key=key, auth_server=issuer, resource=url, required_scopes=["files:read"]
        )

        @app.get("/")
        async def who(request: Request) -> dict[str, Any]:
            return {"user_email": request.state.user_email, "jkt": request.state.auth.jkt}

        return app

    async with serve(app_of) as url:
        login = await signed_in(issuer, url, client_name="Build bot", on_change=kept.append, now=lambda: time.time() + clock)
        async with login, httpx.AsyncClient(auth=login) as http:
            assert (await http.get(url)).json() == {"user_email": "testuser@example.com", "jkt": None}
            # For the client its token is over; the server renews it.
            clock = 3600
            assert (await http.get(url)).status_code == 200
        resumed = resume_login(kept[-1], now=lambda: time.time() + 7200)
        async with resumed, httpx.AsyncClient(auth=resumed) as http:
            assert (await http.get(url)).status_code == 200
        assert len({one["refresh_token"] for one in [*kept, resumed.saved()]}) == 3

        key, dpop = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        async with await signed_in(issuer, url, client_id=keyed_client(issuer, key), client_key=key, dpop=dpop) as login:
            assert login.saved()["bound"] is True
            async with httpx.AsyncClient(auth=login) as http:
                assert (await http.get(url)).json()["jkt"]


def keyed_client(issuer: str, key: ec.EllipticCurvePrivateKey) -> str:
    """Registers itself with the public half of a key."""
    numbers = key.public_key().public_numbers()
    point = {
        name: urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode() for name, value in (("x", numbers.x), ("y", numbers.y))
    }
    metadata = {
        "client_name": "Keyed",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", **point}]},
    }
    return str(httpx.post(f"{issuer}/register", json=metadata).json()["client_id"])
