"""The version of dingerp. Only ``pyproject.toml`` states it; installation records it, and this reads it back."""

from __future__ import annotations

from functools import cache

_PACKAGE = "dingerp"


@cache
def installed_version() -> str:
    """Return the version, or ``0+unknown`` if the code was not installed."""
    from importlib.metadata import PackageNotFoundError, version  # takes 20 ms, which most commands can avoid

    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "0+unknown"


def user_agent() -> str:
    """Return the user agent for HTTP servers: ``dingerp/1.2.3``."""
    return f"{_PACKAGE}/{installed_version()}"
