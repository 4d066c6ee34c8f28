"""Files of a folder over HTTP. Nobody enters without files:read; writing and deleting ask for more (403, step-up)."""

import os
import re
import socket
import sys
from pathlib import Path

import uvicorn
from auth_agent_mcp import AuthAgentMiddleware, require_scopes
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

FOLDER = Path(os.environ.get("FOLDER", "files"))
PORT = int(os.environ.get("PORT", "8000"))


def setting(name: str) -> str:
    return os.environ.get(name) or sys.exit(f"{name} is not set. Copy .env.example to .env and write down what you got for this server")


app = FastAPI(title="My File Server")
app.add_middleware(
    AuthAgentMiddleware,
    auth_server=setting("AUTH_AGENT_URL"),
    server_id=setting("SERVER_ID"),
    api_key=setting("API_KEY"),
    required_scopes=["files:read"],
    public_paths=["/health"],
)


class NewFile(BaseModel):
    name: str
    text: str = Field(max_length=1_000_000)


def file_at(name: str) -> Path:
    """A file directly in the folder. No name can lead out: it has no slash and no dot in front, and links are not followed."""
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", name):
        raise HTTPException(400, "A file name has 1 to 100 letters, digits, dots, dashes and underscores, and no dot in front")
    path = FOLDER / name
    if path.is_symlink() or path.is_dir():
        raise HTTPException(404, "There is no such file")
    return path


def existing(name: str) -> Path:
    path = file_at(name)
    if not path.is_file():
        raise HTTPException(404, "There is no such file")
    return path


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/files")
def list_files(request: Request) -> dict[str, object]:
    names = sorted(path.name for path in FOLDER.iterdir() if path.is_file() and not path.is_symlink())
    return {"files": names, "user_email": request.state.user_email}


@app.get("/api/files/{name}")
def read_file(name: str) -> dict[str, str]:
    return {"name": name, "text": existing(name).read_text(encoding="utf-8", errors="replace")}


@app.post("/api/files", status_code=201, dependencies=[Depends(require_scopes("files:write"))])
def write_file(file: NewFile) -> dict[str, str]:
    path = file_at(file.name)
    try:
        content = file.text.encode()
    except UnicodeEncodeError:
        raise HTTPException(400, "The text has half a character in it") from None
    path.write_bytes(content)
    return {"name": file.name}


@app.delete("/api/files/{name}", status_code=204)
def delete_file(name: str, request: Request) -> None:
    # The same by hand. The middleware adds resource_metadata to the challenge.
    if "files:delete" not in request.state.scopes:
        challenge = 'Bearer error="insufficient_scope", scope="files:read files:delete"'
        raise HTTPException(403, "Insufficient scope", headers={"WWW-Authenticate": challenge})
    existing(name).unlink()


@app.exception_handler(RequestValidationError)
def wrong_body(_: Request, error: RequestValidationError) -> JSONResponse:
    # FastAPI's own answer repeats what was sent, and fails on half a character.
    return JSONResponse({"detail": [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]}, 422)


FOLDER.mkdir(parents=True, exist_ok=True)

if __name__ == "__main__":
    # Listening first: whoever reads the line may call.
    with socket.create_server(("127.0.0.1", PORT)) as bound:
        print(f"File server on http://localhost:{PORT}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([bound])
