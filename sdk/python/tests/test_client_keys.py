"""Clients that say who they are with a key: the shared vectors, and what is no vector."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from stage import START_OF_TIME, PlayedServer, Reply, vectors
from test_vectors import Case, cases

from auth_agent_mcp import AgentTokens, TokenExchange, TokenRequestRefused

pytestmark = pytest.mark.anyio

ISSUER = "https://auth.example.com"
KEY: dict[str, Any] = vectors("client-keys")["cases"][0]["key"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = assertion.split(".")
    return json.loads(decoded(header)), json.loads(decoded(claims))


def number(jwk: dict[str, str], name: str) -> int:
    return int.from_bytes(decoded(jwk[name]), "big")


def verify(assertion: str, jwk: dict[str, str]) -> None:
    """With the public half. Raises InvalidSignature."""
    content, _, signature = assertion.rpartition(".")
    raw = decoded(signature)
    if jwk["kty"] == "EC":
        point = ec.EllipticCurvePublicNumbers(number(jwk, "x"), number(jwk, "y"), ec.SECP256R1())
        pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        point.public_key().verify(pair, content.encode(), ec.ECDSA(hashes.SHA256()))
    elif jwk["kty"] == "OKP":
        ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify(raw, content.encode())
    else:
        public = rsa.RSAPublicNumbers(number(jwk, "e"), number(jwk, "n")).public_key()
        public.verify(raw, content.encode(), padding.PKCS1v15(), hashes.SHA256())


def playing(played: PlayedServer) -> list[str]:
    """Discovery and a token endpoint; the assertions that come in."""
    came: list[str] = []

    def reply(request: Any) -> Reply:
        if request.path.startswith("/.well-known/"):
            return Reply({"issuer": played.url, "token_endpoint": f"{played.url}/token"})
        came.append(request.form["client_assertion"])
        return Reply({"access_token": f"t{len(came)}", "token_type": "Bearer", "expires_in": 60})

    played.reply = reply
    return came


def agent(key: Any, issuer: str = ISSUER, **more: Any) -> AgentTokens:
    return AgentTokens(issuer=issuer, client_id="nightly", client_key=key, now=lambda: START_OF_TIME + 0.9, **more)


@cases("client-keys")
async def test_client_keys(case: Case, played: PlayedServer) -> None:
    given = {"client_key_id": case["key_id"]} if "key_id" in case else {}
    if "wrong_use" in case:
        with pytest.raises(ValueError, match=f'"{case["wrong_use"]}"') as caught:
            agent(case["key"], **given)
        key = case["key"]
        hidden = key.strip() if isinstance(key, str) else key.get("d", "") if isinstance(key, dict) else ""
        assert not hidden or hidden not in str(caught.value)
        return
    came = playing(played)
    async with agent(case["key"], played.url, **given) as tokens:
        await tokens.token(refused=await tokens.token())

    first, second = came
    header, claims = parts(first)
    assert header == {"typ": "client-authentication+jwt", "alg": case["alg"], **({"kid": case["kid"]} if "kid" in case else {})}
    jti = claims.pop("jti")
    assert claims == {"iss": "nightly", "sub": "nightly", "aud": played.url, "iat": START_OF_TIME, "exp": START_OF_TIME + 60}
    assert len(jti) >= 22
    assert parts(second)[1]["jti"] != jti
    verify(first, case["public"])
    asked = next(one for one in played.received if one.path == "/token")
    assert "authorization" not in asked.headers
    assert (asked.form["client_id"], asked.form["client_assertion_type"]) == ("nightly", ASSERTION_TYPE)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        (rsa.generate_private_key(65537, 2048), "RS256"),
    ],
    ids=["ES256", "EdDSA", "RS256"],
)
async def test_keys_of_cryptography(key: Any, algorithm: str, played: PlayedServer) -> None:
    """[CA-06]"""
    came = playing(played)
    async with agent(key, played.url, client_key_id="key-1") as tokens:
        await tokens.token()

    assert parts(came[0])[0] == {"typ": "client-authentication+jwt", "alg": algorithm, "kid": "key-1"}


def test_keys_that_cannot_sign_or_not_well_are_told_at_start() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    for key in (weak, weak.public_key(), ec.generate_private_key(ec.SECP384R1()), x25519.X25519PrivateKey.generate(), {}, object()):
        with pytest.raises(ValueError, match='"client_key"'):
            agent(key)


async def test_a_request_that_is_repeated_with_a_nonce_has_an_assertion_of_its_own(played: PlayedServer) -> None:
    """[CA-06]"""
    came = playing(played)
    answered = played.reply

    def reply(request: Any) -> Reply:
        answer = answered(request)
        if request.path != "/token":
            return answer
        if len(came) == 1:
            return Reply({"error": "use_dpop_nonce"}, status=400, headers={"DPoP-Nonce": "n1"})
        return Reply({"access_token": "t1", "token_type": "DPoP"})

    played.reply = reply
    async with agent(KEY, played.url, dpop=True) as tokens:
        await tokens.token()

    assert len({parts(one)[1]["jti"] for one in came}) == 2


async def test_neither_an_agent_nor_a_refusal_shows_the_assertion_even_if_the_server_says_it(played: PlayedServer) -> None:
    came = playing(played)
    answered = played.reply

    def reply(request: Any) -> Reply:
        answer = answered(request)
        if request.path != "/token":
            return answer
        return Reply({"error": "invalid_client", "error_description": f"bad: {came[-1]}"}, status=401)

    played.reply = reply
    async with agent(KEY, played.url) as tokens:
        with pytest.raises(TokenRequestRefused, match=r"bad: \*{8}") as caught:
            await tokens.token()

    shown = f"{caught.value!r} {tokens!r} {vars(tokens)}"
    assert came[0] not in shown
    assert KEY["d"] not in shown


@pytest.mark.parametrize("make", [AgentTokens, TokenExchange])
def test_a_client_has_one_way_to_say_who_it_is_and_a_key_needs_an_issuer(make: Any) -> None:
    with pytest.raises(ValueError, match='either "client_secret" or "client_key" must be given'):
        make(issuer=ISSUER, client_id="c")
    with pytest.raises(ValueError, match="not both"):
        make(issuer=ISSUER, client_id="c", client_secret="s", client_key=KEY)
    with pytest.raises(ValueError, match='"client_key" needs "issuer"'):
        make(token_endpoint=f"{ISSUER}/token", client_id="c", client_key=KEY)
