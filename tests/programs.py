"""The Python programs of examples/, started as the documents say, on free ports."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 30
"""For one step. A computer that has much else to do is not a failure."""


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def environment(**additions: str) -> dict[str, str]:
    """That of this test run, without what would set up a program."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AUTH_AGENT_") and name not in ("API_KEY", "SERVER_ID")}
    return {**own, **additions}


def command(path: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / path), *arguments]


def run(path: str, *arguments: str, **additions: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that is expected to end by itself."""
    return subprocess.run(
        command(path, *arguments), env=environment(**additions), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, timeout=PATIENCE_SECONDS, **options)


def post(url: str | httpx.URL, **options: Any) -> httpx.Response:
    return httpx.post(url, timeout=PATIENCE_SECONDS, **options)


@contextmanager
def running(path: str, *arguments: str, ready: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the block ends. The block begins when the program has printed ``ready``."""
    # A file, not a pipe: what nobody reads must not stop the program.
    with tempfile.TemporaryFile() as printed:
        program = subprocess.Popen(command(path, *arguments), env=environment(**(env or {})), stdout=printed, stderr=subprocess.STDOUT)
        try:
            said = wait_for(ready, program, printed.fileno())
            assert ready in said, f"{path} ended, or did not print {ready!r}:\n{said}"
            yield program
        finally:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def wait_for(ready: str, program: subprocess.Popen[bytes], printed: int) -> str:
    """All that was printed, as soon as ``ready`` is in it, the program has ended or patience has."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        over = program.poll() is not None or time.monotonic() > until
        said = os.pread(printed, 1_000_000, 0).decode(errors="replace")
        if over or ready in said:
            return said
        time.sleep(0.02)


@contextmanager
def auth_server(*arguments: str) -> Iterator[str]:
    """examples/mcp-servers/oauth_auth_server.py; the block gets its address."""
    port = free_port()
    with running("mcp-servers/oauth_auth_server.py", "--port", str(port), *arguments, ready="ready in"):
        yield f"http://localhost:{port}"


@contextmanager
def protected_server(issuer: str, data: Path, transport: str = "http", port: int | None = None) -> Iterator[str]:
    """examples/mcp-servers/oauth_protected_server.py over HTTP; the block gets its address."""
    port = port or free_port()
    arguments = ("--transport", transport, "--port", str(port), "--auth-server", issuer, "--data-file", str(data))
    with running("mcp-servers/oauth_protected_server.py", *arguments, ready=f"http://localhost:{port}/mcp"):
        yield f"http://localhost:{port}/mcp"


def add_person(data: Path, username: str, password: str) -> None:
    """Somebody else than testuser, as the owner of the authorization server adds them."""
    node = ROOT / "node_modules/.bin/node"
    arguments = ["users", "add", username, "--email", f"{username}@example.com", "--password-stdin", "--database-url", f"sqlite:{data}"]
    subprocess.run(
        [node, "--conditions=aa-source", "cli/src/main.ts", *arguments],
        cwd=ROOT, env=environment(), input=password, capture_output=True, text=True, check=True,
    )  # fmt: skip


def keys_of(issuer: str, server_id: str) -> list[str]:
    """Ids of the keys that work."""
    keys = get(f"{issuer}/api/servers/{server_id}/keys").json()["keys"]
    return [key["key_id"] for key in keys if key["status"] == "active"]
