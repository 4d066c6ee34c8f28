"""Signing in on another device, and a login that goes on: the shared vectors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from stage import START_OF_TIME, vectors
from test_vectors import Case, cases

from auth_agent_mcp import AuthServerUnavailable, DevicePrompt, SavedLogin, TokenRequestRefused, device_login, resume_login

pytestmark = pytest.mark.anyio


def ours(wire: dict[str, Any]) -> dict[str, Any]:
    return {
        "expires_at" if name == "expires_in" else name: START_OF_TIME + value if name == "expires_in" else value
        for name, value in wire.items()
    }


class World:
    """A world in which exactly these requests are made; time stands still but for the waits."""

    def __init__(self, exchanges: list[Case]) -> None:
        self.left = list(exchanges)
        self.waits: list[float] = []
        self.now = float(START_OF_TIME)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        expected = self.left.pop(0)
        assert f"{request.method} {request.url}" == expected["request"]
        if "form" in expected:
            assert dict(httpx.QueryParams(request.content.decode())) == expected["form"]
        if "json" in expected:
            assert json.loads(request.content) == expected["json"]
        if "unreachable" in expected:
            raise httpx.ConnectError("away")
        content = json.dumps(expected["body"]).encode() if "body" in expected else b""
        return httpx.Response(expected["status"], headers=expected.get("headers"), content=content)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def options(self) -> dict[str, Any]:
        return {"transport": httpx.MockTransport(self), "wait": self.wait, "now": lambda: self.now}


@cases("device-login")
async def test_device_login(case: Case) -> None:
    world = World(case["exchanges"])
    shown: list[DevicePrompt] = []
    kept: list[SavedLogin] = []

    outcome = await outcome_of(device_login(**case["options"], on_prompt=shown.append, on_change=kept.append, **world.options()))

    expect = case["expect"]
    assert outcome == (expect if isinstance(expect, str) else ours(expect["saved"]) if "saved" in expect else expect)
    assert (world.waits, world.left) == (case["waits"], [])
    assert kept == ([outcome] if "saved" in expect else [])
    if "prompt" in case:
        assert [vars(prompt) for prompt in shown] == [{"verification_uri_complete": None, **ours(case["prompt"])}]


@pytest.mark.parametrize("drive", ["\x1b[2J", "\x9b2J", "\x07", "\u202e", "\x7f", " "])
async def test_a_page_that_drives_a_terminal_is_never_shown(drive: str) -> None:
    """[CL-22]"""
    base = vectors("device-login")["cases"][0]
    asked, prompted = base["exchanges"][:3], base["exchanges"][3]
    shown: list[DevicePrompt] = []
    outcomes = []
    for name in ("verification_uri", "verification_uri_complete"):
        answer = {**prompted["body"], name: f"https://auth.example.com/device{drive}"}
        rest = [] if name == "verification_uri" else base["exchanges"][4:]
        world = World([*asked, {**prompted, "body": answer}, *rest])
        outcomes.append(await outcome_of(device_login(**base["options"], on_prompt=shown.append, **world.options())))
        assert world.left == []

    assert outcomes == [{"refused": "wrong_page"}, ours(base["expect"]["saved"])]
    assert [prompt.verification_uri_complete for prompt in shown] == [None]


@pytest.mark.parametrize("name", ["device_code", "user_code"])
async def test_an_answer_without_a_code_names_its_address(name: str) -> None:
    base = vectors("device-login")["cases"][0]
    asked, prompted = base["exchanges"][:3], base["exchanges"][3]
    world = World([*asked, {**prompted, "body": {**prompted["body"], name: "\x1b" if name == "user_code" else ""}}])

    with pytest.raises(AuthServerUnavailable) as caught:
        await device_login(**base["options"], on_prompt=print, **world.options())

    address = prompted["request"].removeprefix("POST ")
    assert str(caught.value) == f'The authorization server cannot be reached: "{address}" answered without a usable {name}'


async def outcome_of(login: Any) -> Any:
    try:
        return (await login).saved()
    except AuthServerUnavailable:
        return "unavailable"
    except TokenRequestRefused as error:
        return {"refused": error.code}
    except ValueError as error:
        return {"wrong_use": str(error).split('"')[1]}


async def test_a_login_that_is_cancelled_ends_in_the_middle_of_a_wait() -> None:
    """[CL-19]"""
    world = World(vectors("device-login")["cases"][0]["exchanges"])
    options = {**world.options(), "wait": asyncio.sleep}
    shown = asyncio.Event()
    login = asyncio.ensure_future(
        device_login(resource="https://files.example.com/mcp", client_id="client_1", on_prompt=lambda _: shown.set(), **options)
    )
    await shown.wait()
    login.cancel()

    with pytest.raises(asyncio.CancelledError):
        await login


SAVED: Any = ours(vectors("login")["saved"])


@cases("login")
async def test_login(case: Case) -> None:
    now = START_OF_TIME
    sent: list[str] = []
    changes: list[list[str]] = []
    answers: list[Any] = []

    def token_endpoint(request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        assert str(request.url) == SAVED["token_endpoint"]
        assert (form["grant_type"], form["resource"], form["client_id"]) == ("refresh_token", SAVED["resource"], "client_1")
        sent.append(form["refresh_token"])
        answer = answers.pop(0)
        if answer == "unreachable":
            raise httpx.ConnectError("away")
        return httpx.Response(answer["status"], json=answer["body"])

    async def keep(login: SavedLogin) -> None:
        changes.append([login["access_token"], login["refresh_token"]])

    saved = {name: value for name, value in SAVED.items() if not (name == "refresh_token" and case.get("no_refresh_token"))}
    login = resume_login(saved, transport=httpx.MockTransport(token_endpoint), now=lambda: now, on_change=keep)  # type: ignore[arg-type]
    for step in case["steps"]:
        now = START_OF_TIME + step["at"]
        answers[:] = step["token_endpoint"]
        sent.clear()
        changes.clear()

        outcomes = await asyncio.gather(login.token(), login.token(), return_exceptions=True)

        for outcome in outcomes:
            if step["expect"] == "unavailable":
                assert isinstance(outcome, AuthServerUnavailable)
            elif step["expect"] == "refused":
                assert isinstance(outcome, TokenRequestRefused)
                assert outcome.code == step["code"]
            else:
                assert outcome == step["expect"]
        assert (sent, changes, answers) == (step["sent"], step["changes"], [])


@pytest.mark.parametrize(
    ("name", "login", "options"),
    [
        ("on_change", None, {}),
        ('"access_token"', {**SAVED, "access_token": "a b"}, {}),
        ('"refresh_token"', {**SAVED, "refresh_token": 7}, {}),
        ('"expires_at"', {**SAVED, "expires_at": "7"}, {}),
        ('"client_id"', {**SAVED, "client_id": None}, {}),
        ('"token_endpoint"', {**SAVED, "token_endpoint": "http://auth.example.com/token"}, {}),
        ('"resource"', {**SAVED, "resource": "files"}, {}),
        ('"dpop"', SAVED, {"dpop": True}),
        ('"dpop"', SAVED, {"dpop": ec.generate_private_key(ec.SECP256R1())}),
        ('"dpop"', {**SAVED, "bound": True}, {}),
    ],
)
def test_what_was_kept_is_judged_before_it_is_used(name: str, login: Any, options: dict[str, Any]) -> None:
    assert resume_login(SAVED)
    with pytest.raises(ValueError, match=name):
        resume_login(login, **options)
