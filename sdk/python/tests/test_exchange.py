"""Token exchange and the chain of actors: the shared vectors, and that what came in cannot be passed on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from stage import RESOURCE, START_OF_TIME, PlayedServer, Reply, ask, bearer, vectors
from test_vectors import Case, cases

from auth_agent_mcp import (
    ActorRefused,
    AuthAgentClient,
    AuthContext,
    AuthenticationError,
    AuthServerUnavailable,
    TokenExchange,
    TokenRequestRefused,
    require_actor,
)
from auth_agent_mcp._access_token import access_token_members
from auth_agent_mcp._actors import read_actors

pytestmark = pytest.mark.anyio

CLIENT: dict[str, Any] = {"client_id": "files-service", "client_secret": "very secret"}
NOTES = "https://notes.example.com/mcp"


async def admitted(played: PlayedServer, token: str = "the-subject-token") -> AuthContext:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        return await client.validate_token(token)


class Tokens:
    """A token endpoint in a transport."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answer: Any = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.answer is not None:
            return httpx.Response(self.answer["status"], json=self.answer["body"])
        return httpx.Response(200, json={"access_token": f"t{len(self.asked)}", "token_type": "Bearer", "expires_in": 600})

    def exchange(self, now: Any = lambda: START_OF_TIME) -> TokenExchange:
        return TokenExchange(**CLIENT, token_endpoint="https://auth.example.com/token", transport=httpx.MockTransport(self), now=now)


@cases("actors")
async def test_actors(case: Case) -> None:
    if "reason" in case:
        with pytest.raises(AuthenticationError) as caught:
            read_actors(case.get("act"), case.get("max_actors", float("inf")))
        assert (caught.value.code, caught.value.status, caught.value.reason) == ("invalid_token", 401, case["reason"])
        return
    actors = read_actors(case.get("act"), case.get("max_actors", float("inf")))
    assert actors == tuple(case["actors"] or ())
    auth = replace(context(), actors=actors)
    if case.get("allowed") is False:
        with pytest.raises(ActorRefused) as refused:
            require_actor(auth, *case["require"])
        assert (refused.value.code, refused.value.status) == ("actor_refused", 403)
    elif "require" in case:
        require_actor(auth, *case["require"])


def context() -> AuthContext:
    from auth_agent_mcp import AuthUser

    return AuthContext(AuthUser("usr_1"), "client_a", (), RESOURCE, "https://auth.example.com", (RESOURCE,), START_OF_TIME, "hash")


@cases("exchange")
async def test_exchange(case: Case, played: PlayedServer) -> None:
    tokens = Tokens()
    onward = tokens.exchange()
    auth = await admitted(played, vectors("exchange")["subject"])
    tokens.answer = case.get("answer")

    outcome = await outcome_of(onward, auth, case)

    assert outcome == (("refused", case["code"]) if case["expect"] == "refused" else case["expect"])
    assert len(tokens.asked) == (0 if case.get("form", {}) is None else 1)
    if case.get("form"):
        assert dict(httpx.QueryParams(tokens.asked[0].content.decode())) == case["form"]


async def outcome_of(onward: TokenExchange, auth: AuthContext, case: Case) -> Any:
    try:
        return await onward.exchange(auth, case["resource"], case.get("scopes", ()))
    except ValueError:
        return "wrong_use"
    except AuthServerUnavailable:
        return "unavailable"
    except TokenRequestRefused as error:
        return "refused", error.code


async def test_what_came_in_cannot_be_passed_on(played: PlayedServer) -> None:
    """[RS-09] [RS-20]"""
    tokens = Tokens()
    onward = tokens.exchange()
    auth = await admitted(played)
    stranger = replace(auth, token_hash="of a token that nobody sent")

    wrong: Any
    for wrong in ("the-subject-token", "Bearer the-subject-token", None, 5, {}, stranger):
        with pytest.raises(ValueError):  # noqa: PT011 - either reason will do
            onward.on_behalf_of(wrong, NOTES)
    assert tokens.asked == []
    sent: list[str] = []

    def api(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200)

    there = onward.on_behalf_of(auth, NOTES)
    async with httpx.AsyncClient(auth=there, transport=httpx.MockTransport(api)) as http:
        await http.get(NOTES, headers={"Authorization": "Bearer the-subject-token"})
        with pytest.raises(ValueError, match="not for"):
            await http.get("https://elsewhere.example.com/mcp")
    assert sent == ["Bearer t1"]
    for shown in (
        repr(auth),
        repr(there),
        repr(onward),
        str(vars(auth)),
        str(access_token_members(auth, AuthAgentClient(**played.options()))),
    ):
        assert "the-subject-token" not in shown


async def test_one_token_per_caller_resource_and_scopes(played: PlayedServer) -> None:
    now = START_OF_TIME
    tokens = Tokens()
    onward = tokens.exchange(lambda: now)
    auth = await admitted(played)
    ask_once = [onward.exchange(auth, NOTES, ["notes:read"]) for _ in range(3)]

    assert await asyncio.gather(*ask_once) == ["t1", "t1", "t1"]
    assert await onward.exchange(auth, NOTES) == "t2"
    assert await onward.exchange(await admitted(played, "another-token"), NOTES) == "t3"
    assert await onward.exchange(access_token(played, auth), NOTES) == "t2"
    now += 541
    assert await onward.exchange(auth, NOTES, ["notes:read"]) == "t4"
    async with onward:
        assert len(tokens.asked) == 4


def access_token(played: PlayedServer, auth: AuthContext) -> Any:
    """What tools of the official SDK see."""
    members = access_token_members(auth, AuthAgentClient(**played.options()))
    return type("AccessToken", (), members)()


async def test_the_chain_is_in_the_context_and_a_refused_actor_is_a_403_without_a_challenge(played: PlayedServer) -> None:
    """[TEX-06]"""
    act = {"sub": "files-service", "act": {"sub": "client_a"}}
    played.reply = lambda _: Reply(played.active(act=act))
    assert (await admitted(played)).actors == ("files-service", "client_a")

    with pytest.raises(AuthenticationError) as caught:
        async with AuthAgentClient(**played.options(resource=RESOURCE, max_actors=1)) as client:
            await client.validate_token("abc")
    assert caught.value.reason == "actors"
    with pytest.raises(ValueError, match="max_actors"):
        AuthAgentClient(**played.options(max_actors=-1))


async def test_a_handler_that_refuses_an_actor_is_answered_by_the_middleware(played: PlayedServer) -> None:
    """[TEX-06]"""
    from auth_agent_mcp._challenge import answer_for
    from auth_agent_mcp._guard import Guard

    guard = Guard(AuthAgentClient(**played.options(resource=RESOURCE)))
    answer = answer_for(ActorRefused(), guard.challenge)

    assert answer.status == 403
    assert "WWW-Authenticate" not in answer.headers
    async with ask(**played.options(resource=RESOURCE)) as http:
        assert (await http.get("/mcp", headers=bearer())).status_code == 200
