"""Whether the sign-in behind a token is strong and fresh enough. RFC 9470 §3, RS-15.

Pure: claims, demand and time in. Not here: what the caller is told (_challenge.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import AuthenticationError

_CLOCK_SKEW = 60


@dataclass(frozen=True)
class SignInDemand:
    """What a server demands: one of these levels, and at most this many seconds since. Empty and None demand nothing."""

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


def check_sign_in(claims: Mapping[str, Any], demand: SignInDemand, now: float, *, bound: bool = False) -> None:
    """Raises AuthenticationError insufficient_user_authentication; for tokens of machines, behind which nobody signed in, too.

    A token that is ``bound`` came with a proof, and its answer is of that scheme (RFC 9449 §7.1).
    """
    if demand.acr_values and claims.get("acr") not in demand.acr_values:
        raise _refused("acr", demand, bound)
    if demand.max_age is None:
        return
    signed_in = claims.get("auth_time")
    if isinstance(signed_in, bool) or not isinstance(signed_in, int | float) or not -_CLOCK_SKEW <= now - signed_in <= demand.max_age:
        raise _refused("auth_time", demand, bound)


def _refused(reason: str, demand: SignInDemand, bound: bool) -> AuthenticationError:
    told: dict[str, Any] = {"acr_values": demand.acr_values, "max_age": demand.max_age, "scheme": "DPoP" if bound else "Bearer"}
    return AuthenticationError("insufficient_user_authentication", reason, **told)
