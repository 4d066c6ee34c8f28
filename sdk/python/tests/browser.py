"""A person with a browser that runs no script: opens an authorization URL, signs in where asked and decides."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode, urljoin

import httpx

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_TAG = re.compile(r"<(input|button)\b([^>]*)>")


async def sign_in_and_allow(http: httpx.AsyncClient, url: str, *, username: str, password: str) -> str:
    """Ticks every box and allows. The address the client would be called back at, which is not opened."""
    page = await http.get(url)
    for _ in range(8):
        if page.has_redirect_location:
            target = urljoin(str(page.url), page.headers["location"])
            if not target.startswith(url.split("/authorize")[0]):
                return target
            page = await http.get(target)
            continue
        away = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]*)"', page.text)
        if away:
            return html.unescape(away[1])
        action, fields = _filled(page, username, password)
        body = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        page = await http.post(action, content=urlencode(fields), headers={**body, "Content-Type": "application/x-www-form-urlencoded"})
    raise AssertionError(f"stopped at {page.status_code} {page.url}")


async def allow_device(http: httpx.AsyncClient, url: str, *, code: str, username: str, password: str) -> str:
    """Opens the page of devices, signs in, enters the code and allows. The text of the last page."""
    page = await http.get(url, follow_redirects=True)
    for wanted in ("password", "user_code", "decision"):
        action, fields = _filled(page, username, password, wanted)
        given = [(name, code if name == "user_code" else value) for name, value in fields]
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        page = await http.post(action, content=urlencode(given), headers=headers, follow_redirects=True)
    return page.text


async def press(http: httpx.AsyncClient, url: str, action: str, *, about: str, without: str = "") -> str:
    """Sends the form of a page that posts to ``action`` about something, less a ticked value. The text of the page after it."""
    page = await http.get(url, follow_redirects=True)
    forms = [inner for attributes, inner in _FORM.findall(page.text) if _attribute(attributes, "action").endswith(action)]
    [inner] = [inner for inner in forms if about in inner]
    inputs = [text for kind, text in _TAG.findall(inner) if kind == "input" and not re.search(r"\sdisabled\b", text)]
    chosen = [text for text in inputs if _attribute(text, "type") not in ("radio", "checkbox") or re.search(r"\schecked\b", text)]
    fields = [(_attribute(text, "name"), _attribute(text, "value")) for text in chosen]
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode([field for field in fields if field[1] != without])
    return (await http.post(urljoin(str(page.url), action), content=body, headers=headers, follow_redirects=True)).text


def _filled(page: httpx.Response, username: str, password: str, *wanted: str) -> tuple[str, list[tuple[str, str]]]:
    """The form that signs in or decides, or the one with a field that is wanted, filled in."""
    for attributes, inner in _FORM.findall(page.text):
        tags = [(kind, text) for kind, text in _TAG.findall(inner)]
        names = {_attribute(text, "name") for _, text in tags}
        if not names & (set(wanted) or {"password", "decision"}):
            continue
        given = {"username": username, "password": password}
        fields = [
            (_attribute(text, "name"), given.get(_attribute(text, "name"), _attribute(text, "value")))
            for kind, text in tags
            if kind == "input" and (_attribute(text, "type") != "radio" or re.search(r"\schecked\b", text))
        ]
        if "decision" in names:
            fields.append(("decision", "allow"))
        return urljoin(str(page.url), _attribute(attributes, "action")), [field for field in fields if field[0]]
    raise AssertionError(f"no form to fill in at {page.status_code} {page.url}")


def _attribute(text: str, name: str) -> str:
    found = re.search(rf'(?:^|\s){name}="([^"]*)"', text)
    return html.unescape(found[1]) if found else ""
