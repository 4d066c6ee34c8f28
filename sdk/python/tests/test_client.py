"""AuthAgentClient against a played authorization server in every state it can be in."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import pprint
import socket
import threading
import time
from base64 import urlsafe_b64encode

import httpx
import pytest
from stage import RESOURCE, START_OF_TIME, PlayedServer, Received, Reply, play

from auth_agent_mcp import AuthAgentClient, AuthenticationError, AuthServerUnavailable

pytestmark = pytest.mark.anyio


async def test_the_introspection_request_is_a_form_with_our_key_in_the_header(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        await client.validate_token("abc.def")

    (request,) = played.received
    assert (request.method, request.path, request.form) == ("POST", "/introspect", {"token": "abc.def"})
    assert request.headers["authorization"] == "Bearer sk_test_secret"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_one_pool_of_connections_serves_every_request(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        for number in range(5):
            await client.validate_token(f"t{number}")
        pool = client._server._pool._client
        await client.validate_token("t9")

        assert pool is not None
        assert client._server._pool._client is pool
        assert len(pool._transport._pool.connections) == 1  # type: ignore[attr-defined]
    assert pool.is_closed


async def test_the_token_is_nowhere_in_the_context_and_nothing_shows_the_key(played: PlayedServer) -> None:
    """[RS-20] [RS-09]"""
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        auth = await client.validate_token("very-secret-token")

        shown = repr(auth) + repr(auth.claims) + pprint.pformat(vars(client)) + repr(client.settings)

    assert "very-secret-token" not in shown
    assert "sk_test_secret" not in shown
    assert len(auth.token_hash) == 43


async def test_contexts_are_frozen_all_the_way_down(played: PlayedServer) -> None:
    """[RS-20] a handler cannot lend the next request a scope"""
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        auth = await client.validate_token("abc")

    with pytest.raises(AttributeError):
        auth.user.id = "usr_2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        auth.claims["sub"] = "usr_2"  # type: ignore[index]
    assert isinstance(auth.scopes, tuple)


async def test_a_server_that_never_answers_is_an_outage_after_the_timeout(played: PlayedServer) -> None:
    """[RS-17]"""
    played.reply = lambda _: Reply(hang=True)
    async with AuthAgentClient(**played.options(resource=RESOURCE, timeout=0.05)) as client:
        with pytest.raises(AuthServerUnavailable) as caught:
            await client.validate_token("abc")

    assert caught.value.reason == "unreachable"


async def test_a_connection_cut_off_and_nobody_listening_are_outages(played: PlayedServer) -> None:
    """[RS-17]"""
    played.reply = lambda _: Reply(cut=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for url in (played.url, nobody):
        async with AuthAgentClient(**played.options(resource=RESOURCE, auth_server=url)) as client:
            with pytest.raises(AuthServerUnavailable):
                await client.validate_token("abc")


async def test_an_answer_too_long_or_compressed_is_an_outage(played: PlayedServer) -> None:
    """[RS-17]"""
    long = played.active(padding="x" * 1024 * 1024)
    compressed = gzip.compress(json.dumps(played.active()).encode())
    replies = [httpx.Response(200, json=long), httpx.Response(200, content=compressed, headers={"Content-Encoding": "gzip"})]
    for reply in replies:
        transport = httpx.MockTransport(lambda _, reply=reply: reply)
        async with AuthAgentClient(**played.options(resource=RESOURCE, transport=transport)) as client:
            with pytest.raises(AuthServerUnavailable):
                await client.validate_token("abc")


async def test_our_key_never_follows_a_redirect(played: PlayedServer) -> None:
    with play() as elsewhere:
        played.reply = lambda _: Reply(status=307, headers={"Location": f"{elsewhere.url}/introspect"})
        async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
            with pytest.raises(AuthServerUnavailable):
                await client.validate_token("abc")

        assert elsewhere.received == []


async def test_what_cannot_be_a_token_is_refused_without_asking(played: PlayedServer) -> None:
    """[RS-06] [RS-07]"""
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        for wrong in ("", "a b", "é", "a\r\nb", "a" * 8193, "abc\n"):
            with pytest.raises(AuthenticationError):
                await client.validate_token(wrong)

    assert played.received == []


async def test_without_a_configured_resource_the_registered_one_is_the_audience_read_once(played: PlayedServer) -> None:
    """[PRM-12] [RS-08]"""
    async with AuthAgentClient(**played.options()) as client:
        await client.validate_token("a")
        await client.validate_token("b")
        played.says(aud="https://files.example.com/other")
        with pytest.raises(AuthenticationError):
            await client.validate_token("c")

    assert played.asked("/.well-known/oauth-protected-resource/srv_abc123") == 1


async def test_registered_metadata_is_read_once_an_hour_and_outlives_an_outage(played: PlayedServer) -> None:
    """[RS-17]"""
    now = START_OF_TIME
    path = "/.well-known/oauth-protected-resource/srv_abc123"
    async with AuthAgentClient(**played.options(now=lambda: now)) as client:
        first = await asyncio.gather(*(client.get_server_metadata() for _ in range(10)))
        assert played.asked(path) == 1
        now += 3600
        played.reply = lambda _: Reply(status=503)
        assert await client.get_server_metadata() == first[0]
        now += 29
        await client.get_server_metadata()
        assert played.asked(path) == 2

    assert (first[0].resource, first[0].scopes, first[0].name) == (RESOURCE, ("files:read", "files:write"), "My File Server")


async def test_a_document_that_names_another_authorization_server_is_not_believed(played: PlayedServer) -> None:
    """[PRM-10]"""
    for servers in (["https://evil.example.com"], [f"{played.url}/"], None, played.url):
        played.reply = lambda _, servers=servers: Reply(played.registered(authorization_servers=servers))  # type: ignore[misc]
        async with AuthAgentClient(**played.options()) as client:
            with pytest.raises(AuthServerUnavailable):
                await client.get_server_metadata()


async def test_many_requests_with_one_token_ask_once_even_if_the_first_caller_hangs_up(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        impatient = asyncio.create_task(client.validate_token("abc"))
        await asyncio.sleep(0)
        others = [asyncio.create_task(client.validate_token("abc")) for _ in range(20)]
        await asyncio.sleep(0)
        impatient.cancel()

        answers = await asyncio.gather(*others)

    assert {auth.id for auth in answers} == {"usr_1"}
    assert impatient.cancelled()
    assert played.asked("/introspect") == 1


async def test_a_revoked_token_is_forgotten_at_once(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        await client.validate_token("abc")
        await client.revoke_token("abc")
        played.reply = lambda _: Reply({"active": False})
        with pytest.raises(AuthenticationError):
            await client.validate_token("abc")

    assert [one.path for one in played.received] == ["/introspect", "/revoke", "/introspect"]
    assert played.received[1].form == {"token": "abc"}


async def test_an_answer_from_before_a_revocation_is_not_remembered(played: PlayedServer) -> None:
    asked, revoked = threading.Event(), threading.Event()

    def reply(request: Received) -> Reply:
        if request.path == "/introspect" and played.asked("/introspect") == 1:
            asked.set()
            revoked.wait(5)
        return played.good_reply(request)

    played.reply = reply
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        early = asyncio.create_task(client.validate_token("abc"))
        await asyncio.to_thread(asked.wait, 5)
        await client.revoke_token("abc")
        revoked.set()
        await early
        await client.validate_token("abc")

    assert played.asked("/introspect") == 2


async def test_a_revocation_that_failed_says_so(played: PlayedServer) -> None:
    played.reply = lambda _: Reply(status=500)
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        with pytest.raises(AuthServerUnavailable):
            await client.revoke_token("abc")


async def test_introspect_token_gives_the_answer_or_inactive(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        good = await client.introspect_token("abc")
        played.says(aud="https://elsewhere.example.com")
        bad = await client.introspect_token("def")

    assert good == played.active()
    assert bad == {"active": False}


async def test_a_wrong_setup_is_explained_to_the_developer_once_a_minute_in_one_line(
    played: PlayedServer, caplog: pytest.LogCaptureFixture
) -> None:
    options = {name: value for name, value in played.options(resource=RESOURCE).items() if name != "log"}
    async with AuthAgentClient(**options) as client:
        for changes in ({"aud": "https://x.example\r\nforged: line"}, {"iss": "https://evil.example.com"}):
            played.says(**changes)
            for token in ("a", "b", "c"):
                with pytest.raises(AuthenticationError):
                    await client.validate_token(token)

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert lines == [
        f'auth-agent: a token is for "https://x.example\\r\\nforged: line", this server is {RESOURCE}. '
        'If both are this server, "resource" and its registered "server_url" must be the same to the letter.',
        f'auth-agent: a token is from "https://evil.example.com", "auth_server" is {played.url}. They must be the same to the letter.',
    ]


async def test_what_strangers_write_into_tokens_is_one_line_a_minute_and_breaks_nothing(played: PlayedServer) -> None:
    lines: list[str] = []
    played.reply = lambda _: Reply({"active": False})
    deep = "[" * 2500 + "]" * 2500
    bodies = [f'{{"iss": "https://{number}.example.com"}}' for number in range(5)]
    bodies += [f'{{"iss": "{played.url}", "aud": {deep}}}', f'{{"iss": "{played.url}", "aud": "{RESOURCE}", "x": {deep}}}', "[]", "\x00"]
    async with AuthAgentClient(**played.options(resource=RESOURCE, log=lines.append)) as client:
        for body in bodies:
            with pytest.raises(AuthenticationError):
                await client.validate_token(f"e30.{urlsafe_b64encode(body.encode()).rstrip(b'=').decode()}.c2ln")

    assert lines == [
        f'auth-agent: a token is from "https://0.example.com", "auth_server" is {played.url}. They must be the same to the letter.'
    ]


async def test_once_a_token_was_good_one_that_is_not_active_is_no_riddle(played: PlayedServer) -> None:
    """A revocation is nobody's mistake."""
    lines: list[str] = []
    said = urlsafe_b64encode(json.dumps(played.active()).encode()).rstrip(b"=").decode()
    async with AuthAgentClient(**played.options(resource=RESOURCE, log=lines.append)) as client:
        await client.validate_token("abc")
        played.reply = lambda _: Reply({"active": False})
        with pytest.raises(AuthenticationError):
            await client.validate_token(f"e30.{said}.c2ln")

    assert lines == []


def test_connections_of_one_event_loop_are_not_used_in_another(played: PlayedServer) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=played.active()))
    client = AuthAgentClient(**played.options(resource=RESOURCE, transport=transport))
    pools = []
    for token in ("a", "b"):
        asyncio.run(client.validate_token(token))
        pools.append(client._server._pool._client)

    assert pools[0] is not pools[1]


def test_a_new_event_loop_gets_new_connections_and_keeps_the_cache(played: PlayedServer) -> None:
    client = AuthAgentClient(**played.options(resource=RESOURCE))

    async def twice(token: str) -> str:
        await client.validate_token("shared")
        try:
            return (await client.validate_token(token)).id
        finally:
            await client.aclose()

    assert asyncio.run(twice("a")) == asyncio.run(twice("b")) == "usr_1"
    assert played.asked("/introspect") == 3
    gc.collect()


async def test_a_remembered_token_costs_little(played: PlayedServer) -> None:
    async with AuthAgentClient(**played.options(resource=RESOURCE)) as client:
        await client.validate_token("abc")
        began = time.perf_counter()
        for _ in range(1000):
            await client.validate_token("abc")

    assert time.perf_counter() - began < 1
    assert played.asked("/introspect") == 1
