"""Every option, its default and its check.

Options are checked and frozen when a client or middleware is made: misuse is a ValueError at start, naming the option and
the rule, never a surprise on the first request.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

import httpx

from ._environment import find_auth_server
from ._hints import Hints, Log
from ._proof_memory import InProcessMemory, ProofMemory
from ._resource import is_loopback, origin_of, resource_problem
from ._scope import AnyOf, ScopeClosure, ScopeHierarchy, ScopeRequirement, close_hierarchy, is_scope_token
from ._sign_in import SignInDemand
from ._token_cache import MAX_CACHE_SECONDS

if TYPE_CHECKING:
    from typing_extensions import NotRequired

_MAX_TIMEOUT = 5.0
_KEY_RULE = "must be the key_secret shown once when the key was made, sk_<id>_<secret>"


class AuthAgentOptions(TypedDict):
    """What ``AuthAgentMiddleware``, ``AuthAgentClient`` and the verifiers take, as keyword arguments."""

    server_id: str
    """``srv_…``, as registered with the authorization server."""
    api_key: NotRequired[str | None]
    """``key_secret`` of an API key: ``sk_<id>_<secret>``. Needed unless ``verify`` is ``"local"``."""
    auth_server: NotRequired[str | None]
    """The issuer, compared byte for byte with ``iss``. Default ``AUTH_AGENT_URL``; in development http://localhost:9000."""
    required_scopes: NotRequired[Sequence[str]]
    """Scopes without which no request enters. Default none. Never ``offline_access``."""
    public_paths: NotRequired[Sequence[str]]
    """Exact paths that anybody may call, e.g. ``["/health"]``. There ``request.state.user`` does not exist."""
    resource: NotRequired[str | None]
    """The public URL of this MCP server exactly as people configure it. Default: what is registered for ``server_id``."""
    scope_hierarchy: NotRequired[ScopeHierarchy | None]
    """Scopes that include others, e.g. ``{"files:write": ["files:read"], "admin:all": ["*"]}``."""
    acr_values: NotRequired[Sequence[str] | None]
    """Levels of sign-in of which a token must have one, e.g. ``["aal1"]``; others get 401 (RFC 9470). Default: any."""
    max_age: NotRequired[int | None]
    """Seconds since the person signed in, at most; older sign-ins get the same 401. Default: any."""
    tool_scopes: NotRequired[Mapping[str, ScopeRequirement] | None]
    """What each MCP tool needs on top of ``required_scopes``; decided from the JSON-RPC body before your handler runs."""
    allowed_origins: NotRequired[Sequence[str] | Literal["*"]]
    """Browser origins that may call. Your own origin always may, loopback origins in development. ``"*"`` for all."""
    max_actors: NotRequired[int | None]
    """How many may act for the person, when an MCP server calls this one for the agent they connected: 2 is one server in between,
    0 lets agents call directly only. Default: as many as the authorization server allows."""
    report: NotRequired[bool]
    """Tells the authorization server the names of the actions of agents and whether they were allowed, so that people see what their
    agents do; never arguments, paths or bodies. Default True; False tells nothing."""
    shared_host: NotRequired[bool]
    """True when other MCP servers live on the same host: the root metadata document is then 404 (RFC 9728 §3.1)."""
    dpop_required: NotRequired[bool]
    """Accept only tokens that are bound to a key of the client and come with its proof (DPoP). Default: those, and Bearer tokens."""
    dpop_nonce_secret: NotRequired[str | None]
    """Demands that proofs carry a nonce, made from this secret of 32 or more characters, which all processes share."""
    proof_memory: NotRequired[ProofMemory | None]
    """Remembers used proofs; default in memory, which several processes do not share."""
    verify: NotRequired[Literal["introspection", "local"]]
    """``"local"`` verifies signatures with the published keys and asks nobody: revocation is felt only at ``exp``, and there is no
    e-mail. Default ``"introspection"``: the authorization server is asked about every token it has not just seen."""
    max_stale_keys: NotRequired[float]
    """In local verification: seconds for which known keys stay good while the authorization server is unreachable. Default 3600."""
    cache_ttl: NotRequired[float]
    """Seconds a good answer about a token is remembered: default 30, which is also the most; 0 for never."""
    max_cache_entries: NotRequired[int]
    """Most tokens remembered at once. Default 10 000."""
    timeout: NotRequired[float]
    """Seconds to wait for the authorization server: default 5, which is also the most."""
    transport: NotRequired[httpx.AsyncBaseTransport | None]
    """Replaces the network, e.g. to go through a proxy."""
    now: NotRequired[Callable[[], float]]
    """The clock, in epoch seconds."""
    log: NotRequired[Log]
    """Receives hints about a wrong setup. Default: the logger ``auth_agent_mcp``."""


@dataclass(frozen=True)
class Settings:
    """The checked options with every default filled in. The key is in no ``repr``."""

    server_id: str
    api_key: str | None = field(repr=False)
    issuer: str
    resource: str | None
    required_scopes: tuple[str, ...]
    public_paths: frozenset[str]
    closure: ScopeClosure
    tool_scopes: Mapping[str, ScopeRequirement]
    sign_in: SignInDemand
    allowed_origins: frozenset[str] | Literal["*"]
    loopback_origins: bool
    max_actors: float
    report: bool
    shared_host: bool
    dpop_required: bool
    dpop_nonce_secret: str | None = field(repr=False)
    proof_memory: ProofMemory
    verify: Literal["introspection", "local"]
    max_stale_keys: float
    cache_ttl: float
    max_cache_entries: int
    timeout: float
    transport: httpx.AsyncBaseTransport | None
    now: Callable[[], float]
    hint: Hints


def check_options(
    *,
    server_id: str,
    api_key: str | None = None,
    auth_server: str | None = None,
    required_scopes: Sequence[str] = (),
    public_paths: Sequence[str] = (),
    resource: str | None = None,
    scope_hierarchy: ScopeHierarchy | None = None,
    tool_scopes: Mapping[str, ScopeRequirement] | None = None,
    acr_values: Sequence[str] | None = None,
    max_age: int | None = None,
    allowed_origins: Sequence[str] | Literal["*"] = (),
    max_actors: int | None = None,
    report: bool = True,
    shared_host: bool = False,
    dpop_required: bool = False,
    dpop_nonce_secret: str | None = None,
    proof_memory: ProofMemory | None = None,
    verify: Literal["introspection", "local"] = "introspection",
    max_stale_keys: float = 3600,
    cache_ttl: float = MAX_CACHE_SECONDS,
    max_cache_entries: int = 10_000,
    timeout: float = _MAX_TIMEOUT,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Callable[[], float] = time.time,
    log: Log | None = None,
) -> Settings:
    """Checks and freezes options. Raises ValueError naming the option and the rule it breaks."""
    issuer = _check_issuer(find_auth_server(auth_server))
    return Settings(
        server_id=_matching("server_id", server_id, r"srv_[A-Za-z0-9_-]+", "must be the id of a registered server, srv_…"),
        api_key=_check_key(api_key, optional=verify == "local"),
        issuer=issuer,
        resource=_check_resource(resource),
        required_scopes=_check_scopes("required_scopes", required_scopes),
        public_paths=_check_paths(public_paths),
        closure=close_hierarchy(_check_hierarchy(scope_hierarchy or {})),
        tool_scopes={tool: check_requirement(f"tool_scopes[{tool!r}]", one) for tool, one in (tool_scopes or {}).items()},
        sign_in=_check_demand(acr_values, max_age),
        allowed_origins=_check_origins(allowed_origins),
        loopback_origins=is_loopback(issuer) or (resource is not None and is_loopback(resource)),
        max_actors=math.inf if max_actors is None else check_number("max_actors", max_actors, 0),
        report=_flag("report", report),
        shared_host=_flag("shared_host", shared_host),
        dpop_required=_flag("dpop_required", dpop_required),
        dpop_nonce_secret=_check_nonce_secret(dpop_nonce_secret),
        proof_memory=InProcessMemory() if proof_memory is None else proof_memory,
        verify=_check_verify(verify),
        max_stale_keys=check_number("max_stale_keys", max_stale_keys, 0),
        cache_ttl=min(check_number("cache_ttl", cache_ttl, 0), MAX_CACHE_SECONDS),
        max_cache_entries=int(check_number("max_cache_entries", max_cache_entries, 0)),
        timeout=check_timeout(timeout),
        transport=transport,
        now=now,
        hint=Hints(log or logging.getLogger("auth_agent_mcp").error, now),
    )


def check_requirement(option: str, requirement: ScopeRequirement) -> ScopeRequirement:
    """Checks one requirement of scopes, as ``require_scopes`` and ``tool_scopes`` take it."""
    scopes = _check_scopes(option, requirement.scopes if isinstance(requirement, AnyOf) else requirement)
    if not scopes:
        raise ValueError(f'"{option}" must name at least one scope')
    return requirement if isinstance(requirement, AnyOf) else scopes


def check_timeout(value: float) -> float:
    """Seconds above 0, at most 5."""
    return min(check_number("timeout", value, 0.001), _MAX_TIMEOUT)


def check_number(option: str, value: float, least: float) -> float:
    """A finite number of at least ``least``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < least:
        raise ValueError(f'"{option}" must be a number of at least {least}')
    return value


def _check_key(value: str | None, *, optional: bool) -> str | None:
    """The value itself never appears in a message."""
    return None if optional and value is None else _matching("api_key", value, r"sk_[A-Za-z0-9_-]+", _KEY_RULE)


def _check_verify(value: Literal["introspection", "local"]) -> Literal["introspection", "local"]:
    if value not in ("introspection", "local"):
        raise ValueError('"verify" must be one of introspection, local')
    return value


def _check_issuer(value: str) -> str:
    problem = resource_problem(value) or ("must not have a query" if "?" in value else None)
    if problem:
        raise ValueError(f'"auth_server" (or AUTH_AGENT_URL) {problem}')
    # Issuers never end with a slash (RFC 8414 §2 as our server reads it), addresses copied from a browser do.
    return value.removesuffix("/")


def _check_resource(value: str | None) -> str | None:
    problem = None if value is None else resource_problem(value)
    if problem:
        raise ValueError(f'"resource" {problem}')
    return value


def _check_demand(acr_values: Sequence[str] | None, max_age: int | None) -> SignInDemand:
    # A level goes into a quoted list separated by spaces (RFC 9470 §3), so it has the alphabet of scopes.
    levels = () if acr_values is None else tuple(acr_values)
    if isinstance(acr_values, str) or not all(map(is_scope_token, levels)) or (acr_values is not None and not levels):
        raise ValueError('"acr_values" must be a list of at least one level, such as aal1')
    if max_age is not None and (isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0):
        raise ValueError('"max_age" must be a whole number of seconds')
    return SignInDemand(levels, max_age)


def _check_nonce_secret(value: str | None) -> str | None:
    """The value itself never appears in a message."""
    if value is not None and (not isinstance(value, str) or len(value) < 32):
        raise ValueError('"dpop_nonce_secret" must be 32 or more random characters')
    return value


def _check_scopes(option: str, scopes: Iterable[str]) -> tuple[str, ...]:
    # A string is a sequence of letters, each of them a valid scope.
    listed = None if isinstance(scopes, str) or not isinstance(scopes, Iterable) else tuple(scopes)
    if listed is None or not all(is_scope_token(scope) for scope in listed):
        raise ValueError(f'"{option}" must be a list of scopes (RFC 6749 §3.3)')
    # RS-12: asking for refresh is the client's decision; a server cannot need it.
    if "offline_access" in listed:
        raise ValueError(f'"{option}" must not contain offline_access')
    return listed


def _check_hierarchy(hierarchy: ScopeHierarchy) -> ScopeHierarchy:
    checked = {}
    for scope, included in hierarchy.items():
        option = f"scope_hierarchy[{scope!r}]"
        _check_scopes(option, (scope,))
        checked[scope] = _check_scopes(option, included)
    return checked


def _check_origins(origins: Sequence[str] | Literal["*"]) -> frozenset[str] | Literal["*"]:
    if origins == "*":
        return "*"
    wrong = "it" if isinstance(origins, str) else next((one for one in origins if origin_of(one) != one), None)
    if wrong is not None:
        raise ValueError(f'"allowed_origins" must be "*" or a list of origins like https://app.example.com; {wrong!r} is not')
    return frozenset(origins)


def _check_paths(paths: Sequence[str]) -> frozenset[str]:
    if isinstance(paths, str) or not all(isinstance(path, str) and re.fullmatch(r"/[^\s?#*]*", path) for path in paths):
        raise ValueError('"public_paths" must be a list of exact paths like /health')
    return frozenset(paths)


def _flag(option: str, value: bool) -> bool:
    """``"true"`` from an environment variable would else be no."""
    if not isinstance(value, bool):
        raise ValueError(f'"{option}" must be True or False')
    return value


def _matching(option: str, value: object, pattern: str, rule: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f'"{option}" {rule}')
    return value
