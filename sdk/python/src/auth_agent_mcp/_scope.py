"""Whether scopes suffice, with hierarchies, and which scopes a challenge names (RFC 6749 §3.3, RFC 6750 §3.1; RS-11, RS-13).

Pure. Scopes are compared as whole strings; only the developer's own map makes one include another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ScopeHierarchy = Mapping[str, Sequence[str]]
"""``{"files:write": ["files:read"], "admin:all": ["*"]}``: a scope and those it includes. ``*`` is every scope. Transitive."""

ScopeClosure = Mapping[str, frozenset[str]]
"""What each scope includes, itself among it, closed over the hierarchy once at start."""

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


@dataclass(frozen=True)
class AnyOf:
    """At least one of these scopes. Put the least powerful first: it is the one a challenge asks for."""

    scopes: tuple[str, ...]

    def __init__(self, *scopes: str) -> None:
        object.__setattr__(self, "scopes", scopes)


ScopeRequirement = Sequence[str] | AnyOf
"""All of these scopes, or at least one of ``AnyOf``."""


def parse_scope(value: str) -> tuple[str, ...]:
    """Splits a scope string; several spaces count as one, repeats are dropped."""
    return tuple(dict.fromkeys(scope for scope in value.split(" ") if scope))


def is_scope_token(value: object) -> bool:
    """scope-token of RFC 6749 §3.3: anything else could break out of a challenge header."""
    return isinstance(value, str) and _SCOPE_TOKEN.fullmatch(value) is not None


def close_hierarchy(hierarchy: ScopeHierarchy) -> ScopeClosure:
    """Follows the hierarchy to its end for every scope it names. Cycles are harmless: such scopes include each other."""
    return {scope: _reach(scope, hierarchy) for scope in hierarchy}


def expand_scopes(granted: Iterable[str], closure: ScopeClosure) -> list[str]:
    """The scopes held, with everything they include. ``*`` stays as ``*``: it cannot be listed."""
    held = list(dict.fromkeys(granted))
    included = sorted(scope for one in held for scope in closure.get(one, ()))
    return list(dict.fromkeys([*held, *included]))


def satisfies(granted: Iterable[str], requirement: ScopeRequirement, closure: ScopeClosure) -> bool:
    """Whether what was granted covers the requirement."""

    def covered(scope: str) -> bool:
        return any(_includes(held, scope, closure) for held in granted)

    if isinstance(requirement, AnyOf):
        return any(covered(scope) for scope in requirement.scopes)
    return all(covered(scope) for scope in requirement)


def challenge_scopes(requirements: Iterable[ScopeRequirement], closure: ScopeClosure) -> tuple[str, ...]:
    """RS-13: every scope of the whole operation, in the order given, without those that another one includes.

    Scopes the token already has stay in: a client of the 2025-11-25 protocol asks for exactly this list.
    """
    wanted = list(dict.fromkeys(scope for requirement in requirements for scope in _named(requirement)))
    for scope in reversed(wanted.copy()):
        if any(other != scope and _includes(other, scope, closure) for other in wanted):
            wanted.remove(scope)
    return tuple(wanted)


def _named(requirement: ScopeRequirement) -> Sequence[str]:
    return requirement.scopes[:1] if isinstance(requirement, AnyOf) else requirement


def _reach(start: str, hierarchy: ScopeHierarchy) -> frozenset[str]:
    reached = [start]
    for scope in reached:
        reached.extend(included for included in hierarchy.get(scope, ()) if included not in reached)
    return frozenset(reached)


def _includes(held: str, wanted: str, closure: ScopeClosure) -> bool:
    if held == wanted:
        return True
    included = closure.get(held, frozenset())
    return wanted in included or "*" in included
