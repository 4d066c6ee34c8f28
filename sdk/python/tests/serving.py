"""Real servers for tests: an ASGI application with uvicorn on a free port, and the authorization server in development mode."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from stage import ROOT


def free_port() -> socket.socket:
    """A bound socket, so that nobody else gets the port."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@asynccontextmanager
async def serve(make: Callable[[str], Any]) -> AsyncIterator[str]:
    """Serves the application that ``make`` returns for its own address."""
    bound = free_port()
    url = f"http://localhost:{bound.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(make(url), log_level="error", lifespan="on", ws="none", timeout_graceful_shutdown=1))
    started = asyncio.Event()
    startup = server.startup

    async def announced(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = announced  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve([bound]))
    await asyncio.wait_for(started.wait(), 10)
    try:
        yield url
    finally:
        server.should_exit = True
        await running
        bound.close()


@contextmanager
def development_server(data_file: Path | None = None, port: int | None = None) -> Iterator[str]:
    """``auth-agent dev`` from this repository; the address it says. Without a file all is in memory, without a port it takes a free one."""
    kept = ["--ephemeral"] if data_file is None else ["--data-file", str(data_file)]
    command = [*_auth_agent(), "dev", *kept, "--port", str(port or unused_port()), "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=_ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield str(json.loads(process.stdout.readline())["data"]["issuer"])
        finally:
            process.terminate()
            process.communicate()


def auth_agent(*words: str) -> dict[str, Any]:
    """What a command of ``auth-agent`` answers."""
    ended = subprocess.run([*_auth_agent(), *words, "--json"], cwd=ROOT, env=_ENVIRONMENT, capture_output=True, check=True)
    data: dict[str, Any] = json.loads(ended.stdout)["data"]
    return data


def unused_port() -> int:
    """A port that was free a moment ago."""
    with free_port() as bound:
        return int(bound.getsockname()[1])


_ENVIRONMENT = {**os.environ, "PATH": f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"}


def _auth_agent() -> list[str]:
    """Raises when node is not installed."""
    node = shutil.which("node", path=_ENVIRONMENT["PATH"])
    if node is None:
        raise RuntimeError("node is not installed")
    return [node, "--conditions=aa-source", "cli/src/main.ts"]
