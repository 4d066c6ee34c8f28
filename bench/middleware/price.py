"""Times the Python middleware: the same Starlette app bare, guarded with its memory of tokens, and guarded without.

One ASGI call at a time, in process, so that nothing but the guard is between two figures. Reads AUTH_SERVER, SERVER_ID,
API_KEY, TOKEN and REPETITIONS; prints one JSON document. price.ts is its twin.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from auth_agent_mcp import AuthAgentMiddleware
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Scope

CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_task", "arguments": {"title": "Write"}}})
REQUESTS = {"GET a route": ("GET", "/api/tasks", b""), "POST tools/call": ("POST", "/mcp", CALL.encode())}


async def list_tasks(_request: Request) -> JSONResponse:
    return JSONResponse({"tasks": []})


async def call_tool(request: Request) -> JSONResponse:
    return JSONResponse({"jsonrpc": "2.0", "id": (await request.json())["id"], "result": {"content": []}})


def bare_app() -> ASGIApp:
    return Starlette(routes=[Route("/api/tasks", list_tasks), Route("/mcp", call_tool, methods=["POST"])])


def guarded_app(cache_ttl: float) -> ASGIApp:
    return AuthAgentMiddleware(
        bare_app(),
        server_id=os.environ["SERVER_ID"],
        api_key=os.environ["API_KEY"],
        auth_server=os.environ["AUTH_SERVER"],
        required_scopes=["tasks:read"],
        tool_scopes={"create_task": ["tasks:write"]},
        cache_ttl=cache_ttl,
    )


async def call(app: ASGIApp, method: str, path: str, body: bytes) -> None:
    headers = [
        (b"host", b"localhost:4001"),
        (b"authorization", b"Bearer " + os.environ["TOKEN"].encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("localhost", 4001),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(scope, receive, send)
    if status != 200:
        raise RuntimeError(f"{method} {path} answered {status}")


async def timed(app: ASGIApp, request: tuple[str, str, bytes], count: int) -> dict[str, float]:
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(count):
        await call(app, *request)
    return {"micros": (time.perf_counter() - began) * 1e6 / count, "cpuMicros": (time.process_time() - cpu) * 1e6 / count}


async def main() -> None:
    apps = {"bare": bare_app(), "cached": guarded_app(30), "uncached": guarded_app(0)}
    figures: dict[str, dict[str, list[dict[str, float]]]] = {}
    for name, request in REQUESTS.items():
        runs: dict[str, list[dict[str, float]]] = {guarding: [] for guarding in apps}
        for guarding, app in apps.items():
            await timed(app, request, 200 if guarding == "uncached" else 1000)
        for _ in range(int(os.environ.get("REPETITIONS", "9"))):
            for guarding, app in apps.items():
                runs[guarding].append(await timed(app, request, 200 if guarding == "uncached" else 2000))
        figures[name] = runs
    runtime = f"Python {platform.python_version()}, Starlette {version('starlette')}, httpx {version('httpx')}"
    print(json.dumps({"runtime": runtime, "requests": figures}))


asyncio.run(main())
