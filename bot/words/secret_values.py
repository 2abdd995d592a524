"""Secrets in the configuration, given directly or by reference: ``env:NAME`` and ``file:PATH``.

Sealed ones (`bot.settings.sealed_values`) are opened before they get here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic_core import core_schema

SEALED = "sealed:"
"""The prefix of values sealed with the company's key."""


class Secret(SecretStr):
    """A secret. A text beginning with ``env:`` or ``file:`` names a variable or a file that holds it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Resolve the reference before the value is validated, so that an error names the setting."""
        plain = super().__get_pydantic_core_schema__(source, handler)
        return core_schema.no_info_before_validator_function(_look_up, plain)


def read_secret_file(file: str) -> str:
    """Return the content of a file without its final line end. Raises `ValueError`, which names only the file."""
    try:
        text = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        raise ValueError(f"the file {file} cannot be read: {_why(error)}") from None
    if not text:
        raise ValueError(f"the file {file} is empty")
    return text


def _why(error: Exception) -> str:
    """Return why a file cannot be read, in the system's words and without its content."""
    return (isinstance(error, OSError) and error.strerror) or "it is no text in UTF-8"


def _look_up(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()  # a value from code, which needs no lookup
    if not isinstance(value, str):
        return value
    kind, colon, name = value.partition(":")
    if not colon or kind not in ("env", "file"):
        return _plain(value)
    if kind == "file":
        return _plain(read_secret_file(name))
    if found := os.environ.get(name):
        return _plain(found)
    raise ValueError(f"there is no variable {name}")


def _plain(secret: str) -> str:
    """Return a directly given secret. One that is still sealed was never opened and is useless."""
    if secret.startswith(SEALED):
        raise ValueError("a sealed value must stand in the configuration itself, not in what it refers to")
    return secret
