"""The only place that reads the environment: which authorization server to trust when no argument names it.

Development is ``AUTH_AGENT_ENV=development`` or ``test``, nothing else: an unset variable is how production looks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_DEVELOPMENT_SERVER = "http://localhost:9000"


def find_auth_server(argument: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Argument, ``AUTH_AGENT_URL``, or the server of ``auth-agent dev`` in development. Never a hosted third party.

    Raises ValueError naming the variable when none of them applies.
    """
    configured = argument or environment.get("AUTH_AGENT_URL")
    if configured:
        return configured
    if environment.get("AUTH_AGENT_ENV") in ("development", "test"):
        return _DEVELOPMENT_SERVER
    raise ValueError(
        '"auth_server" is missing: pass it, set AUTH_AGENT_URL, or set AUTH_AGENT_ENV=development'
        f" to use the server of `auth-agent dev` at {_DEVELOPMENT_SERVER}"
    )
