"""An MCP server whose tools know who is asking: FastMCP behind Auth-Agent, over stdio, SSE or streamable HTTP.

Over HTTP every request carries an access token. Over stdio nothing can carry one, so it is in AUTH_AGENT_ACCESS_TOKEN, where
`auth-agent shell` puts it after signing in. Either way the authorization server judges it.
"""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from api_key import ApiKey, SetupError, api_key
from auth_agent_mcp import AuthAgentClient, AuthAgentOptions, AuthenticationError, AuthServerUnavailable
from auth_agent_mcp.fastmcp import AuthAgentProvider
from fastmcp.server.dependencies import get_access_token
from notes import Notes
from notes_server import TOOL_SCOPES, Caller, Refused, caller_of, make_server

DATA_FILE = Path(os.environ.get("NOTES_FILE") or Path(__file__).resolve().parents[2] / ".auth-agent/notes.db")


def main() -> None:
    given = arguments()
    # A supervisor's signal ends the program as the end of the file does: the key is given back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Over stdio the address only names the server whose tokens are accepted; 8001 is that of the demo data.
    resource = f"http://localhost:{given.port}/mcp"
    try:
        if given.transport == "stdio":
            with api_key(given.auth_server, resource) as key:
                serve_stdio(key, given.auth_server, resource, Notes(given.data_file))
        else:
            with listener(given.port) as bound, api_key(given.auth_server, resource) as key:
                print(f"Notes over {given.transport} on {resource}, guarded by {given.auth_server}", flush=True)
                serve_http(key, given, resource, bound)
    except (SetupError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An MCP server that requires OAuth access tokens.")
    parser.add_argument("--transport", choices=["stdio", "sse", "http"], default="stdio", help="how clients connect (default: stdio)")
    parser.add_argument("--port", type=int, default=8001, help="port for sse and http (default: 8001)")
    parser.add_argument("--auth-server", default="http://localhost:9000", help="the authorization server (default: http://localhost:9000)")
    where = "where notes are (default: NOTES_FILE, else .auth-agent/notes.db in the repository)"
    parser.add_argument("--data-file", type=Path, default=DATA_FILE, help=where)
    return parser.parse_args()


def guard(key: ApiKey, auth_server: str, resource: str) -> AuthAgentOptions:
    return {"server_id": key.server_id, "api_key": key.secret, "auth_server": auth_server, "resource": resource}


def serve_http(key: ApiKey, given: argparse.Namespace, resource: str, bound: socket.socket) -> None:
    options = guard(key, given.auth_server, resource)
    options["required_scopes"], options["tool_scopes"] = ["mcp:read"], TOOL_SCOPES
    auth = AuthAgentProvider(**options)

    async def who_calls() -> Caller:
        token = get_access_token()
        # The guard lets nobody in without one; were it gone, nobody would be who they say.
        if token is None:
            raise Refused("Authentication required")
        return caller_of(token.claims, token.scopes)

    app = make_server(Notes(given.data_file), who_calls, auth).http_app(path="/mcp", transport=given.transport)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run([bound])


def serve_stdio(key: ApiKey, auth_server: str, resource: str, notes: Notes) -> None:
    client = AuthAgentClient(**guard(key, auth_server, resource))

    async def who_calls() -> Caller:
        token = os.environ.get("AUTH_AGENT_ACCESS_TOKEN")
        if not token:
            raise Refused("Authentication required: AUTH_AGENT_ACCESS_TOKEN is not set. `auth-agent shell` signs you in and sets it")
        try:
            auth = await client.validate_token(token)
        except AuthenticationError:
            raise Refused("Authentication required: the access token is expired, revoked or not for this server. Sign in again") from None
        except AuthServerUnavailable:
            raise Refused(f"{auth_server} cannot be asked about the access token. Is it running?") from None
        return caller_of(auth.claims, list(auth.scopes))

    make_server(notes, who_calls).run("stdio", show_banner=False)


def listener(port: int) -> socket.socket:
    """Listens on loopback before anything is printed or promised. Raises SetupError."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise SetupError(f"Port {port} cannot be used: {error}. --port names another") from None


if __name__ == "__main__":
    main()
