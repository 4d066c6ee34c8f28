"""What a JSON-RPC body is about to call, read before anything is dispatched, so that a missing scope is an HTTP 403 (RS-16).

The body decides; the header mirror of the 2026-07-28 protocol (SEP-2243) must say the same.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from ._challenge import Answer, json_answer
from ._scope import ScopeRequirement

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Largest body that is looked at: what the official SDK accepts."""


class Body:
    """A body read as JSON-RPC. What cannot be read calls nothing: it is the handler's to refuse."""

    def __init__(self, content: bytes) -> None:
        parsed = _parse(content)
        listed = parsed if isinstance(parsed, list) else [parsed]
        self._messages: list[dict[str, Any]] = [one for one in listed if isinstance(one, dict)]

    def requirements(self, tool_scopes: Mapping[str, ScopeRequirement]) -> list[ScopeRequirement]:
        """What the called tools need, one requirement for each. A batch needs what all its calls need: it has one status."""
        tools = (_tool_of(message) for message in self._messages if message.get("method") == "tools/call")
        return [tool_scopes[tool] for tool in tools if tool is not None and tool in tool_scopes]

    def names(self) -> list[str]:
        """The tool or the method that each message calls."""
        called = (_tool_of(one) if one.get("method") == "tools/call" else None for one in self._messages)
        named = (tool if tool is not None else one.get("method") for tool, one in zip(called, self._messages, strict=True))
        return [name for name in named if isinstance(name, str)]

    def contradicts(self, *, method: str | None, name: str | None) -> bool:
        """Whether the mirror headers contradict the body of a single request. Absent headers contradict nothing."""
        message = self._messages[0] if self._messages else {}
        if method is not None and method != message.get("method"):
            return True
        return name is not None and message.get("method") == "tools/call" and _decode_mirror(name) != _tool_of(message)


def mirror_refused() -> Answer:
    """The JSON-RPC error of a header that contradicts the body."""
    error = {"code": -32020, "message": "Header mismatch: Mcp-Method and Mcp-Name must equal the body"}
    return json_answer(400, {"jsonrpc": "2.0", "id": None, "error": error})


def _tool_of(message: Mapping[str, Any]) -> str | None:
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else None


def _parse(content: bytes) -> object:
    """As leniently as any handler might: bytes in any encoding that json.loads detects, numbers of any length."""
    try:
        return json.loads(content, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return None


def _decode_mirror(value: str) -> str | None:
    """SEP-2243: a name that no header can carry arrives as ``=?base64?…?=`` over UTF-8."""
    encoded = re.fullmatch(r"=\?base64\?([A-Za-z0-9+/]*)=*\?=", value)
    if encoded is None:
        return value
    try:
        return b64decode(encoded[1] + "=" * (-len(encoded[1]) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
