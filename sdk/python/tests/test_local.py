"""Local verification: signatures checked here with the published keys, nobody asked about a token."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client, FastMCP
from fastmcp.server.dependencies import get_access_token
from serving import auth_agent, development_server, serve, unused_port
from signed import JWKS, KeyPair, access_token, claims_of, key_pair, publish
from stage import RESOURCE, START_OF_TIME, PlayedServer, Reply, ask, bearer, play
from test_real_server import MACHINE, tokens_of_a_person
from test_vectors import Case, cases

from auth_agent_mcp import AgentTokens, AuthAgentClient, AuthAgentError, AuthenticationError, AuthServerUnavailable
from auth_agent_mcp._jwt import check_header
from auth_agent_mcp._proof_key import ProofKey, encoded, jws_part
from auth_agent_mcp.blocking import BlockingAuthAgentClient
from auth_agent_mcp.fastmcp import AuthAgentProvider
from auth_agent_mcp.mcp import TokenVerifier

pytestmark = pytest.mark.anyio


def local(played: PlayedServer, **changes: Any) -> dict[str, Any]:
    """Options of local verification. There is no API key to ask with."""
    return {**played.options(resource=RESOURCE, verify="local", api_key=None), **changes}


async def reason_of(client: AuthAgentClient, token: str) -> str:
    with pytest.raises(AuthenticationError) as caught:
        await client.validate_token(token)
    assert (caught.value.code, str(caught.value)) == ("invalid_token", str(AuthenticationError("invalid_token")))
    return caught.value.reason


@cases("jwt-headers")
def test_headers(case: Case) -> None:
    """[PY-01]"""
    token = f"{urlsafe_b64encode(json.dumps(case['header']).encode()).rstrip(b'=').decode()}.e30.c2ln"
    if case["reason"] is None:
        check_header(token)
        return
    with pytest.raises(AuthenticationError) as caught:
        check_header(token)
    assert (caught.value.code, caught.value.reason) == ("invalid_token", case["reason"])


@cases("key-cache")
async def test_key_cache(case: Case, played: PlayedServer) -> None:
    """[PY-01] [PY-05]"""
    ids = {kid for step in case["steps"] for kid in [*(step["published"] or []), *step["tokens"]]}
    keys = {kid: key_pair(kid) for kid in ids}
    now = START_OF_TIME
    settings = {"max_stale_keys": case["max_stale_keys"], "cache_ttl": 0, "now": lambda: now}
    async with AuthAgentClient(**local(played, **settings)) as client:
        for step in case["steps"]:
            now = START_OF_TIME + step["at"]
            publish(played, *(keys[kid] for kid in step["published"] or []))
            if step["published"] is None:
                played.reply = lambda _: Reply(status=503)
            before = played.asked(JWKS)

            tokens = [
                access_token(keys[kid], played, jti=f"{step['at']} {number}", exp=START_OF_TIME + 86_400)
                for number, kid in enumerate(step["tokens"])
            ]
            outcomes = await asyncio.gather(*(outcome_of(client, token) for token in tokens))

            assert set(outcomes) == {step["expect"]}, step
            assert played.asked(JWKS) - before == step["fetches"], step


async def outcome_of(client: AuthAgentClient, token: str) -> str:
    try:
        await client.validate_token(token)
    except AuthAgentError as error:
        return error.code
    return "active"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
async def test_a_token_is_verified_here_and_nobody_is_asked_about_it(algorithm: str, played: PlayedServer) -> None:
    """[RS-07]"""
    key = key_pair("k1", algorithm)
    publish(played, key)

    async with AuthAgentClient(**local(played)) as client:
        auth = await client.validate_token(access_token(key, played))
        told = await client.introspect_token(access_token(key, played))
        refused = await client.introspect_token(access_token(key_pair("k1", algorithm), played))

    assert (auth.id, auth.client_id, auth.scopes, auth.grant_id, auth.email) == ("usr_1", "client_a", ("files:read",), "grant_1", None)
    assert told == {**claims_of(played), "active": True}
    assert refused == {"active": False}
    assert (played.asked("/introspect"), played.asked(JWKS)) == (0, 1)


async def test_a_token_seen_before_is_not_verified_again_and_never_past_its_exp(played: PlayedServer) -> None:
    key, now = key_pair("k1"), START_OF_TIME
    publish(played, key)
    token = access_token(key, played, exp=START_OF_TIME + 20)
    async with AuthAgentClient(**local(played, now=lambda: now)) as client:
        first = await client.validate_token(token)
        assert await client.validate_token(token) is first
        now += 20
        assert await client.validate_token(token) is not first
        now += 60
        assert await reason_of(client, token) == "expired"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"iss": "https://evil.example.com"}, "issuer", id="[RS-19] another issuer"),
        pytest.param({"aud": "https://files.example.com/other"}, "audience", id="[RS-08] a sibling audience"),
        pytest.param({"aud": None}, "audience", id="[RS-08] no audience"),
        pytest.param({"exp": None}, "expired", id="[RS-07] no exp"),
        pytest.param({"exp": START_OF_TIME - 60}, "expired", id="[RS-07] a past exp"),
        pytest.param({"nbf": START_OF_TIME + 61}, "not_yet_valid", id="[RS-07] nbf in the future"),
        pytest.param({"iat": START_OF_TIME + 61}, "not_yet_valid", id="[RS-07] iat in the future"),
        pytest.param({"cnf": {"jkt": "x"}}, "key_bound", id="[RS-07] a binding nobody can check"),
        pytest.param({"cnf": {"jkt": "x" * 43}}, "key_bound", id="[RS-07] a token bound to a key, as Bearer"),
        pytest.param({"sub": None}, "subject", id="[RS-07] nobody"),
        pytest.param({"client_id": None}, "subject", id="[RS-07] no client"),
        pytest.param({"scope": ["files:read"]}, "scope", id="[RS-07] a list of scopes"),
    ],
)
async def test_claims_are_refused_although_the_signature_is_good(changes: Any, reason: str, played: PlayedServer) -> None:
    """[RS-02] [RS-07] [RS-08] [RS-19]"""
    key = key_pair("k1")
    publish(played, key)
    async with AuthAgentClient(**local(played)) as client:
        assert await reason_of(client, access_token(key, played, **changes)) == reason


async def test_whatever_was_not_signed_by_the_key_is_refused(played: PlayedServer) -> None:
    """[KEY-05] [RS-02] a foreign key under a known id, a changed payload, a cut or padded or missing signature"""
    key = key_pair("k1")
    publish(played, key)
    token = access_token(key, played)
    header, _, signature = token.split(".")
    payload = jws_part({**claims_of(played), "sub": "usr_2"})
    forgeries = [
        access_token(key_pair("k1"), played),
        f"{header}.{payload}.{signature}",
        token[:-4],
        f"{token}=",
        f"{token}.",
        f"{token}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{encoded(bytes(64))}",
        f"{header}.{payload}",
        header,
    ]
    async with AuthAgentClient(**local(played)) as client:
        assert [await reason_of(client, forged) for forged in forgeries] == ["signature"] * len(forgeries)
        for nonsense in ("", "a", "....", "e30.e30.e30x", f"{encoded(b'[' * 5000)}.e30.c2ln", "x" * 8193, f"{encoded(b'{}')}+.e30.c2ln"):
            assert await reason_of(client, nonsense) in ("malformed", "typ")
        for content in (b"[]", b"{", b'{"exp":NaN}', b"\xff", b"[" * 3000):
            signed = f"{header}.{encoded(content)}"
            assert await reason_of(client, f"{signed}.{encoded(key.sign(signed.encode()))}") == "malformed"


async def test_a_public_key_is_no_secret(played: PlayedServer) -> None:
    """[KEY-05] HMAC with it, and an algorithm that is not the key's"""
    rsa, pss = key_pair("k1", "RS256"), key_pair("k2", "PS256")
    publish(played, rsa, pss)
    async with AuthAgentClient(**local(played)) as client:
        for algorithm in ("HS256", "none"):
            assert await reason_of(client, access_token(rsa, played, header={"alg": algorithm})) == "alg"
        assert await reason_of(client, access_token(key_pair("k1"), played)) == "unknown_key"
        assert await reason_of(client, access_token(rsa, played, header={"kid": "k2"})) == "unknown_key"
        assert await reason_of(client, access_token(pss, played, header={"alg": "RS256"})) == "unknown_key"


async def test_a_key_the_token_brings_along_is_not_looked_at_nor_the_address_of_one(played: PlayedServer) -> None:
    """[KEY-05]"""
    attacker = key_pair("evil")
    publish(played, key_pair("k1"))
    with play() as elsewhere:
        header = {"jwk": attacker.jwk, "jku": f"{elsewhere.url}/jwks", "x5u": f"{elsewhere.url}/x5u", "x5c": ["AA=="]}
        async with AuthAgentClient(**local(played)) as client:
            assert await reason_of(client, access_token(attacker, played, header=header)) == "unknown_key"
        assert elsewhere.received == []


async def test_published_keys_that_are_not_for_this_are_not_used(played: PlayedServer) -> None:
    """[KEY-05]"""
    for changes, reason in (
        ({"use": "enc"}, "unknown_key"),
        ({"key_ops": ["sign"]}, "unknown_key"),
        ({"key_ops": "verify"}, "unknown_key"),
        ({"alg": "ES384"}, "unknown_key"),
        ({"kty": "RSA"}, "unknown_key"),
        ({"d": "AA"}, "key"),
        ({"crv": "P-384"}, "key"),
        ({"x": "AA"}, "key"),
        ({"y": None}, "key"),
    ):
        key = key_pair("k1")
        publish(played, KeyPair({**key.jwk, **changes}, key.sign))
        async with AuthAgentClient(**local(played)) as client:
            assert await reason_of(client, access_token(key, played)) == reason, changes
    twice = key_pair("k1")
    publish(played, twice, twice)
    async with AuthAgentClient(**local(played)) as client:
        assert await reason_of(client, access_token(twice, played)) == "key"


async def test_a_document_that_is_no_set_of_keys_is_an_outage(played: PlayedServer) -> None:
    """[RS-17] and says in the log what is wrong with it: of an API key, which nobody sent, it is not a word"""
    no_keys, no_object = "names no keys", "without a JSON object"
    for reply, said in (
        (Reply({"keys": "no"}), no_keys),
        (Reply({"keys": [7]}), no_keys),
        (Reply({}), no_keys),
        (Reply(raw="<html>"), no_object),
        (Reply(status=401), 'answered 401 {}. Check "auth_server"'),
        (Reply(cut=True), "cannot be reached"),
    ):
        lines: list[str] = []
        played.reply = lambda _, reply=reply: reply  # type: ignore[misc]
        async with AuthAgentClient(**{**local(played), "log": lines.append}) as client:
            with pytest.raises(AuthServerUnavailable):
                await client.validate_token(access_token(key_pair("k1"), played))
        assert [said in line for line in lines] == [True], lines


async def test_a_caller_who_hangs_up_takes_nobody_elses_keys_away(played: PlayedServer) -> None:
    """[PY-05]"""
    key = key_pair("k1")
    publish(played, key)
    async with AuthAgentClient(**local(played)) as client:
        hasty = asyncio.ensure_future(client.validate_token(access_token(key, played, jti="a")))
        patient = asyncio.ensure_future(client.validate_token(access_token(key, played, jti="b")))
        await asyncio.sleep(0)
        hasty.cancel()
        assert (await patient).id == "usr_1"
    assert hasty.cancelled()
    assert played.asked(JWKS) == 1


async def test_without_a_key_nothing_can_be_revoked(played: PlayedServer) -> None:
    async with AuthAgentClient(**local(played)) as client:
        with pytest.raises(ValueError, match="api_key"):
            await client.revoke_token("abc")
    async with AuthAgentClient(**local(played, api_key="sk_a_b")) as client:
        await client.revoke_token("abc")
    assert played.asked("/revoke") == 1


async def test_the_middleware_answers_as_it_does_by_introspection(played: PlayedServer) -> None:
    """[RS-02] [RS-03] [RS-17]"""
    key, now = key_pair("k1"), START_OF_TIME
    publish(played, key)
    async with ask(**local(played, required_scopes=["files:read"], now=lambda: now)) as http:
        good = await http.get("/mcp", headers=bearer(access_token(key, played)))
        forged = await http.get("/mcp", headers=bearer(access_token(key_pair("k1"), played)))
        narrow = await http.get("/mcp", headers=bearer(access_token(key, played, scope="files:write")))
        played.reply = lambda _: Reply(status=500)
        now += 30
        down = await http.get("/mcp", headers=bearer(access_token(key_pair("k2"), played)))

    assert (good.status_code, good.json()["id"], good.json()["user_email"]) == (200, "usr_1", None)
    assert (forged.status_code, forged.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in forged.headers["www-authenticate"]
    assert (narrow.status_code, narrow.json()["error"]) == (403, "insufficient_scope")
    assert (down.status_code, down.headers["retry-after"], "www-authenticate" in down.headers) == (503, "5", False)


async def test_a_bound_token_needs_its_proof_here_too(played: PlayedServer) -> None:
    """[RS-07] [DPR-01]"""
    key, own = key_pair("k1"), ProofKey()
    publish(played, key)
    token = access_token(key, played, cnf={"jkt": own.thumbprint})
    proof = own.prove("GET", RESOURCE, now=START_OF_TIME, access_token=token).value
    async with ask(**local(played)) as http:
        good = await http.get("/mcp", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
        bare = await http.get("/mcp", headers={"Authorization": f"DPoP {token}"})
        as_bearer = await http.get("/mcp", headers=bearer(token))

    assert (good.status_code, bare.json()["error"], as_bearer.json()["error"]) == (200, "invalid_dpop_proof", "invalid_token")


async def test_the_verifier_of_the_official_sdk_and_fastmcps_guard(played: PlayedServer) -> None:
    """[PY-02]"""
    key, now = key_pair("k1"), int(time.time())
    publish(played, key)
    token = access_token(key, played, iat=now, exp=now + 600)
    verifier = TokenVerifier(**local(played, now=time.time))
    async with verifier.client:
        verified = await verifier.verify_token(token)
        forged = await verifier.verify_token(token[:-4])

    def make(url: str) -> Any:
        provider = AuthAgentProvider(**local(played, now=time.time, resource=f"{url}/mcp"))
        mcp: FastMCP[Any] = FastMCP("files", auth=provider)

        @mcp.tool
        def whoami() -> str:
            """Says who calls."""
            token = get_access_token()
            return token.client_id if token else "nobody"

        return mcp.http_app(path="/mcp")

    async with serve(make) as url:
        ours = access_token(key, played, iat=now, exp=now + 600, aud=f"{url}/mcp")
        async with Client(f"{url}/mcp", auth=ours) as client:
            answer = await client.call_tool("whoami")
        async with httpx.AsyncClient() as http:
            elsewhere = await http.post(f"{url}/mcp", headers=bearer(token))

    assert verified is not None
    assert (verified.client_id, verified.scopes, forged) == ("client_a", ["files:read"], None)
    assert (answer.data, elsewhere.status_code) == ("client_a", 401)


def test_threads_share_the_keys(played: PlayedServer) -> None:
    """[PY-05]"""
    key = key_pair("k1")
    publish(played, key)
    tokens = [access_token(key, played, jti=str(number)) for number in range(32)]
    with BlockingAuthAgentClient(**local(played)) as client, ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda token: client.validate_token(token).id, tokens))
        with pytest.raises(AuthenticationError):
            client.validate_token(access_token(key_pair("k1"), played))

    assert ids == {"usr_1"}
    assert played.asked(JWKS) == 1


async def test_the_real_server_may_stop_and_a_key_it_dropped_is_not_believed_any_longer(tmp_path: Path) -> None:
    """[KEY-03] [KEY-04] [RS-17] known keys go on without it; tokens of the dropped key are refused once the keys are read again"""
    data, port, passed = tmp_path / "dev.db", unused_port(), 0
    options: dict[str, Any] = {"server_id": "srv_tasks", "verify": "local", "cache_ttl": 0, "now": lambda: time.time() + passed}
    with development_server(data, port) as issuer:
        async with AgentTokens(**MACHINE, issuer=issuer, scope="tasks:read") as agent:
            token = await agent.token()
            other = await agent.token(refused=token)
        client = AuthAgentClient(**options, auth_server=issuer, log=lambda _: None)
        first = await client.validate_token(token)
    assert other != token
    async with client:
        down = await client.validate_token(other)
        passed = 601
        stale = await client.validate_token(other)
        async with AuthAgentClient(**options, auth_server=issuer, log=lambda _: None) as newcomer:
            with pytest.raises(AuthServerUnavailable):
                await newcomer.validate_token(token)

        database = ("--database-url", f"sqlite:{data}", "--issuer", issuer, "--secret-file", f"{data}.secret")
        (kid,) = [key["kid"] for key in auth_agent("signing-keys", "list", *database)["keys"] if key["algorithm"] == "ES256"]
        auth_agent("signing-keys", "drop", kid, "--yes", *database)
        with development_server(data, port):
            passed = 700
            refused = await reason_of(client, other)
            async with AgentTokens(**MACHINE, issuer=issuer, scope="tasks:read") as agent:
                successor = await client.validate_token(await agent.token())

    assert {one.client_id for one in (first, down, stale, successor)} == {"mcp-task-manager"}
    assert (first.scopes, first.resource, first.email) == (("tasks:read",), "http://localhost:4001", None)
    assert refused == "unknown_key"


async def test_a_person_of_the_real_server_is_known_by_the_token_alone() -> None:
    """[RS-07] [RS-08] without an API key; a token for another server is refused"""
    with development_server() as issuer:
        token = (await tokens_of_a_person(issuer, "https://your-mcp-server.com", "files:read"))["access_token"]
        options: dict[str, Any] = {"auth_server": issuer, "verify": "local", "required_scopes": ["files:read"], "log": lambda _: None}
        async with ask(server_id="srv_abc123", **options) as http:
            good = await http.get("/mcp", headers=bearer(token))
        async with ask(server_id="srv_tasks", **options) as http:
            elsewhere = await http.get("/mcp", headers=bearer(token))

    assert (good.status_code, good.json()["scopes"], good.json()["user_email"]) == (200, ["files:read"], None)
    assert good.json()["id"].startswith("usr_")
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (401, "invalid_token")
