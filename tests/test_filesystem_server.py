"""examples/filesystem-server from outside, set up as its .env.example says."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from programs import PATIENCE_SECONDS, ROOT, free_port, get, run, running
from sign_in import TESTUSER, tokens_for
from stage import bearer

pytestmark = pytest.mark.anyio

PROGRAM = "filesystem-server/main.py"
LINES = (ROOT / "examples/filesystem-server/.env.example").read_text().splitlines()
EXAMPLE = dict(line.split("=", 1) for line in LINES if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    inside = outside / "files"
    inside.mkdir()
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "link").symlink_to(outside)
    (inside / "folder").mkdir()
    (inside / "picture.bin").write_bytes(b"\xff\xfe")
    return inside


@pytest.fixture(scope="module")
def server(issuer: str, folder: Path) -> Iterator[str]:
    port = str(free_port())
    with running(PROGRAM, ready=f"http://localhost:{port}", env={**EXAMPLE, "AUTH_AGENT_URL": issuer, "FOLDER": str(folder), "PORT": port}):
        yield f"http://localhost:{port}"


async def client(server: str, issuer: str, scope: str) -> httpx.Client:
    """What somebody who was allowed ``scope`` calls with."""
    asked = {"client_id": "client_claude_code", "scope": scope, "resource": "https://your-mcp-server.com"}
    token = (await tokens_for(issuer, TESTUSER, **asked))["access_token"]
    return httpx.Client(base_url=server, timeout=PATIENCE_SECONDS, headers=bearer(token))


async def test_a_stranger_is_told_where_to_go_and_may_only_see_that_it_runs(server: str, issuer: str) -> None:
    refused = get(f"{server}/api/files")

    assert refused.status_code == 401
    metadata = f"{issuer}/.well-known/oauth-protected-resource/srv_abc123"
    assert refused.headers["www-authenticate"] == f'Bearer realm="srv_abc123", resource_metadata="{metadata}", scope="files:read"'
    assert get(f"{server}/health").json() == {"status": "ok"}
    assert get(f"{server}/openapi.json").status_code == 401


async def test_without_files_read_nobody_enters(server: str, issuer: str) -> None:
    with await client(server, issuer, "db:read") as http:
        refused = http.get("/api/files")

    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="files:read"' in refused.headers["www-authenticate"]


async def test_reading_steps_up_to_writing_and_deleting(server: str, issuer: str) -> None:
    file = {"name": "hello.txt", "text": "Hello!\n"}
    with await client(server, issuer, "files:read") as http:
        refused = [http.post("/api/files", json=file), http.delete("/api/files/hello.txt")]
    asked = [scope_of(answer) for answer in refused]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert asked == ["files:read files:write", "files:read files:delete"]
    assert all("resource_metadata=" in answer.headers["www-authenticate"] for answer in refused)

    with await client(server, issuer, asked[0]) as http:
        written = http.post("/api/files", json=file)
        listed = http.get("/api/files")
        read = http.get("/api/files/hello.txt")
    assert (written.status_code, written.json()) == (201, {"name": "hello.txt"})
    assert listed.json() == {"files": ["hello.txt", "picture.bin"], "user_email": "testuser@example.com"}
    assert read.json() == file

    with await client(server, issuer, asked[1]) as http:
        assert [http.delete("/api/files/hello.txt").status_code for _ in range(2)] == [204, 404]


def scope_of(answer: httpx.Response) -> str:
    return str(answer.headers["www-authenticate"].split('scope="')[1].split('"')[0])


NO_NAMES = ["..", ".hidden", "../secret.txt", "a/../../secret.txt", "link/secret.txt", "/etc/passwd", "..%2fsecret.txt", "link.txt"]
NO_NAMES += ["link", "folder", " ", "a\\b", "a\0b", "line\n", "C:x", "é.txt", "a" * 101]


async def test_no_name_leads_out_of_the_folder(server: str, issuer: str, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    with await client(server, issuer, "files:read files:write files:delete") as http:
        for name in NO_NAMES:
            assert http.post("/api/files", json={"name": name, "text": "overwritten"}).status_code in (400, 404), name
            # Every octet encoded, so that no client tidies it up.
            encoded = "".join(f"%{octet:02x}" for octet in name.encode())
            address = httpx.URL(server).copy_with(raw_path=f"/api/files/{encoded}".encode())
            assert [http.request(method, address).status_code in (400, 404) for method in ("GET", "DELETE")] == [True, True], name

    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder.parent / "secret.txt").read_text() == "secret"


async def test_what_is_no_file_is_a_mistake_of_the_caller_and_changes_nothing(server: str, issuer: str, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    bodies = [
        "",
        "[]",
        "{}",
        '{"name": 1, "text": "x"}',
        '{"name": "a.txt"}',
        '{"name": "\\ud800"}',
        '{"name": "a.txt", "text": "\\ud800"}',
    ]
    bodies.append(json.dumps({"name": "a.txt", "text": "x" * 1_000_001}))
    with await client(server, issuer, "files:read files:write") as http:
        for body in bodies:
            answer = http.post("/api/files", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), body[:50]

    assert sorted(path.name for path in folder.iterdir()) == before


async def test_what_is_no_text_is_shown_as_far_as_it_is(server: str, issuer: str) -> None:
    with await client(server, issuer, "files:read") as http:
        assert http.get("/api/files/picture.bin").json()["text"] == "\ufffd\ufffd"


@pytest.mark.parametrize("missing", ["AUTH_AGENT_URL", "SERVER_ID", "API_KEY"])
def test_a_setting_that_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    ended = run(PROGRAM, **{**EXAMPLE, "FOLDER": str(tmp_path), missing: ""})

    assert ended.returncode == 1
    assert f"{missing} is not set. Copy .env.example to .env" in ended.stderr
