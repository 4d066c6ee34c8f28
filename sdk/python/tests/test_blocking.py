"""The client for code without an event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from stage import RESOURCE, PlayedServer, Received, Reply

from auth_agent_mcp import AuthenticationError, AuthServerUnavailable
from auth_agent_mcp.blocking import BlockingAuthAgentClient


def test_threads_share_one_client_its_cache_and_each_question(played: PlayedServer) -> None:
    """[PY-05]"""
    asked = threading.Event()

    def slowly(request: Received) -> Reply:
        asked.wait(5)
        return played.good_reply(request)

    played.reply = slowly
    with BlockingAuthAgentClient(**played.options(resource=RESOURCE)) as client, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(client.validate_token, "abc") for _ in range(16)]
        asked.set()
        ids = {answer.result().id for answer in answers}
        others = list(pool.map(lambda number: client.validate_token(f"t{number}").client_id, range(50)))

    assert ids == {"usr_1"}
    assert others == ["client_a"] * 50
    assert played.asked("/introspect") == 51


def test_errors_are_those_of_the_other_client(played: PlayedServer) -> None:
    """[RS-17] [RS-22]"""
    with BlockingAuthAgentClient(**played.options(resource=RESOURCE)) as client:
        played.reply = lambda _: Reply({"active": False})
        with pytest.raises(AuthenticationError):
            client.validate_token("bad")
        assert client.introspect_token("bad") == {"active": False}
        played.reply = lambda _: Reply(status=500)
        with pytest.raises(AuthServerUnavailable):
            client.validate_token("unknown")
        with pytest.raises(AuthServerUnavailable):
            client.revoke_token("unknown")


def test_what_is_closed_begins_anew(played: PlayedServer) -> None:
    client = BlockingAuthAgentClient(**played.options(resource=RESOURCE))
    client.close()
    assert client.get_server_metadata().name == "My File Server"
    client.close()
    client.close()
    assert client.validate_token("abc").id == "usr_1"
    client.revoke_token("abc")
    client.close()

    assert played.asked("/revoke") == 1
    assert [thread.name for thread in threading.enumerate() if thread.name == "auth-agent" and not _ends(thread)] == []


class Silent(httpx.AsyncBaseTransport):
    """Never answers, and says when it was asked."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.release()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def test_closing_strands_nobody_who_waits(played: PlayedServer) -> None:
    silent = Silent()
    client = BlockingAuthAgentClient(**played.options(resource=RESOURCE, transport=silent))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(client.validate_token, token) for token in ("abc", "def")]
        for _ in waiting:
            assert silent.asked.acquire(timeout=5)
        client.close()
        errors = [answer.exception(timeout=5) for answer in waiting]

    assert [(type(error), getattr(error, "reason", None)) for error in errors] == [(AuthServerUnavailable, "closed")] * 2


def test_who_asks_while_it_closes_is_answered_or_told(played: PlayedServer) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=played.active()))
    client = BlockingAuthAgentClient(**played.options(resource=RESOURCE, transport=answer, cache_ttl=0))
    start = threading.Barrier(4)

    def ask() -> str:
        try:
            return client.validate_token("abc").id
        except AuthServerUnavailable as error:
            return error.reason

    def ask_often() -> set[str]:
        start.wait()
        return {ask() for _ in range(50)}

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask_often) for _ in range(3)]
        start.wait()
        for _ in range(50):
            client.close()
        said = set().union(*(one.result() for one in answers))
    client.close()

    assert said <= {"usr_1", "closed"}


def _ends(thread: threading.Thread) -> bool:
    thread.join(5)
    return not thread.is_alive()


# Newer Pythons warn of every fork beside threads. Servers that load an application once and fork do it all the same.
@pytest.mark.filterwarnings("ignore:This process")
def test_a_forked_process_goes_on_with_it(played: PlayedServer) -> None:
    with BlockingAuthAgentClient(**played.options(resource=RESOURCE)) as client:
        client.validate_token("before")
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            try:
                os._exit(0 if client.validate_token("after").id == "usr_1" else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
