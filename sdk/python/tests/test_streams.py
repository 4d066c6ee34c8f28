"""Event streams end with the access under which they were opened, and their applications hear of it: on uvicorn, over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from serving import serve
from stage import RESOURCE, START_OF_TIME, PlayedServer, Reply, bearer, vectors
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from auth_agent_mcp import AuthAgentClient, AuthAgentMiddleware, AuthenticationError
from auth_agent_mcp._event_stream import EventStream
from auth_agent_mcp._stream_watch import access_ended, is_event_stream, may_go_on

pytestmark = pytest.mark.anyio

Application = Callable[[Any, Any, Any], Any]


class Looks:
    """Looks come when the test wants them, instead of every 30 seconds."""

    def __init__(self) -> None:
        self._waiting = asyncio.Semaphore(0)
        self._turns = asyncio.Semaphore(0)
        self.stopped = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Stands for asyncio.sleep."""
        assert seconds == 30
        self._waiting.release()
        try:
            await self._turns.acquire()
        except asyncio.CancelledError:
            self.stopped.set()
            raise

    async def look(self) -> None:
        """Has a look made."""
        await self._waiting.acquire()
        self._turns.release()

    async def over(self) -> None:
        """Waits until a look was made that let the stream go on."""
        await self._waiting.acquire()
        self._waiting.release()


class Stage:
    """One stream: what it is to say, and whether its application heard of the end."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.heard = asyncio.Event()
        self.after = asyncio.Event()

    def starlette(self) -> Application:
        """Whose own response listens for the caller to hang up."""

        async def events() -> AsyncIterator[bytes]:
            try:
                while (event := await self.events.get()) is not None:
                    yield event
            finally:
                self.heard.set()

        async def stream(_: Any) -> StreamingResponse:
            return StreamingResponse(events(), media_type="text/event-stream", background=BackgroundTask(self.after.wait))

        return Starlette(routes=[Route("/mcp", stream)])

    def only_sends(self) -> Application:
        """It learns of the end when it sends."""

        async def application(_: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]})
            try:
                while (event := await self.events.get()) is not None:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            finally:
                self.heard.set()
            await send({"type": "http.response.body"})

        return with_lifespan(application)

    def only_listens(self) -> Application:
        """It learns of the end when it listens, and fails then."""

        async def application(_: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream; charset=utf-8")]})
            saying = asyncio.ensure_future(self.say(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            saying.cancel()
            self.heard.set()
            raise RuntimeError("nobody is there any more")

        return with_lifespan(application)

    async def say(self, send: Any) -> None:
        """Sends what is to be said."""
        while (event := await self.events.get()) is not None:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body"})


def with_lifespan(application: Application) -> Application:
    """uvicorn is told to demand one."""
    starlette = Starlette()

    async def either(scope: Any, receive: Any, send: Any) -> None:
        await (starlette if scope["type"] == "lifespan" else application)(scope, receive, send)

    return either


@asynccontextmanager
async def opened(played: PlayedServer, application: Application, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Looks, Any]]:
    """An open stream behind the middleware."""
    looks = Looks()
    monkeypatch.setattr("auth_agent_mcp._guard.access_ended", partial(access_ended, wait=looks.wait))
    guarded = serve(lambda _: AuthAgentMiddleware(application, **played.options(resource=RESOURCE)))
    async with guarded as url, httpx.AsyncClient() as http, http.stream("GET", f"{url}/mcp", headers=bearer()) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield looks, response.aiter_raw()


@pytest.mark.parametrize("kind", ["starlette", "only_sends", "only_listens"])
async def test_a_stream_ends_with_its_access(kind: str, played: PlayedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """[RS-10]"""
    stage = Stage()
    async with opened(played, getattr(stage, kind)(), monkeypatch) as (looks, received):
        stage.events.put_nowait(b"data: 1\n\n")
        assert await anext(received) == b"data: 1\n\n"
        await looks.look()
        await looks.over()
        stage.events.put_nowait(b"data: 2\n\n")
        assert await anext(received) == b"data: 2\n\n"

        played.reply = lambda _: Reply({"active": False})
        await looks.look()

        assert [part async for part in received] == []
        stage.events.put_nowait(b"data: 3\n\n")
        await asyncio.wait_for(stage.heard.wait(), 10)
        assert played.asked("/introspect") == 3


async def test_a_stream_that_ends_by_itself_is_looked_at_no_more(played: PlayedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    async with opened(played, stage.starlette(), monkeypatch) as (looks, received):
        stage.events.put_nowait(b"data: 1\n\n")
        stage.events.put_nowait(None)
        assert b"".join([part async for part in received]) == b"data: 1\n\n"
        # Its application still works, behind the answer.
        await asyncio.wait_for(looks.stopped.wait(), 10)
        stage.after.set()


async def test_whatever_the_server_does_the_application_hears_that_its_caller_is_gone() -> None:
    sent: list[Any] = []
    end = asyncio.Event()
    requests = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "body": b"b"}]

    async def receive() -> Any:
        return requests.pop(0) if requests else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def ended() -> None:
        await end.wait()

    stream = EventStream(receive, send, ended)
    assert [(await stream.receive())["body"], (await stream.receive())["body"]] == [b"a", b"b"]
    since_before = asyncio.ensure_future(stream.receive())
    await asyncio.sleep(0)
    await stream.send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    since_then = asyncio.ensure_future(stream.receive())
    await asyncio.sleep(0)
    end.set()

    heard = await asyncio.wait_for(asyncio.gather(since_before, since_then), 10)
    assert [*heard, await stream.receive()] == [{"type": "http.disconnect"}] * 3
    with pytest.raises(OSError, match="access"):
        await stream.send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]


async def test_a_look_whether_the_caller_is_there_finds_what_is_there_and_takes_nothing_away() -> None:
    messages: asyncio.Queue[Any] = asyncio.Queue()
    stream = EventStream(messages.get, messages.put, partial(asyncio.sleep, 0))
    request = Request({"type": "http"}, stream.receive)
    messages.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
    assert (await stream.receive())["body"] == b"a"

    assert not await request.is_disconnected()
    messages.put_nowait({"type": "http.request", "body": b"b", "more_body": False})
    assert (await stream.receive())["body"] == b"b"
    assert not await request.is_disconnected()
    messages.put_nowait({"type": "http.disconnect"})
    assert await request.is_disconnected()


async def test_a_handler_that_looks_whether_its_caller_is_there_learns_that_it_hung_up(played: PlayedServer) -> None:
    began, heard = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        await request.body()
        began.set()
        for _ in range(1000):
            if await request.is_disconnected():
                heard.set()
                break
            await asyncio.sleep(0.01)
        return Response()

    app = Starlette(routes=[Route("/mcp", handler, methods=["POST"])])
    async with serve(lambda _: AuthAgentMiddleware(app, **played.options(resource=RESOURCE))) as url, httpx.AsyncClient() as http:
        call = asyncio.ensure_future(http.post(f"{url}/mcp", json={}, headers=bearer()))
        await asyncio.wait_for(began.wait(), 10)
        call.cancel()

        await asyncio.wait_for(heard.wait(), 10)


@pytest.mark.parametrize("case", vectors("streams")["cases"], ids=lambda case: case["name"])
async def test_streams(case: dict[str, Any], played: PlayedServer) -> None:
    now = START_OF_TIME
    expires_at = START_OF_TIME + case["expires_in"]
    says = {"active": Reply(played.active(exp=expires_at)), "inactive": Reply({"active": False}), "unavailable": Reply({}, status=503)}
    async with AuthAgentClient(**played.options(resource=RESOURCE, now=lambda: now)) as client:
        for look in case["looks"]:
            now = START_OF_TIME + look["at"]
            reply = says[look["says"]]
            played.reply = lambda _, reply=reply: reply  # type: ignore[misc]
            before = played.asked("/introspect")

            goes_on = await may_go_on(client, "abc", expires_at)

            assert (goes_on, played.asked("/introspect") - before) == (look["goes_on"], 1 if look["asked"] else 0), look


async def test_what_a_look_finds_counts_for_requests_too(played: PlayedServer) -> None:
    """[RS-10]"""
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        await client.validate_token("abc")
        played.reply = lambda _: Reply({"active": False})

        assert not await client.stands("abc")
        with pytest.raises(AuthenticationError):
            await client.validate_token("abc")


async def test_trouble_of_our_own_says_nothing_against_a_stream(played: PlayedServer) -> None:
    def broken() -> float:
        raise RuntimeError("no clock")

    async with AuthAgentClient(**played.options(resource=RESOURCE, now=broken)) as client:
        assert await client.stands("abc")


def test_only_streams_of_events_stay_open() -> None:
    kinds = {
        b"text/event-stream": True,
        b"Text/Event-Stream; charset=utf-8": True,
        b"text/event-streams": False,
        b"application/json": False,
    }
    assert {kind: is_event_stream(kind) for kind in kinds} == kinds
