"""The HTTP face of errors: WWW-Authenticate, byte for byte as clients scan it, and the small JSON body.

RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1, RFC 9470 §3. Every value comes from configuration or is a constant; none from the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ._dpop_proof import PROOF_ALGORITHMS
from .errors import AuthAgentError, AuthenticationError, AuthorizationError, AuthServerUnavailable

_Parameter = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """An answer as plain data."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class ChallengeContext:
    """What every challenge of one MCP server says."""

    realm: str
    resource_metadata: str
    scopes: tuple[str, ...] = field(default=())
    """The scopes to ask for when signing in: the least useful set (RS-12)."""
    dpop_required: bool = False
    """Whether tokens bound to a key are the only ones accepted: then every challenge is of DPoP."""


def answer_for(error: AuthAgentError, context: ChallengeContext) -> Answer:
    """The whole answer for an error: status, challenge or Retry-After, JSON body, never cached."""
    body = {"error": error.code, "error_description": error.text}
    headers: dict[str, str] = {}
    challenge = _challenge_for(error, context)
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, AuthorizationError):
        body["scope"] = " ".join(error.scopes)
    if isinstance(error, AuthenticationError) and error.nonce is not None:
        headers["DPoP-Nonce"] = error.nonce
    if isinstance(error, AuthServerUnavailable):
        headers["Retry-After"] = str(error.retry_after)
    return json_answer(error.status, body, headers)


def json_answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer that no cache keeps."""
    content = json.dumps(body, separators=(",", ":")).encode()
    return Answer(status, {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}, content)


def complete_challenge(value: str, context: ChallengeContext) -> str:
    """Adds ``resource_metadata`` to a Bearer challenge of the application's own that lacks it (PRM-06)."""
    if value[:7].lower() != "bearer " or re.search(r"\bresource_metadata\s*=", value, re.IGNORECASE):
        return value
    return f"{value.rstrip().rstrip(',')}, {_quoted('resource_metadata', context.resource_metadata)}"


def _challenge_for(error: AuthAgentError, context: ChallengeContext) -> str | None:
    metadata = ("resource_metadata", context.resource_metadata)
    main = _dpop if context.dpop_required else _bearer
    if isinstance(error, AuthorizationError):
        return main([("error", error.code), ("scope", " ".join(error.scopes)), metadata])
    if not isinstance(error, AuthenticationError):
        return None
    explained = [("error", error.code), ("error_description", error.text)]
    if error.code == "invalid_request":
        return main([*explained, metadata])
    where = [("realm", context.realm), metadata, ("scope", " ".join(context.scopes))]
    # RFC 6750 §3.1: a request without any credentials gets no error code.
    if error.code == "missing_token":
        return main(where)
    # The error stands under the scheme that was used.
    if error.scheme == "DPoP" and not context.dpop_required:
        return f"{_bearer(where)}, {_dpop([*explained, *_step_up(error)])}"
    return main([*where, *explained, *_step_up(error)])


def _step_up(error: AuthenticationError) -> list[_Parameter]:
    max_age = "" if error.max_age is None else str(error.max_age)
    return [("acr_values", " ".join(error.acr_values)), ("max_age", max_age)]


def _bearer(parameters: Iterable[_Parameter]) -> str:
    return _scheme("Bearer", parameters)


def _dpop(parameters: Iterable[_Parameter]) -> str:
    """RFC 9449 §7.1: ``algs`` are the algorithms of proofs that are accepted."""
    return _scheme("DPoP", [*parameters, ("algs", " ".join(PROOF_ALGORITHMS))])


def _scheme(scheme: str, parameters: Iterable[_Parameter]) -> str:
    return f"{scheme} " + ", ".join(_quoted(name, value) for name, value in parameters if value)


def _quoted(name: str, value: str) -> str:
    """RS-14: a quoted-string of printable ASCII (RFC 9110 §5.6.4). Configuration is checked at start; handlers are not."""
    escaped = re.sub(r"[^\x20-\x7E]", "", value).replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
