"""The snippets of the README run as printed, against the real server."""

from __future__ import annotations

import inspect
import re
from typing import Any

import httpx
import pytest
from serving import development_server
from stage import ROOT, bearer
from test_real_server import tokens_of_a_person

from auth_agent_mcp import AuthAgentOptions

pytestmark = pytest.mark.anyio

README = (ROOT / "sdk/python/README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


async def test_the_snippets_run_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with development_server() as issuer:
        monkeypatch.setenv("AUTH_AGENT_URL", issuer)
        names: dict[str, Any] = {"__name__": "readme"}
        for snippet in SNIPPETS:
            exec(compile(snippet, "README.md", "exec", dont_inherit=True), names)  # the project's own page

        token = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", "files:read"))["access_token"]
        app = names["app"]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://your-mcp-server.com") as http:
            listed = await http.get("/api/files", headers=bearer(token))
            refused = await http.post("/api/files", headers=bearer(token))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(names["reports"]), base_url="https://your-mcp-server.com") as http:
            reported = await http.get("/api/reports", headers=bearer(token))
        for served in (app, names["reports"]):
            stack = served.middleware_stack
            while not hasattr(stack, "client"):
                stack = stack.app
            await stack.client.aclose()

    assert listed.json() == {"user_email": "testuser@example.com"}
    assert refused.status_code == 403
    assert reported.json()["user_id"].startswith("usr_")
    assert inspect.iscoroutinefunction(names["list_tasks"])


def test_every_option_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", README.split("## Options")[1].split("## What you can rely on")[0]))

    assert set(AuthAgentOptions.__annotations__) <= explained


def test_the_package_brings_its_license() -> None:
    """It is built from its own folder, where the one of the repository is not."""
    assert (ROOT / "sdk/python/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
