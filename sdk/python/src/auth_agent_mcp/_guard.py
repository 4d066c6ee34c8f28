"""The guard of one MCP server: decides for each request whether it is answered here or may pass, and with whom.

Free of ASGI; _asgi.py converts. The order of checks is the order of lines in ``_admit``; OPTIONS, metadata and
``public_paths`` are all that passes without a token (RS-18).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ._challenge import Answer, ChallengeContext, answer_for, json_answer
from ._client import AuthAgentClient
from ._credentials import carries_access_token, read_credentials
from ._metadata import metadata_answer
from ._metadata_url import is_metadata_target
from ._origin import cors_headers, is_allowed_origin, options_answer, origin_refused
from ._report import Call, action_of, may_hold_action
from ._resource import origin_of
from ._scope import ScopeRequirement, challenge_scopes, satisfies
from ._session import SessionOwners, session_ambiguous, session_refused
from ._sign_in import check_sign_in
from ._stream_watch import access_ended
from ._tool_call import MAX_BODY_BYTES, Body, mirror_refused
from ._verify import AuthContext
from .errors import AuthAgentError, AuthenticationError, AuthorizationError

_FORM = re.compile(r"application/x-www-form-urlencoded\s*(;|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Inbound:
    """What the guard needs to know of a request."""

    method: str
    target: str
    """Path and query exactly as received, never decoded."""
    path: str
    """The decoded path that the application will route by."""
    headers: Mapping[str, str]
    """Lower-case names; several of one name joined by a comma."""
    session_ids: Sequence[str]
    """The value of each Mcp-Session-Id line."""
    peek_body: Callable[[], Awaitable[bytes | None]]
    """The body without taking it from the application; None when it is longer than MAX_BODY_BYTES."""


@dataclass(frozen=True)
class Admission:
    """The request may pass. ``auth`` is None on a public path. ``headers`` go on the answer."""

    auth: AuthContext | None
    headers: Mapping[str, str]
    call: Call | None = None
    """What was called, for a check further in that refuses it."""
    opens_session: bool = False
    """Whether an Mcp-Session-Id on the answer is a session of this caller's."""
    access_ended: Callable[[], Coroutine[Any, Any, None]] | None = field(default=None, repr=False)
    """Returns when the access has ended; for an event stream that stays open meanwhile. None on a public path."""


class Guard:
    """Raises ValueError when made with wrong options."""

    def __init__(self, client: AuthAgentClient) -> None:
        self.client = client
        self.settings = client.settings
        self.challenge = ChallengeContext(
            realm=self.settings.server_id,
            resource_metadata=client.resource_metadata_url,
            scopes=challenge_scopes([self.settings.required_scopes], self.settings.closure),
            dpop_required=self.settings.dpop_required,
        )
        self.sessions = SessionOwners()

    async def admit(self, inbound: Inbound) -> Admission | Answer:
        """Admits a request or answers it. Never raises because of what a caller or the authorization server did."""
        try:
            return await self._admit(inbound)
        except AuthAgentError as error:
            headers = cors_headers(inbound.headers.get("origin"), self.settings)
            return _with_headers(self.answer_error(error), headers)

    def answer_error(self, error: AuthAgentError) -> Answer:
        """The answer to an error of this library."""
        return answer_for(error, self.challenge)

    def check_scopes(self, auth: AuthContext, *requirements: ScopeRequirement) -> None:
        """Raises the one AuthorizationError that names every scope of the operation (RS-13)."""
        needed = [self.settings.required_scopes, *requirements]
        if not all(satisfies(auth.scopes, one, self.settings.closure) for one in needed):
            raise AuthorizationError(challenge_scopes(needed, self.settings.closure))

    async def _admit(self, inbound: Inbound) -> Admission | Answer:
        if is_metadata_target(inbound.target):
            return await metadata_answer(inbound.method, inbound.target, self.client)
        origin = inbound.headers.get("origin")
        if origin is not None and not await self._may_call(origin):
            return origin_refused()
        headers = cors_headers(origin, self.settings)
        if inbound.method == "OPTIONS":
            return _with_headers(options_answer(origin), headers)
        if self._is_public(inbound):
            return Admission(None, headers)
        auth, token, nonce = await self._authenticate(inbound)
        check_sign_in(auth.claims, self.settings.sign_in, self.settings.now(), bound=auth.jkt is not None)
        refusal, call = await self._check_call(inbound, auth, token)
        if refusal is not None:
            return _with_headers(refusal, headers)
        if len(inbound.session_ids) > 1:
            return _with_headers(session_ambiguous(), headers)
        session_id = next(iter(inbound.session_ids), None)
        if session_id is not None and not self.sessions.may_use(session_id, auth):
            return _with_headers(session_refused(), headers)
        if call is not None:
            self.client.reporter.allowed(call)
        # Only a request without a session can open one; an id that a handler merely echoes must not change hands.
        announced = headers if nonce is None else {**headers, "DPoP-Nonce": nonce}
        ended = functools.partial(access_ended, self.client, token, auth.expires_at)
        return Admission(auth, announced, call, opens_session=session_id is None, access_ended=ended)

    def _is_public(self, inbound: Inbound) -> bool:
        """The application routes by the decoded path, so both must be the public one: what differs is a trick (RS-18)."""
        raw = inbound.target.partition("?")[0]
        return raw in self.settings.public_paths and inbound.path == raw

    async def _may_call(self, origin: str) -> bool:
        return is_allowed_origin(origin, self.settings) or origin == origin_of(await self.client.resource())

    async def _authenticate(self, inbound: Inbound) -> tuple[AuthContext, str, str | None]:
        """Who calls, with which token, and a nonce to announce for proofs to come."""
        path, _, query = inbound.target.partition("?")
        presented = read_credentials(inbound.headers.get("authorization"), carries_access_token(query))
        if presented.scheme == "Bearer":
            return await self.client.validate_token(presented.token), presented.token, None
        proof = inbound.headers.get("dpop")
        auth, nonce = await self.client.validate_bound_token(presented.token, proof=proof, method=inbound.method, target=path)
        return auth, presented.token, nonce

    def note_refusal(self, auth: AuthContext, call: Call | None, error: AuthAgentError, *, instead: bool = False) -> None:
        """Reports a call that lacked a scope. ``instead``: it was let in, and something further in said no."""
        if call is not None and isinstance(error, AuthorizationError):
            missing = [scope for scope in error.scopes if not satisfies(auth.scopes, (scope,), self.settings.closure)]
            self.client.reporter.refused(call, missing, instead=instead)

    async def _check_call(self, inbound: Inbound, auth: AuthContext, token: str) -> tuple[Answer | None, Call | None]:
        """What the body says about the call, before anything is dispatched."""
        form = _FORM.match(inbound.headers.get("content-type", "")) is not None
        decides = inbound.method not in ("GET", "HEAD") and (form or bool(self.settings.tool_scopes))
        reports = self.client.reporter.on
        reads = decides or (reports and may_hold_action(inbound.method, inbound.headers))
        content = await inbound.peek_body() if reads else b""
        if content is None:
            said = f"The body is larger than {MAX_BODY_BYTES >> 20} MiB"
            return json_answer(413, {"error": "content_too_large", "error_description": said}), None
        if form and carries_access_token(content.decode(errors="replace")):
            raise AuthenticationError("invalid_request", "two_credentials")
        call = Call(token, action_of(inbound.method, content if reads and not form else None)) if reports else None
        try:
            if not decides:
                self.check_scopes(auth)
            return (self._check_tools(inbound, auth, Body(content)) if decides else None), call
        except AuthorizationError as error:
            self.note_refusal(auth, call, error)
            raise

    def _check_tools(self, inbound: Inbound, auth: AuthContext, body: Body) -> Answer | None:
        """All scopes of the operation are checked at once, so that one challenge names them all (RS-13)."""
        self.check_scopes(auth, *body.requirements(self.settings.tool_scopes))
        method, name = inbound.headers.get("mcp-method"), inbound.headers.get("mcp-name")
        contradicted = bool(self.settings.tool_scopes) and body.contradicts(method=method, name=name)
        return mirror_refused() if contradicted else None


def _with_headers(answer: Answer, headers: Mapping[str, str]) -> Answer:
    return replace(answer, headers={**answer.headers, **headers})
