"""Tokens bound to a key (RFC 9449), on both sides: the vectors, every kind of application, and the agent."""

from __future__ import annotations

import base64
import hashlib
import json
from types import SimpleNamespace
from typing import Any

import httpx
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from stage import RESOURCE, START_OF_TIME, PlayedServer, ask, vectors

from auth_agent_mcp import AgentTokens, AuthAgentClient, AuthenticationError, AuthServerUnavailable, TokenRequestRefused
from auth_agent_mcp._dpop_proof import ProvenRequest, judge_proof, thumbprint
from auth_agent_mcp._proof_key import ProofKey
from auth_agent_mcp._proof_memory import InProcessMemory
from auth_agent_mcp.fastmcp import AuthAgentProvider
from auth_agent_mcp.httpx2 import AgentAuth
from auth_agent_mcp.mcp import TokenVerifier

pytestmark = pytest.mark.anyio

Case = dict[str, Any]


def cases(name: str) -> pytest.MarkDecorator:
    listed = vectors(name)["cases"]
    return pytest.mark.parametrize(
        "case", listed, ids=["".join(f"[{one}] " for one in case["requirements"]) + case["name"] for case in listed]
    )


def request_named(name: str) -> Case:
    found: Case = next(case for case in vectors("dpop-requests")["cases"] if case["name"].startswith(name))
    return found


@pytest.mark.parametrize("iat", [10**400, -(10**400), 2**63], ids=["far ahead", "long ago", "large"])
async def test_a_time_that_no_clock_shows_is_refused_like_any_other(iat: int) -> None:
    """[DPR-05]"""
    key, url = ProofKey(), "https://files.example.com/mcp"
    request = ProvenRequest("POST", url, "", key.thumbprint, START_OF_TIME)

    with pytest.raises(AuthenticationError) as caught:
        judge_proof(key.prove("POST", url, now=iat).value, request)

    assert (caught.value.code, caught.value.reason) == ("invalid_dpop_proof", "iat")


def headers_of(call: Case) -> dict[str, str]:
    headers = {"Authorization": call["authorization"], "DPoP": call["dpop"]}
    return {name: value for name, value in headers.items() if value is not None}


@cases("dpop-proofs")
async def test_proofs(case: Case) -> None:
    file = vectors("dpop-proofs")
    method, jkt = case.get("method", file["method"]), case.get("jkt", file["jkt"])
    request = ProvenRequest(method, file["url"], file["token_hash"], jkt, file["now"])

    if "reason" in case:
        with pytest.raises(AuthenticationError) as caught:
            judge_proof(case["proof"], request)
        error = caught.value
        assert (error.code, error.status, error.scheme) == (case.get("error", "invalid_dpop_proof"), 401, "DPoP")
        assert error.reason == case["reason"]
    else:
        judged = judge_proof(case["proof"], request)
        assert (judged.jti, judged.expires_at, judged.nonce) == ("proof-1", case["expires_at"], case.get("nonce"))


@cases("dpop-requests")
async def test_requests(case: Case, played: PlayedServer) -> None:
    played.says(**case["token"])
    more = {"dpop_required": case.get("required", False), "dpop_nonce_secret": case.get("nonce_secret")}

    async with ask(**played.options(resource=RESOURCE, required_scopes=["files:read"], **more)) as http:
        for call in case["calls"]:
            response = await http.post("/mcp", headers=headers_of(call))

            assert response.status_code == call["status"], response.text
            if "error" in call:
                assert response.json()["error"] == call["error"]
            if "www_authenticate" in call:
                assert response.headers["www-authenticate"] == call["www_authenticate"]
            if "dpop_nonce" in call:
                assert response.headers.get("dpop-nonce") == call["dpop_nonce"]


async def test_two_dpop_headers_are_no_proof(played: PlayedServer) -> None:
    """[DPR-01]"""
    case = request_named("a proof works once")
    first, _, second = case["calls"]
    played.says(**case["token"])

    async with ask(**played.options(resource=RESOURCE)) as http:
        pairs = [("Authorization", first["authorization"]), ("DPoP", first["dpop"]), ("DPoP", second["dpop"])]
        response = await http.post("/mcp", headers=pairs)

    assert (response.status_code, response.json()["error"]) == (401, "invalid_dpop_proof")


async def test_htu_is_compared_with_the_configured_address_whatever_host_says(played: PlayedServer) -> None:
    """[DPR-01]"""
    case = request_named("a bound token with its proof")
    headers = {**headers_of(case["calls"][0]), "Host": "10.0.0.7:3000"}
    played.says(**case["token"])

    async with ask(**played.options(resource=RESOURCE)) as http:
        assert (await http.post("/other", headers=headers)).status_code == 401
        assert (await http.post("/mcp?x=y", headers=headers)).status_code == 200


async def test_what_sees_no_request_refuses_bound_tokens_and_where_they_are_required_every_token(played: PlayedServer) -> None:
    """[DPR-02]"""
    options = played.options(resource=RESOURCE)
    played.says(**request_named("a bound token with its proof")["token"])
    async with AuthAgentClient(**options) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.validate_token("abc")
        assert (caught.value.code, caught.value.reason) == ("invalid_token", "key_bound")
        assert await client.introspect_token("abc") == {"active": False}
    for verifier in (TokenVerifier(**options), AuthAgentProvider(**options)):
        assert await verifier.verify_token("abc") is None
        await verifier.client.aclose()

    played.says()
    async with AuthAgentClient(**options, dpop_required=True) as client:
        with pytest.raises(AuthenticationError, match="invalid"):
            await client.validate_token("abc")


async def test_fastmcp_takes_a_bound_token_with_its_proof_once(played: PlayedServer) -> None:
    """[DPR-01] [DPR-05]"""
    from fastmcp import FastMCP

    case = request_named("a proof works once")
    provider = AuthAgentProvider(**played.options(resource=RESOURCE, required_scopes=["files:read"]))
    # FastMCP compares the end of a token with the clock of this computer.
    played.says(**case["token"], exp=4_000_000_000)
    server: Any = FastMCP("files", auth=provider)

    app = server.http_app(path="/mcp")
    content = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="https://files.example.com") as http:
        statuses = [
            (await http.post("/mcp", headers={**headers_of(call), **accept, "Host": "files.example.com"}, json=content)).status_code
            for call in case["calls"]
        ]
    await provider.client.aclose()

    assert statuses == [call["status"] for call in case["calls"]]


INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


async def test_handlers_see_the_key_and_a_memory_of_ones_own_is_asked(played: PlayedServer) -> None:
    """[DPR-05]"""
    asked: list[tuple[str, int, float]] = []

    class Memory:
        def __len__(self) -> int:
            return 0

        async def use_once(self, proof_id: str, expires_at: int, now: float) -> bool:
            asked.append((proof_id, expires_at, now))
            return len(asked) == 1

    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"]["auth"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    case = request_named("a proof works once")
    played.says(**case["token"])
    async with ask(app, **played.options(resource=RESOURCE, proof_memory=Memory())) as http:
        statuses = [(await http.post("/mcp", headers=headers_of(call))).status_code for call in (case["calls"][0], case["calls"][2])]

    assert statuses == [200, 401]
    assert [len(asked[0][0]), *asked[0][1:]] == [43, START_OF_TIME + 301, START_OF_TIME]
    assert seen[0].jkt == case["token"]["cnf"]["jkt"]


async def test_the_memory_forgets_what_has_ended_and_refuses_when_it_is_full() -> None:
    """[DPR-05]"""
    memory = InProcessMemory(2)

    assert [await memory.use_once("a", 100, 0), await memory.use_once("a", 100, 99), await memory.use_once("b", 200, 0)] == [
        True,
        False,
        True,
    ]
    assert await memory.use_once("c", 300, 50) is False
    assert await memory.use_once("c", 300, 100) is True
    assert await memory.use_once("a", 400, 101) is False
    assert await memory.use_once("a", 400, 200) is True


async def test_the_document_says_what_is_accepted(played: PlayedServer) -> None:
    """[PRM-11]"""
    documents = []
    for required in (False, True):
        async with ask(**played.options(resource=RESOURCE, dpop_required=required)) as http:
            documents.append((await http.get("/.well-known/oauth-protected-resource/mcp")).json())

    assert "ES256" in documents[0]["dpop_signing_alg_values_supported"]
    assert [one.get("dpop_bound_access_tokens_required") for one in documents] == [None, True]


def test_options_are_checked() -> None:
    options: dict[str, Any] = {"server_id": "srv_abc123", "api_key": "sk_a_b", "auth_server": "https://auth.example.com"}
    with pytest.raises(ValueError, match='"dpop_nonce_secret" must be') as caught:
        AuthAgentClient(**options, dpop_nonce_secret="too short a secret")
    assert "too short" not in str(caught.value)
    assert "nonce secret" not in repr(AuthAgentClient(**options, dpop_nonce_secret="a nonce secret of thirty-two chars").settings)

    agent: dict[str, Any] = {"client_id": "a", "client_secret": "b", "issuer": "https://auth.example.com"}
    AgentTokens(**agent, dpop=ec.generate_private_key(ec.SECP256R1()))
    unfit: list[Any] = [ec.generate_private_key(ec.SECP384R1()), "key", None]
    for wrong in unfit:
        with pytest.raises(ValueError, match='"dpop" must be'):
            AgentTokens(**agent, dpop=wrong)


@cases("agent-dpop")
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_agent(case: Case, library: Any) -> None:
    """Everything the agent sends is checked as a server would."""
    asked: list[Any] = []
    sent: list[Any] = []
    token_answers, answers = list(case["token_endpoint"]), list(case["server"])

    def token_endpoint(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = token_answers.pop(0)
        return httpx.Response(answer["status"], headers=answer.get("headers"), json=answer["body"])

    def api(request: Any) -> Any:
        # Repeated, it is the same object with other headers.
        sent.append(SimpleNamespace(headers=dict(request.headers)))
        answer = answers.pop(0)
        return library.Response(answer["status"], headers=answer.get("headers"))

    agent = AgentTokens(
        client_id="agent",
        client_secret="secret",
        token_endpoint="https://auth.example.com/token",
        dpop=True,
        transport=httpx.MockTransport(token_endpoint),
        now=lambda: START_OF_TIME,
    )
    auth: Any = agent if library is httpx else AgentAuth(agent)
    statuses: list[int] = []
    failure = None
    async with agent, library.AsyncClient(auth=auth, transport=library.MockTransport(api)) as http:
        for _ in range(case["calls"]):
            try:
                statuses.append((await http.post("https://tasks.example.com/mcp?session=1", content=b"x")).status_code)
            except (AuthServerUnavailable, TokenRequestRefused) as error:
                failure = "unavailable" if isinstance(error, AuthServerUnavailable) else "refused"

    assert (failure or statuses) == case["expect"]
    assert [claims_of(request, "https://auth.example.com/token").get("nonce") for request in asked] == case["token_nonces"]
    assert [claims_of(request, "https://tasks.example.com/mcp").get("nonce") for request in sent] == case["server_nonces"]
    proofs = [request.headers["dpop"] for request in [*asked, *sent]]
    assert len({claims["jti"] for claims in map(payload_of, proofs)}) == len(proofs)
    assert len({json.dumps(header_of(proof)["jwk"]) for proof in proofs}) == 1


def claims_of(request: Any, url: str) -> Case:
    """The claims of a proof that is good for its request."""
    proof = request.headers["dpop"]
    claims = payload_of(proof)
    assert (claims["htm"], claims["htu"], claims["iat"]) == ("POST", url, START_OF_TIME)
    scheme, _, token = request.headers["authorization"].partition(" ")
    if scheme == "DPoP":
        hashed = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        judge_proof(proof, ProvenRequest("POST", url, hashed, thumbprint(header_of(proof)["jwk"]), START_OF_TIME))
    else:
        assert "ath" not in claims
    return claims


def header_of(proof: str) -> Case:
    return part_of(proof, 0)


def payload_of(proof: str) -> Case:
    return part_of(proof, 1)


def part_of(proof: str, index: int) -> Case:
    part = proof.split(".")[index]
    content: Case = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content
