"""Both servers of examples/mcp-servers from outside, over HTTP and stdio, with the official client and FastMCP's."""

import json
import re
import shutil
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from programs import (
    PATIENCE_SECONDS,
    ROOT,
    auth_server,
    command,
    environment,
    free_port,
    get,
    keys_of,
    post,
    protected_server,
    run,
    running,
)
from sign_in import (
    ADA,
    CALLBACK,
    TEST_CLIENT,
    TESTUSER,
    allow,
    authorization_url,
    called_back,
    default_browser,
    official_sign_in,
    redeem,
    tokens_for,
)
from stage import Reply, bearer, play

pytestmark = pytest.mark.anyio

LAUNCHER = "mcp-servers/oauth_auth_server.py"
PROTECTED = "mcp-servers/oauth_protected_server.py"
TOOLS = {"get_user_profile", "create_secure_note", "list_secure_notes", "get_api_usage"}


class TestOAuthAuthServer:
    async def test_metadata_names_every_endpoint_at_the_issuer(self, issuer: str) -> None:
        document = get(f"{issuer}/.well-known/oauth-authorization-server").json()

        assert document["issuer"] == issuer
        assert document["code_challenge_methods_supported"] == ["S256"]
        names = ("authorization", "token", "introspection", "revocation", "registration")
        assert all(document[f"{name}_endpoint"].startswith(f"{issuer}/") for name in names)

    async def test_the_code_flow_ends_with_tokens_that_introspection_knows(self, issuer: str) -> None:
        back = await called_back(authorization_url(issuer))
        tokens = redeem(issuer, back["code"]).json()
        known = post(f"{issuer}/oauth/introspect", data={"token": tokens["access_token"]}, auth=TEST_CLIENT).json()

        assert (back["state"], back["iss"]) == ("s-1", issuer)
        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "mcp:read mcp:write")
        assert (known["active"], known["username"], known["client_id"]) == (True, "testuser", "mcp-test-client")
        assert (known["scope"], known["aud"], known["iss"]) == ("mcp:read mcp:write", "http://localhost:8001/mcp", issuer)

    async def test_the_documented_address_shows_a_login_form(self, issuer: str) -> None:
        query = {
            "client_id": TEST_CLIENT[0],
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "mcp:read",
            "code_challenge": "test",
            "code_challenge_method": "S256",
        }
        page = get(f"{issuer}/oauth/authorize", params=query, follow_redirects=True)

        assert page.status_code == 200
        assert 'name="password"' in page.text
        assert "code_challenge=test is for looking at this page only" in page.text

    async def test_the_documented_introspection_needs_no_credentials_for_demo_tokens(self, issuer: str) -> None:
        token = (await tokens_for(issuer))["access_token"]

        assert post(f"{issuer}/oauth/introspect", data={"token": token}).json()["active"] is True
        assert post(f"{issuer}/introspect", data={"token": token}).status_code == 401

    async def test_out_of_band_the_code_is_on_a_page_and_can_be_redeemed(self, issuer: str) -> None:
        oob = "urn:ietf:wg:oauth:2.0:oob"
        shown_at = await allow(authorization_url(issuer, redirect_uri=oob))
        code = httpx.URL(shown_at).params["code"]

        assert shown_at.startswith(f"{issuer}/")
        assert code in get(shown_at).text
        assert redeem(issuer, code, redirect_uri=oob).status_code == 200

    async def test_a_wrong_verifier_is_refused_and_costs_the_client_nothing_yet(self, issuer: str) -> None:
        code = (await called_back(authorization_url(issuer)))["code"]
        answer = redeem(issuer, code, code_verifier="a" * 43)

        assert answer.status_code == 400
        assert (answer.json()["error"], answer.json()["error_description"]) == ("invalid_grant", "Invalid PKCE verifier")
        assert redeem(issuer, code).status_code == 200

    async def test_a_code_works_once_and_a_second_use_ends_what_came_of_it(self, issuer: str) -> None:
        code = (await called_back(authorization_url(issuer)))["code"]
        first, second = redeem(issuer, code), redeem(issuer, code)
        token = first.json()["access_token"]

        assert [first.status_code, second.status_code] == [200, 400]
        assert second.json()["error"] == "invalid_grant"
        assert post(f"{issuer}/oauth/introspect", data={"token": token}, auth=TEST_CLIENT).json() == {"active": False}

    async def test_a_refresh_token_gets_new_tokens(self, issuer: str) -> None:
        tokens = await tokens_for(issuer)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        renewed = post(f"{issuer}/oauth/token", data=form, auth=TEST_CLIENT).json()

        assert renewed["access_token"] != tokens["access_token"]
        assert renewed["refresh_token"] != tokens["refresh_token"]

    async def test_a_revoked_token_is_inactive_at_once(self, issuer: str) -> None:
        token = (await tokens_for(issuer))["access_token"]
        revoked = post(f"{issuer}/oauth/revoke", data={"token": token}, auth=TEST_CLIENT)

        assert revoked.status_code == 200
        assert post(f"{issuer}/oauth/introspect", data={"token": token}, auth=TEST_CLIENT).json() == {"active": False}

    @pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/callback"}, {"client_id": "nobody"}])
    async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(self, issuer: str, changes: dict[str, str]) -> None:
        answer = get(authorization_url(issuer, **changes))

        assert answer.status_code == 400
        assert "location" not in answer.headers

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code_challenge": ""}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "mcp:admin"}, "invalid_scope"),
            ({"response_type": "token"}, "unsupported_response_type"),
        ],
    )
    async def test_other_mistakes_are_told_to_the_client(self, issuer: str, changes: dict[str, str], error: str) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            answer = await http.get(authorization_url(issuer, **changes))
        told = httpx.URL(answer.headers["location"])

        assert str(told).startswith(CALLBACK)
        assert (told.params["error"], told.params["state"]) == (error, "s-1")

    async def test_a_wrong_client_secret_is_invalid_client(self, issuer: str) -> None:
        form = {"grant_type": "authorization_code", "code": "ac_x", "redirect_uri": CALLBACK}
        answer = post(f"{issuer}/oauth/token", data=form, auth=(TEST_CLIENT[0], "wrong"))

        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    async def test_a_wrong_password_gets_no_further_than_the_form(self, issuer: str) -> None:
        with pytest.raises(AssertionError, match="stopped at"):
            await allow(authorization_url(issuer), ("testuser", "wrong"))

    async def test_an_unknown_token_is_inactive_for_those_who_may_ask(self, issuer: str) -> None:
        assert post(f"{issuer}/oauth/introspect", data={"token": "unknown"}, auth=TEST_CLIENT).json() == {"active": False}


class TestLauncher:
    def test_it_stops_when_it_is_told_and_keeps_its_data_where_it_is_told(self, tmp_path: Path) -> None:
        data, port = tmp_path / "dev.db", free_port()
        with running(LAUNCHER, "--port", str(port), "--host", "127.0.0.1", "--data-file", str(data), ready="ready in") as program:
            assert get(f"http://127.0.0.1:{port}/health").status_code == 200
            program.send_signal(signal.SIGINT)
            program.wait(PATIENCE_SECONDS)

        assert program.returncode == 0
        assert data.exists()

    def test_a_host_that_others_could_reach_is_refused(self) -> None:
        ended = run(LAUNCHER, "--host", "0.0.0.0", "--ephemeral")

        assert ended.returncode == 2
        assert "0.0.0.0" in ended.stderr

    def test_a_port_that_is_taken_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            port = str(bound.getsockname()[1])
            ended = run(LAUNCHER, "--port", port, "--ephemeral")

        assert ended.returncode == 5
        assert port in ended.stderr

    def test_without_the_packages_it_says_to_install_them(self, tmp_path: Path) -> None:
        ended = run(str(a_copy(tmp_path)))

        assert ended.returncode == 1
        assert f"cd {tmp_path} && npm ci" in ended.stderr

    def test_without_a_new_node_it_says_where_to_get_one(self, tmp_path: Path) -> None:
        copy = a_copy(tmp_path)
        (tmp_path / "node_modules").mkdir()
        old = tmp_path / "bin/node"
        old.parent.mkdir()
        old.write_text("#!/bin/sh\necho v20.19.0\n")
        old.chmod(0o755)

        for path in (str(old.parent), ""):
            ended = run(str(copy), PATH=path)
            assert ended.returncode == 1
            assert "Node.js 24 or newer was not found" in ended.stderr


def a_copy(folder: Path) -> Path:
    """The launcher in a clone where nothing is installed."""
    copy = folder / "examples" / LAUNCHER
    copy.parent.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / LAUNCHER, copy)
    return copy


@pytest.fixture(scope="module")
def over_http(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with protected_server(issuer, tmp_path_factory.mktemp("http") / "notes.db") as url:
        yield url


@pytest.fixture(scope="module")
def over_sse(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with protected_server(issuer, tmp_path_factory.mktemp("sse") / "notes.db", "sse") as url:
        yield url


class TestOAuthProtectedMCPServer:
    async def test_without_a_token_it_says_where_to_get_one(self, issuer: str, over_http: str) -> None:
        metadata = f"{over_http.removesuffix('/mcp')}/.well-known/oauth-protected-resource/mcp"
        refused = post(over_http, json={})
        document = get(metadata).json()
        bad = post(over_http, json={}, headers=bearer("bad"))
        elsewhere = [get(over_http.replace("/mcp", path)).status_code for path in ("/", "/messages/", "/docs")]

        assert refused.status_code == bad.status_code == 401
        assert f'resource_metadata="{metadata}"' in refused.headers["www-authenticate"]
        assert "error=" not in refused.headers["www-authenticate"]
        assert 'error="invalid_token"' in bad.headers["www-authenticate"]
        assert (document["resource"], document["authorization_servers"]) == (over_http, [issuer])
        assert document["scopes_supported"] == ["mcp:read", "mcp:write"]
        assert elsewhere == [401, 401, 401]

    async def test_a_token_for_another_server_and_a_revoked_one_open_nothing(self, issuer: str, over_http: str) -> None:
        other = (await tokens_for(issuer))["access_token"]
        mine = (await tokens_for(issuer, resource=over_http))["access_token"]
        post(f"{issuer}/oauth/revoke", data={"token": mine}, auth=TEST_CLIENT)

        assert [post(over_http, json={}, headers=bearer(token)).status_code for token in (other, mine)] == [401, 401]

    async def test_a_token_for_reading_is_told_what_writing_needs(self, issuer: str, over_http: str) -> None:
        token = (await tokens_for(issuer, resource=over_http, scope="mcp:read"))["access_token"]
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_secure_note", "arguments": {"content": "x"}}}
        refused = post(over_http, json=call, headers=bearer(token))

        assert refused.status_code == 403
        assert 'error="insufficient_scope", scope="mcp:read mcp:write"' in refused.headers["www-authenticate"]

    @pytest.mark.parametrize("transport", ["http", "sse"])
    async def test_the_official_client_signs_in_steps_up_and_uses_everything(self, transport: str, request: pytest.FixtureRequest) -> None:
        url = request.getfixturevalue(f"over_{transport}")
        async with official_client(url, transport) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            templates = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
            reading = await called(client, "get_user_profile")
            before = await called(client, "get_api_usage")
            made = await called(client, "create_secure_note", {"content": "Hello World"})
            titled = await called(client, "create_secure_note", {"content": "é" * 150, "title": "Test"})
            listed = await called(client, "list_secure_notes")
            usage = await called(client, "get_api_usage")
            profile = json.loads(text_of(await client.read_resource("user://profile")))
            note = await client.read_resource(f"user://notes/{made['note_id']}")

        assert (names, templates) == (TOOLS, ["user://notes/{note_id}"])
        assert list(profile) == ["user_id", "email", "name", "created_at", "last_login", "permissions"]
        assert (profile["email"], profile["name"]) == ("testuser@example.com", "testuser")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", profile["created_at"])
        assert (reading["permissions"], profile["permissions"]) == (["mcp:read"], ["mcp:read", "mcp:write"])
        assert {**reading, "permissions": 0, "last_login": 0} == {**profile, "permissions": 0, "last_login": 0}
        assert (made["title"], titled["title"]) == ("Untitled", "Test")
        assert [one["preview"] for one in listed["notes"]] == ["Hello World", "é" * 100]
        assert [one["note_id"] for one in listed["notes"]] == [made["note_id"], titled["note_id"]]
        assert (usage["requests"], usage["tokens_used"]) == (before["requests"] + 4, before["tokens_used"] + 41)
        assert usage["quota_remaining"] == 10_000 - usage["requests"]
        assert text_of(note) == "Hello World"

    @pytest.mark.parametrize("transport", ["http", "sse"])
    async def test_the_client_of_fastmcp_signs_in_with_its_own_helper(self, transport: str, request: pytest.FixtureRequest) -> None:
        url = request.getfixturevalue(f"over_{transport}")
        kind = SSETransport if transport == "sse" else StreamableHttpTransport
        with default_browser(ADA):
            async with Client(kind(url, auth=OAuth(url))) as client:
                profile = (await client.call_tool("get_user_profile")).data

        assert profile["email"] == "ada@example.com"

    async def test_a_session_of_sse_is_the_persons_who_opened_it(self, issuer: str, over_sse: str) -> None:
        mine, hers = [(await tokens_for(issuer, person, resource=over_sse))["access_token"] for person in (TESTUSER, ADA)]
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http, http.stream("GET", over_sse, headers=bearer(mine)) as stream:
            lines = stream.aiter_lines()
            place = next(line.removeprefix("data: ") for line in [await anext(lines), await anext(lines)] if line.startswith("data: "))
            address = httpx.URL(over_sse).join(place)
            ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            answers = [(await http.post(address, json=ping, headers=bearer(token))).status_code for token in (hers, "bad", mine)]

        assert answers == [404, 401, 202]

    async def test_notes_are_each_persons_own_and_survive_a_restart(self, issuer: str, tmp_path: Path) -> None:
        data, port = tmp_path / "notes.db", free_port()
        with protected_server(issuer, data, port=port) as url:
            async with official_client(url, "http", TESTUSER) as client:
                mine = await called(client, "create_secure_note", {"content": "mine"})
            async with official_client(url, "http", ADA) as client:
                before = await called(client, "list_secure_notes")
                with pytest.raises(MCPError, match="There is no such note"):
                    await client.read_resource(f"user://notes/{mine['note_id']}")
                hers = await called(client, "create_secure_note", {"content": "hers"})
            first = registered_for(issuer, url)
        between = keys_of(issuer, first[0])
        with protected_server(issuer, data, port=port) as url:
            async with official_client(url, "http", TESTUSER) as client:
                kept = await called(client, "list_secure_notes")
            async with official_client(url, "http", ADA) as client:
                profile = await called(client, "get_user_profile")
                note = await client.read_resource(f"user://notes/{hers['note_id']}")
            again = registered_for(issuer, url)

        assert before == {"notes": []}
        assert kept == {"notes": [{"note_id": mine["note_id"], "title": "Untitled", "preview": "mine"}]}
        assert (profile["email"], text_of(note)) == ("ada@example.com", "hers")
        assert len(first) == 1, "registered once"
        assert (again, between) == (first, []), "and its key is given back at the end"

    async def test_over_stdio_the_token_of_the_environment_says_who_it_is(self, issuer: str, tmp_path: Path) -> None:
        before = keys_of(issuer, "srv_notes")
        async with stdio(issuer, tmp_path / "notes.db", (await tokens_for(issuer))["access_token"]) as client:
            names = {tool.name for tool in await client.list_tools()}
            for wrong in ({}, {"content": 1}, {"content": "x" * 100_001}, {"content": "x", "title": "x" * 201}):
                with pytest.raises(ToolError):
                    await client.call_tool("create_secure_note", wrong)
            notes = (await client.call_tool("list_secure_notes")).data
            profile = (await client.call_tool("get_user_profile")).data
            told = (await client.read_resource("user://profile"))[0].text

        assert (names, notes) == (TOOLS, {"notes": []})
        assert profile["email"] == "testuser@example.com"
        assert json.loads(told) == profile
        assert keys_of(issuer, "srv_notes") == before

    async def test_a_key_that_an_owner_gave_is_used_and_a_month_has_an_end(self, issuer: str, tmp_path: Path) -> None:
        key = post(f"{issuer}/api/servers/srv_notes/keys", json={"name": "an owner's"}).json()
        data, token = tmp_path / "notes.db", (await tokens_for(issuer))["access_token"]
        before = keys_of(issuer, "srv_notes")
        async with stdio(issuer, data, token, SERVER_ID="srv_notes", API_KEY=key["key_secret"]) as client:
            first = (await client.call_tool("get_api_usage")).data
            during = keys_of(issuer, "srv_notes")
            with closing(sqlite3.connect(data)) as database, database:
                database.execute("update usage set requests = 9999")
            last = (await client.call_tool("get_api_usage")).data
            with pytest.raises(ToolError, match="The requests of this month are used up"):
                await client.call_tool("list_secure_notes")

        assert during == before
        assert (first["quota_remaining"], last["quota_remaining"]) == (9999, 0)

    @pytest.mark.parametrize(
        ("scope", "token", "said"),
        [
            (None, None, "AUTH_AGENT_ACCESS_TOKEN is not set"),
            (None, "bad", "expired, revoked or not for this server. Sign in again"),
            ("mcp:read", None, "This needs mcp:write: sign in again and allow it"),
        ],
        ids=["none", "bad", "reading"],
    )
    async def test_over_stdio_a_refusal_says_what_to_do(
        self, issuer: str, tmp_path: Path, scope: str | None, token: str | None, said: str
    ) -> None:
        given = (await tokens_for(issuer, scope=scope))["access_token"] if scope else token
        async with stdio(issuer, tmp_path / "notes.db", given) as client:
            with pytest.raises(ToolError, match=said):
                await client.call_tool("create_secure_note", {"content": "x"})
            with pytest.raises(MCPError, match="There is no such note" if scope else said):
                await client.read_resource("user://notes/note_1")

    async def test_over_stdio_an_outage_is_no_reason_to_sign_in_again(self, tmp_path: Path) -> None:
        async with AsyncExitStack() as stack:
            with auth_server("--ephemeral") as issuer:
                token = (await tokens_for(issuer))["access_token"]
                client = await stack.enter_async_context(stdio(issuer, tmp_path / "notes.db", token))
            with pytest.raises(ToolError, match=f"{issuer} cannot be asked about the access token"):
                await client.call_tool("get_user_profile")

    def test_without_an_authorization_server_it_says_how_to_start_one(self) -> None:
        ended = run(PROTECTED, "--auth-server", f"http://localhost:{free_port()}")

        assert ended.returncode == 1
        assert "uv run python examples/mcp-servers/oauth_auth_server.py" in ended.stderr

    def test_an_authorization_server_that_gives_no_keys_to_strangers_is_no_riddle(self, tmp_path: Path) -> None:
        with play() as strict:
            strict.reply = lambda _: Reply({"error": "invalid_token"}, status=401)
            ended = run(PROTECTED, "--auth-server", strict.url, "--data-file", str(tmp_path / "notes.db"))

        assert ended.returncode == 1
        assert "set SERVER_ID and API_KEY" in ended.stderr

    def test_a_port_that_is_taken_is_named(self, issuer: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            port = str(bound.getsockname()[1])
            ended = run(PROTECTED, "--transport", "http", "--port", port, "--auth-server", issuer)

        assert ended.returncode == 1
        assert f"Port {port} cannot be used" in ended.stderr


def registered_for(issuer: str, resource: str) -> list[str]:
    return [one["server_id"] for one in get(f"{issuer}/api/servers").json()["servers"] if one["resource"] == resource]


@asynccontextmanager
async def official_client(url: str, transport: str, person: tuple[str, str] = TESTUSER) -> AsyncIterator[ClientSession]:
    """The client of the official SDK after its own OAuthClientProvider signed in."""
    auth = official_sign_in(url, person)
    if transport == "sse":
        async with sse_client(url, auth=auth) as (reads, writes), ClientSession(reads, writes) as session:
            await session.initialize()
            yield session
        return
    async with (
        httpx2.AsyncClient(timeout=PATIENCE_SECONDS, auth=auth, follow_redirects=True) as http,
        streamable_http_client(url, http_client=http) as (reads, writes, *_),
        ClientSession(reads, writes) as session,
    ):
        await session.initialize()
        yield session


async def called(client: ClientSession, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a tool answers."""
    result = await client.call_tool(tool, arguments or {})
    assert not result.is_error, result.content
    answer: dict[str, Any] = result.structured_content or {}
    return answer


def text_of(result: Any) -> str:
    return str(result.contents[0].text)


def stdio(issuer: str, data: Path, token: str | None, **additions: str) -> Client[StdioTransport]:
    """FastMCP's client of the protected server as a program, as `auth-agent shell` starts it."""
    program, *arguments = command(PROTECTED, "--auth-server", issuer, "--data-file", str(data))
    env = environment(**additions, **({} if token is None else {"AUTH_AGENT_ACCESS_TOKEN": token}))
    return Client(StdioTransport(program, arguments, env=env, keep_alive=False))
