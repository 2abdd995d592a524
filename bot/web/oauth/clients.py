"""Clients of the login: each says itself what it is called, and where it has codes sent.

A registration leaves nothing behind: a client's id holds what it said, and whoever reads it checks all of it again. So
nobody fills the store with clients, and an id proves nothing: what a client calls itself is shown as its own words, and
the host where codes go stands beside them.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from bot.web.oauth.problems import OAuthProblem

MOST_NAME, MOST_REDIRECTS, MOST_REDIRECT, MOST_ID = 80, 10, 300, 1200
"""Characters of a name, addresses of a client, and characters of one of them and of the id, which is in addresses."""

_PREFIX = "dgi_"
_ADDRESS = re.compile(r"https?://[!-~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]+")
"""What would break a line, or turn the direction of the words beside it."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a client says of itself."""

    name: str
    redirect_uris: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its id, which holds it."""
        written = orjson.dumps([self.name, list(self.redirect_uris)])
        return _PREFIX + base64.urlsafe_b64encode(written).decode().rstrip("=")

    def takes(self, redirect_uri: str) -> bool:
        """Return whether it has codes sent there: to one of its addresses, on this machine at any port (RFC 8252)."""
        if redirect_uri in self.redirect_uris:
            return True
        sent = _at_home(redirect_uri)
        return sent is not None and sent in map(_at_home, self.redirect_uris)


def make_client(said: Any) -> Client:
    """Return the client of a registration. Raises `OAuthProblem`."""
    if not isinstance(said, dict):
        raise OAuthProblem("invalid_client_metadata", "The body has to be an object.")
    name, addresses = said.get("client_name") or "", said.get("redirect_uris")
    if not isinstance(name, str):
        raise OAuthProblem("invalid_client_metadata", "client_name has to be a text.")
    if (
        not isinstance(addresses, list)
        or not 1 <= len(addresses) <= MOST_REDIRECTS
        or not all(map(_is_good, addresses))
    ):
        raise OAuthProblem(
            "invalid_redirect_uri",
            f"redirect_uris has to hold 1 to {MOST_REDIRECTS} addresses, each https or http of this machine, without"
            f" user, fragment or spaces, of at most {MOST_REDIRECT} characters.",
        )
    client = Client(" ".join(_CONTROL.sub(" ", name).split())[:MOST_NAME], tuple(addresses))
    if len(client.id) > MOST_ID:
        raise OAuthProblem("invalid_client_metadata", "The name and the addresses are too long together.")
    return client


def read_client(client_id: str) -> Client | None:
    """Return the client with an id; None where it is no id that `make_client` would have given."""
    if not client_id.startswith(_PREFIX) or len(client_id) > MOST_ID:
        return None
    held = client_id.removeprefix(_PREFIX)
    try:
        name, addresses = orjson.loads(base64.urlsafe_b64decode(held + "=" * (-len(held) % 4)))
        client = make_client({"client_name": name, "redirect_uris": addresses})
    except (ValueError, TypeError, OAuthProblem):
        return None
    return client if client.id == client_id else None


def with_answer(redirect_uri: str, **answer: str) -> str:
    """Return where a browser goes with an answer; what is empty is left out."""
    joined = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joined}{urlencode({name: value for name, value in answer.items() if value})}"


def origin_of(redirect_uri: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"


def is_here(redirect_uri: str) -> bool:
    """Return whether the address is that of a program on the person's own computer."""
    return redirect_uri.startswith("http://")


def _is_good(address: Any) -> bool:
    if not isinstance(address, str) or len(address) > MOST_REDIRECT or not _ADDRESS.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "#" in address or "\\" in address:
        return False
    return parts.scheme == "https" or _is_this_machine(host)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _at_home(address: str) -> tuple[str, str, str] | None:
    """Return an address of this machine without its port; None for any other."""
    if not _is_good(address) or not is_here(address):
        return None
    parts = urlsplit(address)
    return parts.hostname or "", parts.path, parts.query
