"""A person signs in on another device: the agent has no browser and nobody to call it back (RFC 8628).

From the address of an MCP server to tokens that renew themselves. Each step is in a file of its own: _login_discovery.py,
_device_code.py, _login_tokens.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from ._authorization_server import parse_object
from ._client_key import ClientKey
from ._device_code import DevicePrompt, Wait, await_device, begin_device
from ._http import Pool
from ._login_discovery import LoginTarget, find_login_target, is_usable
from ._login_tokens import LoginTokens, OnChange, changed, hand_over, login_settings
from ._resource import resource_problem
from ._scope import is_scope_token
from ._token_endpoint import Asker, endpoint_in, refusal
from .errors import TokenRequestRefused

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


async def device_login(
    *,
    resource: str,
    on_prompt: Callable[[DevicePrompt], Awaitable[None] | None],
    scopes: Sequence[str] | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    client_key: ClientKey | None = None,
    client_key_id: str | None = None,
    client_name: str = "Agent",
    on_change: OnChange | None = None,
    dpop: bool | ec.EllipticCurvePrivateKey = False,
    timeout: float = 5,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
    wait: Wait = asyncio.sleep,
) -> LoginTokens:
    """Signs a person in to the MCP server ``resource`` and returns when they have allowed it.

    ``on_prompt`` shows the person where to go and the code to enter and compare. ``scopes``: by default what the server asks for.
    ``client_id`` is one that was registered or the address of a metadata document; without it the client registers itself as
    ``client_name`` (RFC 7591). ``on_change`` keeps the login for ``resume_login``. A login that is kept needs its own ``dpop`` key.

    Raises TokenRequestRefused ``access_denied`` when the person says no, ``expired_token`` when nobody answers in time,
    ``wrong_metadata`` and the like when what the servers say of themselves cannot be trusted, or the OAuth error of a refusal;
    AuthServerUnavailable when the authorization server cannot be asked; ValueError naming the option that is wrong.

    >>> login = await device_login(resource="https://files.example.com/mcp", on_prompt=print)
    >>> async with login, httpx.AsyncClient(auth=login) as http:
    ...     response = await http.post("https://files.example.com/mcp", json=message)
    """
    _check(resource, scopes, client_id, client_secret is not None or client_key is not None)
    given: dict[str, Any] = {"client_secret": client_secret, "client_key": client_key, "client_key_id": client_key_id}
    given |= {"dpop": dpop, "timeout": timeout, "transport": transport, "now": now}
    # Everything that can be wrong is told before anything is asked.
    login_settings(dict.fromkeys(("issuer", "token_endpoint", "resource"), resource), client_id=client_id or "unknown", **given)
    pool = Pool(resource, timeout=timeout, transport=transport)
    try:
        target = await find_login_target(resource, pool)
        scope = " ".join(target.scopes if scopes is None else scopes) or None
        endpoint, token_endpoint = _endpoint_of(target, "device_authorization_endpoint"), _endpoint_of(target, "token_endpoint")
        name = client_id or await _register(target, pool, client_name, scope)
        place = {"issuer": target.issuer, "token_endpoint": token_endpoint, "resource": target.resource}
        settings = login_settings(place, client_id=name, **given)
        asker = Asker(pool, settings.authenticate, settings.proof_key, now)
        waiting = await begin_device(asker, endpoint, {"scope": scope, "resource": target.resource})
        shown = on_prompt(waiting.prompt)
        if shown is not None:
            await shown
        token, answer = await await_device(waiting, asker, endpoint=token_endpoint, resource=target.resource, wait=wait)
    finally:
        await pool.aclose()
    asked = {} if scope is None else {"scope": scope}
    bound = {} if settings.proof_key is None else {"bound": True}
    login = changed({**place, "client_id": name, **asked, **bound}, token, answer)
    await hand_over(on_change, login)
    return LoginTokens(login, settings, token, on_change)


def _check(resource: object, scopes: Sequence[str] | None, client_id: str | None, proves: bool) -> None:
    problem = resource_problem(resource)
    if problem:
        raise ValueError(f'"resource" {problem}')
    if scopes is not None and (isinstance(scopes, str) or not all(is_scope_token(scope) for scope in scopes)):
        raise ValueError('"scopes" must be a list of scopes (RFC 6749 §3.3)')
    if client_id is None and proves:
        raise ValueError('"client_id" is missing: whose secret or key is it?')


def _endpoint_of(target: LoginTarget, name: str) -> str:
    endpoint = endpoint_in(target.metadata, name)
    if not is_usable(endpoint, target.resource):
        raise TokenRequestRefused("wrong_metadata", f"its {name} is on this computer")
    return endpoint


async def _register(target: LoginTarget, pool: Pool, client_name: str, scope: str | None) -> str:
    """RFC 7591: a public client for this one grant. A server that would have it keep a secret is told no: a login has no place for one."""
    if "registration_endpoint" not in target.metadata:
        raise TokenRequestRefused("registration_not_supported", 'give "client_id": this server registers nobody')
    wanted: dict[str, Any] = {
        "client_name": client_name,
        "grant_types": [_DEVICE_GRANT, "refresh_token"],
        "response_types": [],
        "token_endpoint_auth_method": "none",
        **({} if scope is None else {"scope": scope}),
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    endpoint = _endpoint_of(target, "registration_endpoint")
    answer = await pool.send("POST", endpoint, headers=headers, content=json.dumps(wanted).encode())
    if answer.status not in (200, 201):
        raise refusal(answer, (), endpoint)
    made = parse_object(answer.body, endpoint)
    client_id = made.get("client_id")
    if not isinstance(client_id, str) or not client_id or made.get("token_endpoint_auth_method", "none") != "none":
        raise TokenRequestRefused("wrong_registration", "it made no public client")
    return client_id
