"""Auth-Agent for MCP servers in Python: an ASGI guard, a client of the authorization server, tokens for agents.

``auth_agent_mcp.mcp`` has the verifier for the official MCP SDK, ``auth_agent_mcp.fastmcp`` the provider for FastMCP,
``auth_agent_mcp.blocking`` the client for code without an event loop, ``auth_agent_mcp.httpx2`` the tokens of an agent for httpx2.
"""

from ._actors import require_actor
from ._agent import AgentTokens
from ._asgi import AuthAgentMiddleware
from ._client import AuthAgentClient
from ._client_key import ClientKey
from ._dependencies import require_any_scope, require_scopes
from ._device_code import DevicePrompt
from ._device_login import device_login
from ._exchange import TokenExchange
from ._login_tokens import LoginTokens, SavedLogin, resume_login
from ._options import AuthAgentOptions
from ._proof_memory import ProofMemory
from ._scope import AnyOf, ScopeHierarchy, ScopeRequirement
from ._server_metadata import ServerMetadata
from ._verify import AuthContext, AuthUser
from .errors import (
    ActorRefused,
    AuthAgentError,
    AuthenticationError,
    AuthorizationError,
    AuthServerUnavailable,
    TokenRequestRefused,
)

__all__ = [
    "ActorRefused",
    "AgentTokens",
    "AnyOf",
    "AuthAgentClient",
    "AuthAgentError",
    "AuthAgentMiddleware",
    "AuthAgentOptions",
    "AuthContext",
    "AuthServerUnavailable",
    "AuthUser",
    "AuthenticationError",
    "AuthorizationError",
    "ClientKey",
    "DevicePrompt",
    "LoginTokens",
    "ProofMemory",
    "SavedLogin",
    "ScopeHierarchy",
    "ScopeRequirement",
    "ServerMetadata",
    "TokenExchange",
    "TokenRequestRefused",
    "device_login",
    "require_actor",
    "require_any_scope",
    "require_scopes",
    "resume_login",
]
