"""Variables that name a file with the value, as Docker and Kubernetes provide secrets.

``DINGERP_DATABASE_URL_FILE`` holds the path of a file with the value of ``DINGERP_DATABASE_URL``. A setting whose own
name ends in ``_FILE`` keeps its meaning, and options of an ERP's adapter are read when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from bot.words.errors import ConfigurationError
from bot.words.secret_values import read_secret_file

SUFFIX = "_FILE"


def read_named_files(variables: Mapping[str, str | None], settings: type[BaseModel]) -> dict[str, str | None]:
    """Return our variables (lower-cased), with file-naming ones replaced by the files' contents.

    Raises `ConfigurationError` for an unreadable file, and for a value given both ways.
    """
    read = dict(variables)
    for name, file in variables.items():
        meant = name.removesuffix(SUFFIX.lower())
        if meant == name or not name.startswith("dingerp_") or file is None:
            continue
        if _is_setting(name, settings) or not _is_setting(meant, settings):
            continue
        del read[name]
        read[meant] = value_of_file(name.upper(), file, given=bool(variables.get(meant)))
    return read


def value_of_file(variable: str, file: str, *, given: bool) -> str:
    """Return the content of the file named by a variable. Raises `ConfigurationError`."""
    if given:
        raise ConfigurationError(f"wrong settings: {variable} and {variable.removesuffix(SUFFIX)} are both set")
    try:
        return read_secret_file(file)
    except ValueError as error:
        raise ConfigurationError(f"wrong settings: {variable}: {error}") from None


def _is_setting(variable: str, settings: type[BaseModel]) -> bool:
    return _kind_of(variable, settings) is not None


def takes_json(variable: str, settings: type[BaseModel]) -> bool:
    """Return whether one of our variables (lower-cased) sets a list or a table, which is written as JSON."""
    kind = _kind_of(variable, settings)
    return _is_section(kind) or get_origin(kind) in (dict, tuple, frozenset)


def _kind_of(variable: str, settings: type[BaseModel]) -> Any:
    """Return the type of the setting behind one of our variables, None if there is no such setting."""
    kind: Any = settings
    for part in variable.removeprefix("dingerp_").split("__"):
        if _is_section(kind):
            if part not in kind.model_fields:
                return None
            kind = kind.model_fields[part].annotation
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            return None
    return kind


def settings_beside(place: tuple[int | str, ...], settings: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the settings beside an unknown one."""
    kind: Any = settings
    for part in place[:-1]:
        if _is_section(kind):
            field = kind.model_fields.get(part)
            kind = field and field.annotation
        else:
            kind = next(filter(_is_section, get_args(kind)), None)
    return tuple(kind.model_fields) if _is_section(kind) else ()


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
