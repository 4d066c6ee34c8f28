"""Talks to the authorization server: introspection (RFC 7662), revocation (RFC 7009) and plain GETs.

Whatever is not a usable answer is AuthServerUnavailable: an outage must never look like a bad token (RS-17).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from ._hints import quote_for_log
from ._http import Pool, ServerAnswer
from ._options import Settings
from .errors import AuthServerUnavailable

Members = Mapping[str, Any]


class AuthorizationServer:
    """The authorization server as one MCP server sees it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = Pool(settings.issuer, timeout=settings.timeout, transport=settings.transport)

    async def introspect(self, token: str) -> Members:
        """Asks what a token is worth. The answer is unjudged."""
        return self._object("/introspect", await self._post("/introspect", token))

    async def revoke(self, token: str) -> None:
        """Asks to revoke a token. An unknown token counts as revoked (RFC 7009 §2.2)."""
        await self._post("/revoke", token)

    async def report(self, content: bytes) -> int:
        """Tells what agents did. The status of the answer; raises AuthServerUnavailable when there is none."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._settings.api_key}"}
        answer = await self._pool.send("POST", f"{self._settings.issuer}/report", headers=headers, content=content)
        return answer.status

    async def get_document(self, path: str) -> Members:
        """Fetches a JSON document by its path below the issuer."""
        return self._object(path, await self._call("GET", path, {"Accept": "application/json"}))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._pool.aclose()

    async def _post(self, path: str, token: str) -> bytes:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._settings.api_key}"}
        return await self._call("POST", path, headers, {"token": token})

    async def _call(self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> bytes:
        url = self._settings.issuer + path
        try:
            answer = await self._pool.send(method, url, headers=headers, form=form)
        except AuthServerUnavailable as error:
            late = isinstance(error.__cause__, (asyncio.TimeoutError, httpx.TimeoutException))
            what = f"did not answer within {self._settings.timeout} s" if late else "cannot be reached"
            self._settings.hint(f"{url} {what}. Callers get 503.")
            raise
        return self._body(path, answer, keyed="Authorization" in headers)

    def _body(self, path: str, answer: ServerAnswer, *, keyed: bool) -> bytes:
        """The body of a 200; anything else raises."""
        status = answer.status
        if status == 200:
            return answer.body
        if status == 429 or status >= 500:
            self._settings.hint(f"{self._settings.issuer}{path} answered {status}. Callers get 503.")
            raise AuthServerUnavailable(f"status_{status}", retry_after=_retry_after_of(answer))
        if status == 401 and keyed:
            raise self._key_refused(answer)
        said = quote_for_log(parse_loosely(answer.body))
        self._settings.hint(f'{self._settings.issuer}{path} answered {status} {said}. Check "auth_server" and "server_id".')
        raise AuthServerUnavailable(f"status_{status}")

    def _object(self, path: str, body: bytes) -> Members:
        try:
            return parse_object(body)
        except AuthServerUnavailable:
            self._settings.hint(f'{self._settings.issuer}{path} answered without a JSON object. Callers get 503. Check "auth_server".')
            raise

    def _key_refused(self, answer: ServerAnswer) -> AuthServerUnavailable:
        """Our key is our business: the caller gets 503, the developer gets the reason."""
        members = parse_loosely(answer.body)
        issuer, server_id = self._settings.issuer, self._settings.server_id
        ways_out = f'"auth-agent keys list {server_id}" says which, "auth-agent keys create {server_id}" makes another'
        why = f"the key is wrong, expired or revoked: {ways_out}"
        if members.get("code") == "key_id_used_as_secret":
            why = "key_id_used_as_secret, the id of the key was given where its secret belongs"
        said = quote_for_log(members.get("error_description"))
        self._settings.hint(
            f'{issuer} refused the API key of {server_id}: {why}. It said {said}. Callers get 503 until "api_key" is right.'
        )
        return AuthServerUnavailable("api_key_refused", retry_after=60)


def parse_object(body: bytes, url: str | None = None) -> Members:
    """A JSON object, from this address. A captive portal or a proxy page is an outage too."""
    value = _parse(body)
    if not isinstance(value, dict):
        raise unusable("not_json", url, "without a JSON object")
    return value


def unusable(reason: str, url: str | None, what: str) -> AuthServerUnavailable:
    """An answer that is none, and what is wrong with it; nothing that could be a token."""
    return AuthServerUnavailable(reason, detail=url and f"{quote_for_log(url)} answered {what}")


def parse_loosely(body: bytes) -> Members:
    """Of a refusal only what helps the developer."""
    value = _parse(body)
    return value if isinstance(value, dict) else {}


def _parse(body: bytes) -> object:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _retry_after_of(answer: ServerAnswer) -> int:
    value = answer.headers.get("retry-after", "")
    return min(max(int(value), 1), 300) if re.fullmatch(r"[0-9]{1,4}", value) else 5
