"""AgentTokens beyond the vectors: the request on the wire, one flight, discovery, and where a secret or token never goes."""

from __future__ import annotations

import asyncio
import base64
import traceback
from typing import Any

import httpx
import httpx2
import pytest
from stage import PlayedServer, Reply, play

from auth_agent_mcp import AgentTokens, AuthServerUnavailable, TokenRequestRefused
from auth_agent_mcp.httpx2 import AgentAuth

pytestmark = pytest.mark.anyio

SECRET = "very secret: +%&/é"
CLIENT: dict[str, Any] = {"client_id": "mcp-task-manager", "client_secret": SECRET}


def granted(token: str) -> Reply:
    return Reply({"access_token": token, "token_type": "Bearer", "expires_in": 3600})


async def test_the_request_is_a_form_with_form_encoded_credentials_in_the_header_only(played: PlayedServer) -> None:
    """[CC-01] RFC 6749 §2.3.1"""
    played.reply = lambda _: granted("t1")
    async with AgentTokens(
        **CLIENT, token_endpoint=f"{played.url}/token", scope="tasks:read tasks:write", resource="http://localhost:4001"
    ) as agent:
        assert await agent.token() == "t1"

    (asked,) = played.received
    assert asked.form == {"grant_type": "client_credentials", "scope": "tasks:read tasks:write", "resource": "http://localhost:4001"}
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "mcp-task-manager:very+secret%3A+%2B%25%26%2F%C3%A9"


async def test_many_callers_make_one_request_and_one_renewal_after_many_401s(played: PlayedServer) -> None:
    played.reply = lambda _: granted(f"t{len(played.received)}")
    arrived = 0
    all_arrived = asyncio.Event()

    async def api(request: httpx.Request) -> httpx.Response:
        nonlocal arrived
        if request.headers["authorization"] != "Bearer t1":
            return httpx.Response(200)
        # The old token is refused only after every request has it.
        arrived += 1
        if arrived == 20:
            all_arrived.set()
        await all_arrived.wait()
        return httpx.Response(401)

    async with AgentTokens(**CLIENT, token_endpoint=f"{played.url}/token") as agent:
        tokens = await asyncio.gather(*(agent.token() for _ in range(50)))
        async with httpx.AsyncClient(auth=agent, transport=httpx.MockTransport(api)) as http:
            answers = await asyncio.gather(*(http.get("https://tasks.example.com") for _ in range(20)))

    assert set(tokens) == {"t1"}
    assert {answer.status_code for answer in answers} == {200}
    assert len(played.received) == 2


async def test_the_same_for_httpx2(played: PlayedServer) -> None:
    played.reply = lambda _: granted(f"t{len(played.received)}")
    sent: list[str] = []

    def api(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers["authorization"])
        return httpx2.Response(401 if len(sent) == 1 else 200)

    agent = AgentTokens(**CLIENT, token_endpoint=f"{played.url}/token")
    async with agent, httpx2.AsyncClient(auth=AgentAuth(agent), transport=httpx2.MockTransport(api)) as http:
        answer = await http.get("https://tasks.example.com")

    assert (answer.status_code, sent) == (200, ["Bearer t1", "Bearer t2"])


async def test_the_token_endpoint_comes_from_the_metadata_of_exactly_this_issuer(played: PlayedServer) -> None:
    """RFC 8414 §3.3"""
    issuer = f"{played.url}/t/acme"
    metadata = {"issuer": issuer, "token_endpoint": f"{played.url}/t/acme/token"}
    served: dict[str, Any] = metadata

    def reply(request: Any) -> Reply:
        return Reply(served) if request.path == "/.well-known/oauth-authorization-server/t/acme" else granted("t1")

    played.reply = reply
    async with AgentTokens(**CLIENT, issuer=issuer) as agent:
        assert await agent.token() == "t1"
    for wrong in (
        {"issuer": played.url},
        {"issuer": f"{issuer}/"},
        {"issuer": None},
        {"token_endpoint": "http://auth.example.com/token"},
        {"token_endpoint": 7},
    ):
        served = {**metadata, **wrong}
        played.received.clear()
        async with AgentTokens(**CLIENT, issuer=issuer) as agent:
            with pytest.raises(TokenRequestRefused, match="wrong_"):
                await agent.token()
        assert all(one.method == "GET" and "authorization" not in one.headers for one in played.received)


def addresses_of(issuer: str) -> list[str]:
    """Where its metadata is looked for, in this order."""
    origin, path = issuer[: issuer.index("/", 8)], issuer[issuer.index("/", 8) :].rstrip("/")
    oauth, oidc = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    return [f"{origin}{oauth}{path}", f"{origin}{oidc}{path}", *([f"{origin}{path}{oidc}"] if path else [])]


NO_METADATA: dict[str, Any] = {
    "404": httpx.Response(404),
    "403": httpx.Response(403),
    "500": httpx.Response(500),
    "a page": httpx.Response(200, text="<!doctype html>"),
    "a list": httpx.Response(200, json=[]),
    "a redirect": httpx.Response(302, headers={"Location": "https://auth.example.com/t1"}),
    "nothing": None,
}


@pytest.mark.parametrize("instead", NO_METADATA)
@pytest.mark.parametrize("issuer", ["https://auth.example.com/t/acme", "https://auth.example.com/"])
async def test_metadata_is_looked_for_wherever_clients_look(issuer: str, instead: str) -> None:
    """[CL-03]"""
    addresses = addresses_of(issuer)
    for place in range(len(addresses) + 1):
        asked: list[str] = []

        def answer(request: httpx.Request, asked: list[str] = asked, place: int = place) -> httpx.Response:
            if request.method == "POST":
                return httpx.Response(200, json={"access_token": "t1", "token_type": "Bearer"})
            asked.append(str(request.url))
            if len(asked) == place + 1:
                return httpx.Response(200, json={"issuer": issuer, "token_endpoint": "https://auth.example.com/token"})
            if NO_METADATA[instead] is None:
                raise httpx.ConnectError("away")
            found: httpx.Response = NO_METADATA[instead]
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)

        async with AgentTokens(**CLIENT, issuer=issuer, transport=httpx.MockTransport(answer)) as agent:
            if place < len(addresses):
                assert await agent.token() == "t1"
            else:
                with pytest.raises(AuthServerUnavailable):
                    await agent.token()

        assert asked == addresses[: place + 1]


async def test_metadata_of_another_issuer_ends_the_search() -> None:
    """[CL-03]"""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"issuer": "https://other.example.com", "token_endpoint": "https://auth.example.com/token"})

    async with AgentTokens(**CLIENT, issuer="https://auth.example.com/t/acme", transport=httpx.MockTransport(answer)) as agent:
        with pytest.raises(TokenRequestRefused, match="wrong_issuer"):
            await agent.token()

    assert len(asked) == 1


async def test_an_outage_names_the_address_and_what_came_of_it(played: PlayedServer) -> None:
    endpoint = f"{played.url}/token"
    metadata = f"{played.url}/.well-known/oauth-authorization-server"
    bound = Reply({"access_token": "t1", "token_type": "DPoP"})
    replies: tuple[tuple[Reply, dict[str, Any], str], ...] = (
        (Reply(status=502), {"issuer": played.url}, f'"{metadata}" answered 502'),
        (Reply(raw="<html>"), {"issuer": played.url}, f'"{metadata}" answered without a JSON object'),
        (Reply(status=404), {"token_endpoint": endpoint}, f'"{endpoint}" answered 404'),
        (Reply(raw="<html>"), {"token_endpoint": endpoint}, f'"{endpoint}" answered without a JSON object'),
        (Reply({}), {"token_endpoint": endpoint}, f'"{endpoint}" answered without a usable access_token'),
        (Reply({"access_token": "a\nb"}), {"token_endpoint": endpoint}, f'"{endpoint}" answered without a usable access_token'),
        (Reply({"access_token": "t1"}), {"token_endpoint": endpoint}, f'"{endpoint}" answered with a token that is not of type Bearer'),
        (bound, {"token_endpoint": endpoint}, f'"{endpoint}" answered with a token that is not of type Bearer'),
        (granted("t1"), {"token_endpoint": endpoint, "dpop": True}, f'"{endpoint}" answered with a token that is not of type DPoP'),
        (Reply(cut=True), {"token_endpoint": endpoint}, f'"{endpoint}" cannot be reached'),
        (Reply(hang=True), {"token_endpoint": endpoint}, f'"{endpoint}" did not answer within 0.05 s'),
    )
    for reply, place, said in replies:
        played.reply = lambda _, reply=reply: reply  # type: ignore[misc]
        async with AgentTokens(client_id="a", client_secret="b", timeout=0.05 if reply.hang else 5, **place) as agent:
            with pytest.raises(AuthServerUnavailable) as caught:
                await agent.token()
        assert str(caught.value) == f"The authorization server cannot be reached: {said}"


async def test_the_secret_never_follows_a_redirect(played: PlayedServer) -> None:
    with play() as elsewhere:
        played.reply = lambda _: Reply(status=307, headers={"Location": f"{elsewhere.url}/token"})
        async with AgentTokens(**CLIENT, token_endpoint=f"{played.url}/token") as agent:
            with pytest.raises(AuthServerUnavailable):
                await agent.token()

        assert elsewhere.received == []


async def test_neither_an_agent_nor_an_error_shows_the_secret_even_if_the_server_says_it(
    played: PlayedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    refusal = {"error": "invalid_client", "error_description": f"wrong secret {SECRET}\r\nforged: line"}
    played.reply = lambda _: Reply(refusal, status=401)
    shown = []
    for endpoint in (f"{played.url}/token", "http://localhost:1/token"):
        async with AgentTokens(**CLIENT, token_endpoint=endpoint) as agent:
            with pytest.raises((TokenRequestRefused, AuthServerUnavailable)) as caught:
                await agent.token()
            shown += [repr(agent), repr(vars(agent)), *traceback.format_exception(caught.value)]

    said = "".join(shown) + caplog.text
    assert 'invalid_client "wrong secret ********\\r\\nforged: line"' in said
    assert not any(one in said for one in (SECRET, "very+secret", "dmVyeS", "forged: line\n"))


async def test_a_token_goes_to_https_or_loopback_only_and_with_a_resource_only_to_its_origin() -> None:
    def nothing(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be sent")

    transport = httpx.MockTransport(nothing)
    endpoint = "https://auth.example.com/token"
    agent = AgentTokens(**CLIENT, token_endpoint=endpoint, transport=transport)
    bound = AgentTokens(**CLIENT, token_endpoint=endpoint, transport=transport, resource="https://api.example.com/v1")

    async with httpx.AsyncClient(auth=agent, transport=transport) as http:
        with pytest.raises(ValueError, match="must be https"):
            await http.get("http://api.example.com/")
    async with httpx.AsyncClient(auth=bound, transport=transport) as http:
        for wrong in ("https://api.example.com:8443/", "https://api.example.com.evil.test/", "https://evil.test"):
            with pytest.raises(ValueError, match=r"the token is for https://api\.example\.com/v1, not for"):
                await http.get(wrong)


def test_misuse_names_the_option_and_a_blocking_client_is_refused() -> None:
    good = {**CLIENT, "issuer": "https://auth.example.com"}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("issuer", {"issuer": None}),
        ("token_endpoint", {"token_endpoint": "https://x.example/token"}),
        ("issuer", {"issuer": "http://auth.example.com"}),
        ("issuer", {"issuer": "https://auth.example.com?x"}),
        ("client_id", {"client_id": ""}),
        ("client_secret", {"client_secret": None}),
        ("scope", {"scope": "a  b"}),
        ("resource", {"resource": "/api"}),
        ("timeout", {"timeout": 0}),
    ]
    for option, changes in wrong:
        with pytest.raises(ValueError, match=option) as caught:
            AgentTokens(**{**good, **changes})
        assert SECRET not in str(caught.value)
    with httpx.Client(auth=AgentTokens(**good)) as http, pytest.raises(RuntimeError, match="AsyncClient"):
        http.get("https://api.example.com")
