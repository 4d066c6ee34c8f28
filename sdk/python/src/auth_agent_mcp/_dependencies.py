"""FastAPI dependencies that ask for more on one operation. They raise; the middleware answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from ._asgi import GUARD_KEY
from ._options import check_requirement
from ._scope import AnyOf, ScopeRequirement
from ._verify import AuthContext
from .errors import AuthenticationError

Dependency = Callable[[Request], Awaitable[AuthContext]]


def require_scopes(*scopes: str) -> Dependency:
    """Asks for all of these scopes on top of the middleware's ``required_scopes``; the one 403 names every one of them.

    >>> @app.post("/api/files", dependencies=[Depends(require_scopes("files:write"))])
    """
    return _gate(check_requirement("require_scopes", scopes))


def require_any_scope(*scopes: str) -> Dependency:
    """Asks for at least one of these scopes. Put the least powerful first: the challenge asks for that one."""
    return _gate(check_requirement("require_any_scope", AnyOf(*scopes)))


def _gate(requirement: ScopeRequirement) -> Dependency:
    async def scopes_dependency(request: Request) -> AuthContext:
        guard = request.scope.get(GUARD_KEY)
        if guard is None:
            raise RuntimeError("require_scopes and require_any_scope must run behind AuthAgentMiddleware")
        auth: AuthContext | None = request.scope["state"].get("auth")
        # A public path has nobody to have scopes.
        if auth is None:
            raise AuthenticationError("missing_token")
        guard.check_scopes(auth, requirement)
        return auth

    # FastAPI looks annotations up by name, where this module's are not to be found for a nested function.
    scopes_dependency.__annotations__ = {"request": Request, "return": AuthContext}
    return scopes_dependency
