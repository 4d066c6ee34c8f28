"""The tokens behind AuthContexts, by their hash, for token exchange and for nothing else.

They never leave this package: handlers hold the context, and whoever exchanges it gets another token for another server
(RS-09). Nothing is kept in a process that exchanges nothing.
"""

from __future__ import annotations

from collections import OrderedDict

_MOST = 10_000
_tokens: OrderedDict[str, str] = OrderedDict()
_wanted = False


def keep_subject_tokens() -> None:
    """From now on the tokens of admitted requests are kept, the latest ten thousand."""
    global _wanted
    _wanted = True


def keep_subject_token(token_hash: str, token: str) -> None:
    """Keeps the token of a request that was let through."""
    if not _wanted:
        return
    _tokens[token_hash] = token
    _tokens.move_to_end(token_hash)
    if len(_tokens) > _MOST:
        _tokens.popitem(last=False)


def subject_token(token_hash: str) -> str | None:
    """The token with this hash."""
    return _tokens.get(token_hash)
