"""Misuse is an error at start that names the option; both SDKs have the same options."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from stage import ROOT

from auth_agent_mcp import AuthAgentClient, AuthAgentMiddleware, AuthAgentOptions
from auth_agent_mcp._environment import find_auth_server
from auth_agent_mcp._jwks import COOLDOWN_SECONDS, FRESH_SECONDS
from auth_agent_mcp._jwt import TOKEN_ALGORITHMS
from auth_agent_mcp._options import check_options
from auth_agent_mcp._token_cache import MAX_CACHE_SECONDS
from auth_agent_mcp._verify import CLOCK_SKEW_SECONDS

GOOD: dict[str, Any] = {"server_id": "srv_a", "api_key": "sk_a_b", "auth_server": "https://auth.example.com"}


def test_the_server_is_named_by_the_argument_else_by_the_variable() -> None:
    assert find_auth_server("https://a.example", {"AUTH_AGENT_URL": "https://b.example"}) == "https://a.example"
    assert find_auth_server(None, {"AUTH_AGENT_URL": "https://b.example", "AUTH_AGENT_ENV": "development"}) == "https://b.example"


def test_in_development_and_only_there_a_local_server_is_assumed() -> None:
    for name in ("development", "test"):
        assert find_auth_server(None, {"AUTH_AGENT_ENV": name}) == "http://localhost:9000"
    for name in ("", "production", "Development", "dev"):
        with pytest.raises(ValueError, match="AUTH_AGENT_URL"):
            find_auth_server(None, {"AUTH_AGENT_ENV": name})


def test_the_snippet_of_the_documentation_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_AGENT_URL", raising=False)
    monkeypatch.setenv("AUTH_AGENT_ENV", "development")

    client = AuthAgentClient(server_id="srv_abc123", api_key="sk_xyz789", required_scopes=["files:read"])

    assert client.settings.issuer == "http://localhost:9000"


def test_limits_can_be_lowered_not_raised() -> None:
    assert (check_options(**GOOD, cache_ttl=5).cache_ttl, check_options(**GOOD, cache_ttl=600).cache_ttl) == (5, 30)
    assert (check_options(**GOOD, timeout=1).timeout, check_options(**GOOD, timeout=60).timeout) == (1, 5)


def test_an_address_copied_with_its_slash_is_the_same_issuer() -> None:
    assert check_options(**{**GOOD, "auth_server": "https://auth.example.com/"}).issuer == "https://auth.example.com"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("server_id", "abc"),
        ("server_id", None),
        ("server_id", "srv_a\n"),
        ("api_key", ""),
        ("api_key", None),
        ("api_key", "secret"),
        ("auth_server", "http://auth.example.com"),
        ("auth_server", "auth.example.com"),
        ("auth_server", "https://auth.example.com?x"),
        ("auth_server", "https://user@auth.example.com"),
        ("auth_server", "https://auth.example.com/../x"),
        ("auth_server", "https://auth.example.com:99999"),
        ("resource", "http://files.example.com/mcp"),
        ("resource", "https://files.example.com/mcp#x"),
        ("resource", "https://files.example.com/a/%2e%2e/b"),
        ("resource", "/mcp"),
        ("resource", ""),
        ("required_scopes", "files:read"),
        ("required_scopes", ["files read"]),
        ("required_scopes", ['files"read']),
        ("required_scopes", [7]),
        ("required_scopes", ["offline_access"]),
        ("scope_hierarchy", {"files:write": "files:read"}),
        ("scope_hierarchy", {"files write": []}),
        ("tool_scopes", {"write_file": []}),
        ("tool_scopes", {"write_file": "files:write"}),
        ("acr_values", "aal1"),
        ("acr_values", []),
        ("acr_values", ['a"b']),
        ("max_age", -1),
        ("max_age", 1.5),
        ("max_age", True),
        ("public_paths", "/health"),
        ("public_paths", ["health"]),
        ("public_paths", ["/api/*"]),
        ("allowed_origins", "https://app.example.com"),
        ("allowed_origins", ["https://app.example.com/"]),
        ("allowed_origins", ["null"]),
        ("dpop_required", "true"),
        ("dpop_required", 1),
        ("dpop_required", None),
        ("report", "false"),
        ("shared_host", "1"),
        ("cache_ttl", -1),
        ("cache_ttl", float("nan")),
        ("cache_ttl", "30"),
        ("max_cache_entries", -1),
        ("timeout", 0),
        ("verify", "signature"),
        ("verify", None),
        ("max_stale_keys", -1),
        ("max_stale_keys", float("inf")),
    ],
)
def test_misuse_names_the_option(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=option):
        check_options(**{**GOOD, option: value})


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="requried_scopes"):
        AuthAgentClient(**GOOD, requried_scopes=["files:read"])  # type: ignore[call-arg]


def test_a_wrong_key_is_not_repeated_in_the_message() -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        check_options(**{**GOOD, "api_key": "very secret"})
    assert "very secret" not in str(caught.value)


def test_a_middleware_is_checked_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="server_id"):
        AuthAgentMiddleware(lambda *_: None, **{**GOOD, "server_id": "x"})  # type: ignore[arg-type]


def test_the_options_are_those_of_the_typescript_sdk_in_snake_case() -> None:
    """[PY-08] `auth_server` is what the documents promise, and `fetch` is a transport here"""
    renamed = {"auth_server_url": "auth_server", "fetch": "transport"}
    source = typescript("options")
    interfaces = "".join(re.findall(r"interface \w+Options[^{]*\{(.*?)\n\}", source, re.DOTALL))
    theirs = {re.sub("[A-Z]", lambda one: f"_{one[0].lower()}", name) for name in re.findall(r"readonly (\w+)\??:", interfaces)}

    expected = {renamed.get(name, name) for name in theirs}

    assert expected == set(AuthAgentOptions.__annotations__) == set(inspect.signature(check_options).parameters)


def test_the_defaults_are_those_of_the_typescript_sdk() -> None:
    """[PY-08]"""
    source = typescript("options").replace("maxCacheSeconds", str(MAX_CACHE_SECONDS))
    settings = check_options(**GOOD)

    theirs = {name: float(value) for name, value in re.findall(r"options\.(\w+)(?: : undefined\))? \?\? ([\d_]+)", source)}

    assert theirs == {
        "cacheTtl": settings.cache_ttl,
        "maxCacheEntries": settings.max_cache_entries,
        "timeout": settings.timeout,
        "maxStaleKeys": settings.max_stale_keys,
    }
    assert f"options.verify ?? '{settings.verify}'" in source
    assert f"maxCacheSeconds = {MAX_CACHE_SECONDS};" in typescript("token-cache")


def test_what_cannot_be_configured_is_that_of_the_typescript_sdk() -> None:
    """[PY-08] [RS-07] algorithms, by how much clocks may differ, and when keys are fetched"""
    assert f"algorithms = {list(TOKEN_ALGORITHMS)};" in typescript("jwt")
    assert f"clockSkewSeconds = {CLOCK_SKEW_SECONDS};" in typescript("verify")
    assert f"freshSeconds = {FRESH_SECONDS};" in typescript("jwks")
    assert f"cooldownSeconds = {COOLDOWN_SECONDS};" in typescript("jwks")
    assert CLOCK_SKEW_SECONDS == 60
    assert {"RS256", "ES256", "EdDSA", "PS256"} <= set(TOKEN_ALGORITHMS)


def test_only_local_verification_needs_no_key() -> None:
    settings = check_options(server_id="srv_a", auth_server="https://auth.example.com", verify="local")

    assert (settings.api_key, settings.verify) == (None, "local")
    with pytest.raises(ValueError, match="api_key"):
        check_options(**{**GOOD, "verify": "local", "api_key": "secret"})


def typescript(name: str) -> str:
    """A source file of the TypeScript SDK."""
    return (ROOT / f"sdk/typescript/src/{name}.ts").read_text()
