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
def development_server() -> Iterator[str]:
    """``auth-agent dev --ephemeral`` from this repository; the address it says. Raises when node is not installed."""
    path = f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    if node is None:
        raise RuntimeError("node is not installed")
    with free_port() as bound:
        port = bound.getsockname()[1]
    command = [node, "--conditions=aa-source", "cli/src/main.ts", "dev", "--ephemeral", "--port", str(port), "--json"]
    environment = {**os.environ, "PATH": path}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield str(json.loads(process.stdout.readline())["data"]["issuer"])
        finally:
            process.terminate()
            process.communicate()
