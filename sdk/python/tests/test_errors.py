"""Errors have the codes, statuses and texts of the TypeScript SDK."""

from __future__ import annotations

import re

from stage import ROOT

import auth_agent_mcp
from auth_agent_mcp import ActorRefused, AuthAgentError, AuthenticationError, AuthorizationError, AuthServerUnavailable
from auth_agent_mcp.errors import _TEXTS


def test_codes_and_texts_are_those_of_the_typescript_sdk() -> None:
    source = (ROOT / "sdk/typescript/src/errors.ts").read_text()
    texts = dict(re.findall(r"^  (\w+): '([^']*)',$", source, re.MULTILINE))

    assert texts == dict(_TEXTS)
    for error in (AuthorizationError(["a"]), ActorRefused(), AuthServerUnavailable("x")):
        assert f"'{error.code}', {error.status}, " in source
        assert f"'{error}'" in source


def test_an_outage_says_where_to_whoever_reads_logs_and_to_nobody_else() -> None:
    error = AuthServerUnavailable("status_404", detail='"https://auth.example.com/token" answered 404')

    assert str(error) == 'The authorization server cannot be reached: "https://auth.example.com/token" answered 404'
    assert error.text == str(AuthServerUnavailable("x")) == "The authorization server cannot be reached"


def test_every_error_has_a_stable_code_and_a_status() -> None:
    statuses = {code: AuthenticationError(code).status for code in _TEXTS}

    assert statuses.pop("invalid_request") == 400
    assert set(statuses.values()) == {401}
    assert (AuthorizationError(["a"]).status, AuthServerUnavailable("x").status) == (403, 503)
    assert issubclass(AuthorizationError, AuthAgentError)


def test_every_public_name_is_there() -> None:
    assert all(hasattr(auth_agent_mcp, name) for name in auth_agent_mcp.__all__)
