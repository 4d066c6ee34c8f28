"""The official MCP SDK (1.x or 2.x, whichever is installed) and FastMCP with our verifiers, called by their own clients."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastmcp import Client, FastMCP
from fastmcp.server.dependencies import get_access_token
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import TokenVerifier as OfficialVerifier
from serving import serve
from stage import PlayedServer, Reply, bearer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from auth_agent_mcp import AuthServerUnavailable
from auth_agent_mcp._sign_in import SignInDemand, check_sign_in
from auth_agent_mcp.errors import AuthenticationError
from auth_agent_mcp.fastmcp import AuthAgentProvider
from auth_agent_mcp.mcp import TokenVerifier

pytestmark = pytest.mark.anyio


def fresh(played: PlayedServer, **changes: Any) -> dict[str, Any]:
    """The official checks have a clock of their own."""
    return played.active(exp=int(time.time()) + 3600, iat=1, **changes)


async def test_the_verifier_is_what_the_official_sdk_asks_for(played: PlayedServer) -> None:
    """[PY-02] [PY-03] [RS-09] [RS-21]"""
    origin = "https://files.example.com"
    played.reply = lambda _: Reply(fresh(played, scope="files:write", aud=f"{origin}/"))
    ours = TokenVerifier(**played.options(resource=origin, now=time.time, scope_hierarchy={"files:write": ["files:read"]}))
    verifier: OfficialVerifier = ours

    async with ours.client:
        token = await verifier.verify_token("abc")

    assert token is not None
    assert (token.client_id, token.scopes, token.resource) == ("client_a", ["files:write", "files:read"], origin)
    assert isinstance(token.expires_at, int)
    assert "abc" not in token.model_dump_json()
    claims = token.model_dump().get("claims")
    assert claims is None or claims["sub"] == "usr_1"


async def test_the_official_middleware_with_our_verifier(played: PlayedServer) -> None:
    """[RS-02] [RS-17] [PY-02]"""

    async def whoami(request: Request) -> JSONResponse:
        return JSONResponse({"client": request.user.access_token.client_id})

    verifier = TokenVerifier(**played.options(resource="https://files.example.com/mcp", now=time.time))
    app = Starlette(
        routes=[Route("/mcp", RequireAuthMiddleware(whoami_app(whoami), ["files:read"]))],
        middleware=[Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier))],
    )
    async with verifier.client, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://files.example.com") as http:
        played.reply = lambda _: Reply(fresh(played))
        good = await http.get("/mcp", headers=bearer("good"))
        played.reply = lambda _: Reply({"active": False})
        bad = await http.get("/mcp", headers=bearer("bad"))
        played.reply = lambda _: Reply(status=503)
        with pytest.raises(AuthServerUnavailable):
            await http.get("/mcp", headers=bearer("down"))

    assert (good.json(), bad.status_code) == ({"client": "client_a"}, 401)


def whoami_app(handler: Any) -> Any:
    return Starlette(routes=[Route("/mcp", handler)])


@asynccontextmanager
async def files_server(played: PlayedServer, **options: Any) -> AsyncIterator[str]:
    """A FastMCP server on a real socket."""
    with_port = serve(lambda url: fastmcp_app(f"{url}/mcp", played, **options))
    async with with_port as url:
        yield f"{url}/mcp"


def fastmcp_app(resource: str, played: PlayedServer, **options: Any) -> Any:
    provider = AuthAgentProvider(**played.options(resource=resource, now=time.time, **options))
    mcp: FastMCP[Any] = FastMCP("files", auth=provider)

    @mcp.tool
    def whoami() -> str:
        """Says who calls."""
        token = get_access_token()
        return str(token.claims["email"]) if token else "nobody"

    @mcp.tool
    def write_file() -> str:
        """Writes."""
        return "written"

    return mcp.http_app(path="/mcp")


async def test_fastmcp_behind_the_guard_called_by_its_own_client(played: PlayedServer) -> None:
    """[PY-02] [RS-16]"""
    async with files_server(played, required_scopes=["files:read"], tool_scopes={"write_file": ["files:write"]}) as url:
        played.reply = lambda _: Reply(fresh(played, aud=url))
        async with Client(url, auth="abc") as client:
            answer = await client.call_tool("whoami")
        async with httpx.AsyncClient() as http:
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "write_file"}}
            refused = await http.post(url, json=call, headers=bearer())

    assert answer.data == "testuser@example.com"
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="files:read files:write"' in refused.headers["www-authenticate"]


async def test_fastmcp_answers_as_the_guard_does(played: PlayedServer) -> None:
    """[PRM-10] [PY-03] [RS-17]"""
    async with files_server(played, required_scopes=["files:read"]) as url, httpx.AsyncClient() as http:
        origin = url.removesuffix("/mcp")
        nothing = await http.post(url)
        document = await http.get(f"{origin}/.well-known/oauth-protected-resource/mcp")
        played.reply = lambda _: Reply(status=500)
        down = await http.post(url, headers=bearer())

    assert nothing.status_code == 401
    assert f'resource_metadata="{origin}/.well-known/oauth-protected-resource/mcp"' in nothing.headers["www-authenticate"]
    assert document.json()["authorization_servers"] == [played.url]
    assert document.json()["resource"] == url
    assert (down.status_code, down.headers["retry-after"]) == (503, "5")


async def test_neither_verifier_passes_a_sign_in_that_is_too_weak(played: PlayedServer) -> None:
    """[RS-15]"""
    options = played.options(resource="https://files.example.com/mcp", acr_values=["aal2"])
    for verifier in (TokenVerifier(**options), AuthAgentProvider(**options)):
        async with verifier.client:
            assert await verifier.verify_token("abc") is None
            played.says(acr="aal2")
            assert await verifier.verify_token("abcd") is not None
            played.reply = played.good_reply


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("required_scopes", ["files:read"]),
        ("tool_scopes", {"write_file": ["files:write"]}),
        ("public_paths", ["/health"]),
        ("allowed_origins", ["https://app.example.com"]),
    ],
)
def test_a_verifier_refuses_what_it_cannot_keep(played: PlayedServer, option: str, value: Any) -> None:
    """[RS-16] Ignored, a demand would look like one that is met."""
    with pytest.raises(ValueError, match=f'"{option}"'):
        TokenVerifier(**played.options(**{option: value}))

    assert TokenVerifier(**played.options(required_scopes=(), tool_scopes=None, public_paths=[], allowed_origins=[]))
    assert AuthAgentProvider(**played.options(**{option: value}))


def test_who_came_with_a_proof_is_told_under_the_scheme_of_proofs() -> None:
    """[RS-15] [DPR-03]"""
    for bound, scheme in ((True, "DPoP"), (False, "Bearer")):
        with pytest.raises(AuthenticationError) as refused:
            check_sign_in({}, SignInDemand(max_age=0), 0, bound=bound)
        assert refused.value.scheme == scheme
