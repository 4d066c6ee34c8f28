"""The device authorization grant (RFC 8628) on the wire: asks for a code, then for the tokens until the person has answered.

Not here: whom to ask, and what becomes of the tokens (_device_login.py).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from ._agent_request import IssuedToken, judge
from ._authorization_server import Members, parse_loosely, parse_object, unusable
from ._login_discovery import is_usable
from ._token_endpoint import Asker, refusal
from .errors import AuthServerUnavailable, TokenRequestRefused

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_FIVE_SECONDS = 5.0
"""RFC 8628 §3.2: "If no value is provided, clients MUST use 5 as the default", and §3.5 adds as much at each slow_down."""
_DEFAULT_LIFETIME_SECONDS = 600

Wait = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class DevicePrompt:
    """What to show to the person who signs in."""

    user_code: str
    """To be entered at ``verification_uri`` and compared there."""
    verification_uri: str
    verification_uri_complete: str | None
    """The same page with the code filled in, e.g. for a QR code."""
    expires_at: float
    """Epoch seconds."""


@dataclass(frozen=True)
class WaitingDevice:
    """A code that waits for its person."""

    device_code: str = field(repr=False)
    interval: float
    prompt: DevicePrompt


async def begin_device(asker: Asker, endpoint: str, fields: Mapping[str, str | None]) -> WaitingDevice:
    """Asks for a code. Raises TokenRequestRefused also for an answer whose page nobody should open."""
    asked_at = asker.now()
    answer = await replace(asker, proof_key=None).post(endpoint, fields)
    device_code, user_code, page = (answer.get(name) for name in ("device_code", "user_code", "verification_uri"))
    if not isinstance(device_code, str) or not device_code:
        raise unusable("no_device_code", endpoint, "without a usable device_code")
    # It is shown in a terminal: what could drive one is no code.
    if not isinstance(user_code, str) or not re.fullmatch(r"[\x20-\x7E]{1,40}", user_code):
        raise unusable("no_user_code", endpoint, "without a usable user_code")
    if not isinstance(page, str) or not is_usable(page, endpoint):
        raise TokenRequestRefused("wrong_page", "the page to open is no plain address, or neither https nor on this computer")
    complete = answer.get("verification_uri_complete")
    expires_at = asked_at + (_seconds_of(answer.get("expires_in")) or _DEFAULT_LIFETIME_SECONDS)
    prompt = DevicePrompt(user_code, page, str(complete) if is_usable(complete, endpoint) else None, expires_at)
    return WaitingDevice(device_code, _seconds_of(answer.get("interval")) or _FIVE_SECONDS, prompt)


async def await_device(waiting: WaitingDevice, asker: Asker, *, endpoint: str, resource: str, wait: Wait) -> tuple[IssuedToken, Members]:
    """Asks until the person has answered.

    Never sooner than told, five seconds later after each slow_down, ever more slowly while nobody answers (RFC 8628 §3.5). Raises
    TokenRequestRefused access_denied, expired_token, and every other error that ends it.
    """
    form = {"grant_type": _GRANT_TYPE, "device_code": waiting.device_code, "resource": resource}
    interval = pause = waiting.interval
    while asker.now() + pause < waiting.prompt.expires_at:
        await wait(pause)
        asked_at = asker.now()
        try:
            answer, secrets = await asker.post_form(endpoint, form)
        except AuthServerUnavailable:
            interval *= 2
            pause = interval
            continue
        if answer.status == 200:
            members = parse_object(answer.body, endpoint)
            return judge(members, asked_at, url=endpoint, bound=asker.proof_key is not None), members
        error = parse_loosely(answer.body).get("error") if answer.status == 400 else None
        if error == "slow_down":
            interval += _FIVE_SECONDS
        elif error != "authorization_pending":
            if answer.status < 500 and answer.status != 429:
                raise refusal(answer, [*secrets, waiting.device_code], endpoint)
            interval *= 2
        told = answer.headers.get("retry-after", "")
        pause = max(interval, _seconds_of(int(told)) or 0 if re.fullmatch(r"[0-9]{1,6}", told) else 0)
    raise TokenRequestRefused("expired_token", "nobody answered before the code ended")


def _seconds_of(value: object) -> float | None:
    """Seconds of a day at most; None for what is no such number."""
    told = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 86_400
    return float(value) if told and isinstance(value, (int, float)) else None
