"""Speaks with the endpoints of an authorization server as a client, and reads its metadata (RFC 8414).

Authenticates, proves the key that tokens are to be bound to, and tells a refusal from an outage (RFC 6749 §5.2). What authenticates
us goes to these endpoints and into nothing else. Not here: what is asked for, and when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ._authorization_server import Members, parse_loosely, parse_object, unusable
from ._client_authentication import Authenticate
from ._hints import quote_for_log
from ._http import Pool, ServerAnswer
from ._proof_key import ProofKey
from ._resource import origin_of, path_and_query, resource_problem
from .errors import AuthServerUnavailable, TokenRequestRefused

_NOT_APPROVED = "delegation_not_approved"


@dataclass(frozen=True)
class Asker:
    """Who asks, and through which connections."""

    pool: Pool
    authenticate: Authenticate
    proof_key: ProofKey | None
    now: Callable[[], float]

    async def post(self, url: str, fields: Mapping[str, str | None]) -> Members:
        """Posts a form as the client. The answer is the object of a 200; anything else raises."""
        answer, secrets = await self.post_form(url, fields)
        if answer.status != 200:
            raise refusal(answer, secrets, url)
        return parse_object(answer.body, url)

    async def post_form(self, url: str, fields: Mapping[str, str | None]) -> tuple[ServerAnswer, Sequence[str]]:
        """The same for who makes something of every answer; with it, what must get into no log.

        A proof is sent where tokens are to be bound; once more with the nonce that the server wants (RFC 9449 §8).
        """
        present = {name: value for name, value in fields.items() if value is not None}
        for repeated in (False, True):
            client = self.authenticate(self.now())
            proof = None if self.proof_key is None else self.proof_key.prove("POST", url, now=self.now())
            headers = {"Accept": "application/json", **client.headers, **({} if proof is None else {"DPoP": proof.value})}
            answer = await self.pool.send("POST", url, headers=headers, form={**present, **client.fields})
            error = parse_loosely(answer.body).get("error") if answer.status in (400, 401) else None
            if self.proof_key is None or proof is None or not self.proof_key.learn(url, proof, answer.headers, error) or repeated:
                break
        return answer, client.secrets


async def read_issuer_metadata(pool: Pool, wanted: str) -> Members:
    """What an issuer says about itself, where RFC 8414 puts it, else where OpenID Connect Discovery does.

    RFC 8414 §3.3: the ``issuer`` of the document must be identical to the one it was made from.
    """
    metadata = await _find_metadata(pool, wanted)
    if metadata.get("issuer") != wanted:
        called = quote_for_log(metadata.get("issuer"))
        raise TokenRequestRefused("wrong_issuer", f'"issuer" is {wanted}, but there it is called {called}')
    return metadata


async def _find_metadata(pool: Pool, issuer: str) -> Members:
    """The first document at one of its addresses. Without any, the first of them says why."""
    failures = []
    for address in _metadata_addresses(issuer):
        try:
            answer = await pool.send("GET", address, headers={"Accept": "application/json"})
            if answer.status == 200:
                return parse_object(answer.body, address)
            failures.append(_outage(answer, address))
        except AuthServerUnavailable as error:
            failures.append(error)
    raise failures[0]


def endpoint_in(metadata: Members, name: str) -> str:
    """An endpoint that the metadata names. Raises TokenRequestRefused for none, or one that is no place for credentials."""
    endpoint = metadata.get(name)
    if not isinstance(endpoint, str) or resource_problem(endpoint):
        raise TokenRequestRefused("wrong_metadata", f"it names no usable {name}")
    return endpoint


def _metadata_addresses(issuer: str) -> list[str]:
    """MCP authorization: the well-known parts go between host and path (RFC 8414 §3.1, §5), last that of OpenID Connect behind it."""
    origin, path = origin_of(issuer), path_and_query(issuer).removesuffix("/")
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    return list(dict.fromkeys([f"{origin}{oauth}{path}", f"{origin}{openid}{path}", f"{origin}{path}{openid}"]))


def refusal(answer: ServerAnswer, secrets: Sequence[str], url: str) -> AuthServerUnavailable | TokenRequestRefused:
    """400 and 401 with an OAuth error are a no; everything else is an outage."""
    members = parse_loosely(answer.body) if answer.status in (400, 401) else {}
    error, said = members.get("error"), members.get("error_description")
    if not isinstance(error, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", error):
        return _outage(answer, url)
    # RFC 8693 knows no code of its own for this one, and it is the one that a server can do something about.
    error = _NOT_APPROVED if members.get("code") == _NOT_APPROVED else error
    if not isinstance(said, str):
        return TokenRequestRefused(error)
    # Whatever a server says, what authenticates us gets into no log.
    for secret in secrets:
        said = said.replace(secret, "********")
    return TokenRequestRefused(error, quote_for_log(said))


def _outage(answer: ServerAnswer, url: str) -> AuthServerUnavailable:
    return unusable(f"status_{answer.status}", url, str(answer.status))
