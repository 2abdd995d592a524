"""Under which address browsers reach the pages. It is configured: what a request says of its host proves nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from yarl import URL

HOME = "/"
_MOST_PATH = 2_700
"""Characters of a path that a login leads on to: browsers drop cookies of more than 4 096, and it is in one."""
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path with its query: a second slash, or a backslash, which browsers read as one, would name another host."""


@dataclass(frozen=True)
class PublicAddress:
    """``url`` is ``https://host``, or ``http://`` of this machine, and the prefix that a proxy takes off."""

    url: str

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port, as browsers tell them in ``Origin``."""
        return str(URL(self.url).origin())

    @cached_property
    def prefix(self) -> str:
        """What stands before every path, without a slash at its end."""
        return URL(self.url).path.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS, as everywhere but on this machine."""
        return self.url.startswith("https://")

    def of(self, path: str, **query: str) -> str:
        """Return the address of a path for links on pages; what is empty in the query is left out."""
        given = {name: value for name, value in query.items() if value}
        return str(URL(f"{self.prefix}{path}").with_query(given)) if given else f"{self.prefix}{path}"

    def whole(self, path: str) -> str:
        """Return the whole address of a path, for other sites."""
        return f"{self.origin}{self.prefix}{path}"

    def cookie(self, name: str) -> str:
        """Return what a cookie is called: by its name browsers know that no other host may have set it."""
        if not self.is_secure:
            return f"dingerp-{name}"
        return f"__Secure-dingerp-{name}" if self.prefix else f"__Host-dingerp-{name}"

    @property
    def cookie_path(self) -> str:
        """Where cookies are sent."""
        return f"{self.prefix}/"


def local_path(text: str) -> str:
    """Return a path of ours to go on to after the login; the first page for anything that leads elsewhere."""
    if len(text) > _MOST_PATH or not _LOCAL.fullmatch(text) or text.startswith(("/login", "/logout")):
        return HOME
    return text
