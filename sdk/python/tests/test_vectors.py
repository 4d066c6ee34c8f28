"""[PY-01] The vectors that every SDK of Auth-Agent MCP runs."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import unused_port
from stage import RESOURCE, ROOT, START_OF_TIME, PlayedServer, Reply, ask, bearer, vectors

from auth_agent_mcp import (
    AgentTokens,
    AnyOf,
    AuthAgentClient,
    AuthAgentError,
    AuthenticationError,
    AuthorizationError,
    AuthServerUnavailable,
    TokenRequestRefused,
)
from auth_agent_mcp._challenge import answer_for
from auth_agent_mcp._credentials import Credentials, carries_access_token, read_credentials
from auth_agent_mcp._guard import Guard
from auth_agent_mcp._resource import accepted_audiences
from auth_agent_mcp._scope import ScopeRequirement, challenge_scopes, close_hierarchy, satisfies
from auth_agent_mcp._sign_in import SignInDemand, check_sign_in
from auth_agent_mcp._verify import AuthContext, Expectations, judge_introspection

pytestmark = pytest.mark.anyio

Case = dict[str, Any]


def cases(name: str) -> pytest.MarkDecorator:
    """Parametrises a test with the cases of a file, titled as there."""
    listed = vectors(name)["cases"]
    titles = ["".join(f"[{one}] " for one in case["requirements"]) + case["name"] for case in listed]
    return pytest.mark.parametrize("case", listed, ids=titles)


def requirement_of(value: Any) -> ScopeRequirement:
    return AnyOf(*value["anyOf"]) if isinstance(value, dict) else tuple(value)


def test_every_file_of_vectors_is_run_here() -> None:
    """[PY-01]"""
    files = {path.stem for path in (ROOT / "sdk/vectors").glob("*.json")}

    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    run = set(re.findall(r'(?:cases|vectors)\("([\w-]+)"\)', source))

    assert files == run


@cases("sign-in")
def test_sign_in(case: Case) -> None:
    demand = SignInDemand(tuple(case["demand"].get("acr_values", ())), case["demand"].get("max_age"))
    now = vectors("sign-in")["now"]
    if case["ok"]:
        check_sign_in(case["claims"], demand, now)
        return
    with pytest.raises(AuthenticationError) as refused:
        check_sign_in(case["claims"], demand, now)
    assert refused.value.code == "insufficient_user_authentication"
    assert (refused.value.acr_values, refused.value.max_age) == (demand.acr_values, demand.max_age)


@cases("introspection")
async def test_introspection(case: Case) -> None:
    file = vectors("introspection")
    expected = Expectations(file["issuer"], file["resource"], accepted_audiences(file["resource"]), file["now"])

    if "reason" in case:
        with pytest.raises(AuthenticationError) as caught:
            judge_introspection(case["answer"], expected, "hash")
        assert (caught.value.code, caught.value.status, caught.value.reason) == ("invalid_token", 401, case["reason"])
        assert str(caught.value) == str(AuthenticationError("invalid_token"))
    else:
        assert wire_names(judge_introspection(case["answer"], expected, "hash")) == case["context"]


def wire_names(auth: AuthContext) -> dict[str, Any]:
    optional = {"email": auth.email, "username": auth.user.username, "grant_id": auth.grant_id, "jkt": auth.jkt}
    return {
        "id": auth.id,
        "client_id": auth.client_id,
        "scopes": list(auth.scopes),
        "resource": auth.resource,
        "issuer": auth.issuer,
        "audience": list(auth.audience),
        "expires_at": auth.expires_at,
        **{name: value for name, value in optional.items() if value is not None},
    }


@cases("audience")
async def test_audience(case: Case, played: PlayedServer) -> None:
    expected = Expectations(played.url, case["resource"], accepted_audiences(case["resource"]), START_OF_TIME)
    answer = played.active(aud=case["aud"])

    if case["accept"]:
        assert judge_introspection(answer, expected, "hash").id == "usr_1"
    else:
        with pytest.raises(AuthenticationError) as caught:
            judge_introspection(answer, expected, "hash")
        assert caught.value.reason == "audience"


@cases("credentials")
async def test_credentials(case: Case) -> None:
    elsewhere = carries_access_token(case.get("query", ""))

    if "token" in case["expect"]:
        expected = Credentials(case["expect"].get("scheme", "Bearer"), case["expect"]["token"])
        assert read_credentials(case["authorization"], elsewhere) == expected
    else:
        with pytest.raises(AuthenticationError) as caught:
            read_credentials(case["authorization"], elsewhere)
        assert caught.value.code == case["expect"]["error"]
        assert caught.value.status == (400 if caught.value.code == "invalid_request" else 401)


@cases("challenges")
async def test_challenges(case: Case) -> None:
    config = {name: value for name, value in case["config"].items() if value is not None}
    guard = Guard(AuthAgentClient(api_key="sk_a_b", auth_server=vectors("challenges")["issuer"], **config))

    answer = answer_for(error_of(case["error"]), guard.challenge)

    assert answer.status == case["status"]
    assert answer.headers.get("WWW-Authenticate") == case["www_authenticate"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Retry-After") == ("5" if case["status"] == 503 else None)


def error_of(error: Case) -> AuthAgentError:
    if error["code"] == "insufficient_scope":
        return AuthorizationError(error["scopes"])
    if error["code"] == "auth_server_unavailable":
        return AuthServerUnavailable("status_500")
    return AuthenticationError(
        error["code"], acr_values=error.get("acr_values", ()), max_age=error.get("max_age"), scheme=error.get("scheme", "Bearer")
    )


@cases("scopes")
async def test_scopes(case: Case) -> None:
    closure = close_hierarchy(case["scope_hierarchy"])
    required = [requirement_of(one) for one in case["required"]]

    assert all(satisfies(case["granted"], one, closure) for one in required) is case["ok"]
    if not case["ok"]:
        assert list(challenge_scopes(required, closure)) == case["challenge"]


@cases("outages")
async def test_outages(case: Case, played: PlayedServer) -> None:
    hints: list[str] = []
    async with AuthAgentClient(**played.options(resource=RESOURCE, log=hints.append)) as client:
        played.reply = lambda _: Reply(status=case["status"], raw=case["body"], headers=case.get("headers", {}))
        with pytest.raises(AuthServerUnavailable) as caught:
            await client.validate_token("abc")
        assert (caught.value.status, caught.value.retry_after) == (503, case["retry_after"])

        played.reply = played.good_reply
        assert (await client.validate_token("abc")).id == "usr_1"

    assert len(played.received) == 2
    assert case.get("hint", "") in "\n".join(hints)


@cases("answers")
async def test_answers(case: Case, played: PlayedServer) -> None:
    """[PY-01] [PY-08] what callers get and the developer's log says, whatever is wrong"""
    lines: list[str] = []
    options = {**played.options(resource=RESOURCE, log=lines.append), "timeout": 0.2 if case["server"] == "slow" else 5}
    if case["server"] == "down":
        options["auth_server"] = nobody_listens()
    played.reply = lambda _: reply_of(case["server"], played)

    async with ask(**options) as http:
        response = await http.get("/mcp", headers=bearer(token_of(case, played)))

    headers = response.headers
    assert (response.status_code, response.json().get("error")) == (case["status"], case.get("error"))
    assert headers["cache-control"] == "no-store"
    assert headers.get("retry-after") == (str(case["retry_after"]) if case["status"] == 503 else None)
    assert ('error="invalid_token"' in headers.get("www-authenticate", "")) is (case["status"] == 401)
    assert ("www-authenticate" in headers) is (case["status"] == 401)
    assert len(lines) == (1 if case.get("log") else 0), lines
    assert case.get("log") is None or case["log"] in lines[0]


def reply_of(server: Any, played: PlayedServer) -> Reply:
    if isinstance(server, str):
        return Reply(hang=True)
    if "active" not in server:
        return Reply(server["body"], status=server["status"])
    times = ("exp", "iat", "nbf")
    return Reply(played.active(**{name: START_OF_TIME + value if name in times else value for name, value in server["active"].items()}))


def token_of(case: Case, played: PlayedServer) -> str:
    """A JWT that nobody signed."""
    if "says" not in case:
        return "abc"
    payload = json.dumps(played.active(**case["says"])).encode()
    return f"e30.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.c2ln"


def nobody_listens() -> str:
    """An address whose port was free a moment ago."""
    return f"http://localhost:{unused_port()}"


@cases("cache")
async def test_cache(case: Case, played: PlayedServer) -> None:
    now = START_OF_TIME
    settings = {"cache_ttl": case["cache_ttl"], "max_cache_entries": case["max_entries"], "now": lambda: now}
    async with AuthAgentClient(**played.options(resource=RESOURCE, **settings)) as client:
        for step in case["steps"]:
            now = START_OF_TIME + step["at"]
            answers = {
                "active": Reply(played.active(exp=START_OF_TIME + case["lifetime"])),
                "inactive": Reply({"active": False}),
                "outage": Reply({}, status=503),
            }
            reply = answers[step["answer"]]
            played.reply = lambda _, reply=reply: reply  # type: ignore[misc]
            before = len(played.received)
            expected = {"inactive": AuthenticationError, "outage": AuthServerUnavailable}.get(step["answer"]) if step["asked"] else None

            if expected is None:
                assert (await client.validate_token(step["token"])).id == "usr_1"
            else:
                with pytest.raises(expected):
                    await client.validate_token(step["token"])

            assert len(played.received) - before == (1 if step["asked"] else 0), step


@cases("metadata-locations")
async def test_metadata_locations(case: Case, played: PlayedServer) -> None:
    options = played.options(resource=case["resource"], shared_host=case["shared_host"])
    assert AuthAgentClient(**options).resource_metadata_url == case["url"]

    async with ask(**options) as http:
        for target in case["documents"]:
            response = await http.get(target)
            assert (response.status_code, response.json()["resource"]) == (200, case["resource"]), target
        for target in case["not_found"]:
            assert (await http.get(target)).status_code == 404, target


@cases("tool-calls")
async def test_tool_calls(case: Case, played: PlayedServer) -> None:
    file = vectors("tool-calls")
    played.says(scope=" ".join(case["granted"]))
    tools = {tool: requirement_of(one) for tool, one in file["tool_scopes"].items()}

    async with ask(**played.options(resource=RESOURCE, required_scopes=file["required_scopes"], tool_scopes=tools)) as http:
        headers = {**bearer(), "Content-Type": "application/json", **case.get("headers", {})}
        response = await http.post("/mcp", content=case["body"], headers=headers)

    assert response.status_code == case["status"]
    if case["status"] == 200:
        assert response.json()["body"] == case["body"]
    if "challenge" in case:
        assert f'scope="{" ".join(case["challenge"])}"' in response.headers["www-authenticate"]


@cases("agent")
async def test_agent(case: Case) -> None:
    now = START_OF_TIME
    asked: list[httpx.Request] = []
    sent: list[str] = []
    answers: list[Any] = []
    statuses: list[int] = []

    def token_endpoint(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers.pop(0)
        if answer == "unreachable":
            raise httpx.ConnectError("unreachable")
        body = answer["body"]
        return httpx.Response(answer["status"], **({"text": body} if isinstance(body, str) else {"json": body}))

    def api(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"].removeprefix("Bearer "))
        return httpx.Response(statuses.pop(0))

    agent = AgentTokens(
        client_id="mcp-task-manager",
        client_secret="very secret",
        token_endpoint="https://auth.example.com/token",
        transport=httpx.MockTransport(token_endpoint),
        now=lambda: now,
    )
    async with agent, httpx.AsyncClient(auth=agent, transport=httpx.MockTransport(api)) as http:
        for step in case["steps"]:
            now = START_OF_TIME + step["at"]
            asked.clear()
            sent.clear()
            answers[:], statuses[:] = step["token_endpoint"], step.get("server", [])

            outcome = await outcome_of(agent, http, step)

            assert outcome == (("refused", step["code"]) if step["expect"] == "refused" else step["expect"]), step
            assert len(asked) == len(step["token_endpoint"]), step
            assert sent == step.get("sent", []), step
    assert all(request.headers["authorization"].startswith("Basic ") for request in asked)
    assert base64.b64decode(agent_basic(agent)).decode() == "mcp-task-manager:very+secret"


def agent_basic(agent: AgentTokens) -> str:
    return agent._settings.authenticate(0).headers["Authorization"].removeprefix("Basic ")


async def outcome_of(agent: AgentTokens, http: httpx.AsyncClient, step: Case) -> Any:
    async def stream() -> Any:
        yield b"title=x"

    try:
        if step["do"] == "token":
            return await agent.token()
        content = stream() if step.get("body") == "stream" else b"title=x"
        return (await http.post("https://tasks.example.com/api/tasks", content=content)).status_code
    except AuthServerUnavailable:
        return "unavailable"
    except TokenRequestRefused as error:
        return "refused", error.code
