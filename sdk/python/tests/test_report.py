"""[ACT-01] What agents did is reported: names and results, in batches, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from stage import RESOURCE, PlayedServer, Received, Reply, ask, bearer, vectors

from auth_agent_mcp import AuthAgentClient, require_scopes
from auth_agent_mcp import _report as report_module
from auth_agent_mcp._report import Call

pytestmark = pytest.mark.anyio

FILE = vectors("reports")
TITLES = ["".join(f"[{one}] " for one in case["requirements"]) + case["name"] for case in FILE["cases"]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "DELAY_SECONDS", 0.05)


def knowing(played: PlayedServer, scope: str, status: int = 204) -> None:
    """The played server takes reports."""

    def reply(request: Received) -> Reply:
        if request.path == "/report":
            return Reply(status=status, raw="")
        return Reply(played.active(scope=scope)) if request.path == "/introspect" else played.good_reply(request)

    played.reply = reply


async def reports(played: PlayedServer) -> list[dict[str, Any]]:
    for _ in range(500):
        if played.asked("/report") == 0:
            await asyncio.sleep(0.01)
    return [json.loads(one.content) for one in played.received if one.path == "/report"]


@pytest.mark.parametrize("case", FILE["cases"], ids=TITLES)
async def test_reports(case: dict[str, Any], played: PlayedServer) -> None:
    knowing(played, " ".join(case["granted"]))
    tools = {tool: tuple(scopes) for tool, scopes in FILE["tool_scopes"].items()}

    async with ask(**played.options(resource=RESOURCE, required_scopes=FILE["required_scopes"], tool_scopes=tools)) as http:
        headers = bearer() if "body" not in case else {**bearer(), "Content-Type": "application/json"}
        await http.request(case["method"], case["target"], content=case.get("body"), headers=headers)
        [report] = await reports(played)

    assert report["actions"] == case["actions"]
    assert "canary" not in repr(played.received)


async def test_cached_calls_are_counted_and_a_refusal_further_in_takes_the_place_of_the_allowed_call(played: PlayedServer) -> None:
    """[ACT-01]"""
    knowing(played, "files:read")
    app = FastAPI()

    @app.post("/mcp")
    async def mcp() -> None: ...

    @app.post("/write", dependencies=[Depends(require_scopes("files:write"))])
    async def write() -> None: ...

    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}'
    async with ask(app, **played.options(resource=RESOURCE, required_scopes=["files:read"])) as http:
        for _ in range(5):
            response = await http.post("/mcp", content=body, headers={**bearer(), "Content-Type": "application/json"})
            assert response.status_code == 200
        assert (await http.post("/write", headers=bearer())).status_code == 403
        [report] = await reports(played)

    assert played.asked("/introspect") == 1
    assert report["actions"] == [
        {"action": "read_file", "outcome": "allowed", "count": 5},
        {"action": "POST", "outcome": "refused", "count": 1, "missing": ["files:write"]},
    ]


async def test_a_refusal_is_told_at_once_and_what_follows_within_the_second_waits(
    played: PlayedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[ACT-06] the question for more can say why"""
    monkeypatch.setattr(report_module, "DELAY_SECONDS", 60.0)
    knowing(played, "files:read")
    app = FastAPI()

    @app.post("/write", dependencies=[Depends(require_scopes("files:write"))])
    async def write() -> None: ...

    async with ask(app, **played.options(resource=RESOURCE, required_scopes=["files:read"])) as http:
        await http.post("/write", headers=bearer())
        [report] = await reports(played)
        for _ in range(20):
            await http.post("/write", headers=bearer())
        asked = played.asked("/report")

    assert report["actions"] == [{"action": "POST", "outcome": "refused", "count": 1, "missing": ["files:write"]}]
    assert asked == 1


async def test_a_server_that_knows_no_reports_is_not_asked_again(played: PlayedServer) -> None:
    """[ACT-03]"""
    knowing(played, "files:read", status=404)

    async with ask(**played.options(resource=RESOURCE)) as http:
        await http.get("/mcp", headers=bearer())
        await reports(played)
        await asyncio.sleep(0.1)
        assert (await http.get("/mcp", headers=bearer())).status_code == 200
        await asyncio.sleep(0.2)

    assert played.asked("/report") == 1


async def test_who_does_not_answer_one_report_is_not_sent_those_that_wait_behind_it(played: PlayedServer) -> None:
    """[ACT-03] an application that shuts down during an outage would wait for each"""
    played.reply = lambda request: Reply(cut=True) if request.path == "/report" else played.good_reply(request)
    client = AuthAgentClient(**played.options(resource=RESOURCE))
    for number in range(20):
        client.reporter.allowed(Call(f"t{number}", "GET"))

    await client.aclose()

    assert played.asked("/report") == 1


async def test_switched_off_nothing_is_told(played: PlayedServer) -> None:
    """[ACT-03]"""
    knowing(played, "files:read")

    async with ask(**played.options(resource=RESOURCE, report=False)) as http:
        await http.get("/mcp", headers=bearer())
        await asyncio.sleep(0.2)

    assert played.asked("/report") == 0
