"""People at a browser that runs no script, and the clients whose authorization URLs they open: by hand, the official SDK, FastMCP."""

import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
from browser import sign_in_and_allow
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from programs import PATIENCE_SECONDS, post

CALLBACK = "http://localhost:3000/callback"
TEST_CLIENT = ("mcp-test-client", "mcp-test-secret")
TESTUSER = ("testuser", "testpass")
ADA = ("ada", "correct horse battery staple")

# The vector of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def allow(url: str, person: tuple[str, str] = TESTUSER) -> str:
    """The address that a client is called back at."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        back: str = await sign_in_and_allow(http, url, username=person[0], password=person[1])
    return back


async def called_back(url: str, person: tuple[str, str] = TESTUSER) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(await allow(url, person)).query).items()}


def authorization_url(issuer: str, **changes: str) -> str:
    asked = {"response_type": "code", "client_id": TEST_CLIENT[0], "redirect_uri": CALLBACK, "scope": "mcp:read mcp:write", "state": "s-1"}
    proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    return f"{issuer}/authorize?{httpx.QueryParams({**asked, **proof, **changes})}"


def redeem(issuer: str, code: str, **changes: str) -> httpx.Response:
    """As mcp-test-client, or as a public client that is named."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes}
    return post(f"{issuer}/oauth/token", data=form, auth=None if "client_id" in changes else TEST_CLIENT)


async def tokens_for(issuer: str, person: tuple[str, str] = TESTUSER, **changes: str) -> dict[str, Any]:
    """What a client, mcp-test-client unless said otherwise, gets when a person allows it."""
    code = (await called_back(authorization_url(issuer, **changes), person))["code"]
    answer = redeem(issuer, code, **{name: value for name, value in changes.items() if name == "client_id"})
    tokens: dict[str, Any] = answer.json()
    assert answer.status_code == 200, tokens
    return tokens


def official_sign_in(url: str, person: tuple[str, str] = TESTUSER, scope: str | None = None) -> OAuthClientProvider:
    """OAuthClientProvider of the official SDK: registers itself, and the person allows what it asks for."""
    kept: dict[str, Any] = {}

    class Storage:
        async def get_tokens(self) -> Any:
            return kept.get("tokens")

        async def set_tokens(self, tokens: Any) -> None:
            kept["tokens"] = tokens

        async def get_client_info(self) -> Any:
            return kept.get("client")

        async def set_client_info(self, client_info: Any) -> None:
            kept["client"] = client_info

    async def redirect(authorization_url: str) -> None:
        kept["back"] = await called_back(authorization_url, person)

    async def callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**kept["back"])

    metadata = {"client_name": "test", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": scope}
    return OAuthClientProvider(url, OAuthClientMetadata.model_validate(metadata), Storage(), redirect, callback)


@contextmanager
def default_browser(person: tuple[str, str] = TESTUSER) -> Iterator[None]:
    """Programs of this process that open the default browser get this person instead, who also follows the way back."""

    def visit(url: str) -> None:
        back = anyio.run(allow, url, person)
        with httpx.Client(timeout=PATIENCE_SECONDS, transport=httpx.HTTPTransport(retries=5)) as http:
            http.get(back)

    def opened(url: str, *_: Any, **__: Any) -> bool:
        threading.Thread(target=visit, args=[url], daemon=True).start()
        return True

    before = webbrowser.open
    webbrowser.open = opened
    try:
        yield
    finally:
        webbrowser.open = before
