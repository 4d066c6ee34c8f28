"""Completes the headers of an answer that is about to go out (RS-23): out of shared caches, readable by the browser that may.

The application's own ``private`` or ``no-store`` stands, and so does ``no-transform``, without which proxies hold back event
streams.
"""

from __future__ import annotations

import re

from ._guard import Admission

_Headers = list[tuple[bytes, bytes]]

_PRIVATE = re.compile(rb"(^|[\s,])(no-store|private)([\s,=]|$)", re.IGNORECASE)


def complete_headers(headers: _Headers, admission: Admission) -> None:
    """Changes a list of lower-case names and values in place."""
    for name, value in admission.headers.items():
        if name == "Vary":
            _add_vary(headers, value)
        else:
            _replace(headers, name.lower().encode(), value.encode("latin-1"))
    if admission.auth is None:
        return
    _add_vary(headers, "Authorization")
    current = _value_of(headers, b"cache-control")
    if current is None or not _PRIVATE.search(current):
        transformed = current is None or b"no-transform" not in current.lower()
        _replace(headers, b"cache-control", b"no-store" if transformed else b"no-store, no-transform")


def _add_vary(headers: _Headers, name: str) -> None:
    current = _value_of(headers, b"vary")
    present = [one.strip().lower() for one in (current or b"").split(b",")]
    if name.lower().encode() in present or b"*" in present:
        return
    _replace(headers, b"vary", b", ".join([*([current] if current else []), name.encode()]))


def _value_of(headers: _Headers, name: bytes) -> bytes | None:
    values = [value for known, value in headers if known == name]
    return b", ".join(values) if values else None


def _replace(headers: _Headers, name: bytes, value: bytes) -> None:
    headers[:] = [header for header in headers if header[0] != name]
    headers.append((name, value))
