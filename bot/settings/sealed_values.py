"""Configuration values sealed with the company's key: ``sealed:`` and the output of `dingerp data seal`.

A reader of the file learns nothing from them. The key itself is elsewhere (see `Settings.data_key`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, TypeAdapter

from bot.words.phrase import phrase
from bot.words.sealing import KEY_FILE, BrokenSeal, CompanyKey, WrongDataKey, parse_keys
from bot.words.secret_values import SEALED, Secret

_LABEL = "setting"
_KEY_SETTINGS = frozenset({"data_key", "data_key_file"})
_SECRET = TypeAdapter(Secret)


def seal_value(secret: str, key: CompanyKey) -> str:
    """Return a secret in its sealed form for a file."""
    return SEALED + key.wrap(secret.encode(), _LABEL)


def find_sealed(values: object, path: str = "") -> Iterator[str]:
    """Yield the paths of sealed values, such as ``erp.main.password``."""
    if isinstance(values, str):
        if values.startswith(SEALED):
            yield path
        return
    parts = values.items() if isinstance(values, Mapping) else enumerate(values) if isinstance(values, list) else ()
    for name, part in parts:
        yield from find_sealed(part, f"{path}.{name}" if path else str(name))


def open_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with all sealed values opened.

    Raises `ValueError` naming the setting, for a value that no available key opens.
    """
    sealed = tuple(find_sealed(values))
    if not sealed:
        return dict(values)
    if _KEY_SETTINGS.intersection(sealed):
        raise ValueError(
            phrase("data_key: the key cannot be sealed by itself; keep it in the environment or in a file")
        )
    try:
        keys = _keys_of(values)
    except WrongDataKey as error:
        raise ValueError(
            phrase("%(sealed)s is sealed, and %(detail)s", sealed=sealed[0], detail=error.detail)
        ) from None
    return {name: _opened(value, keys, name) for name, value in values.items()}


def _opened(value: Any, keys: Sequence[CompanyKey], path: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _opened(part, keys, f"{path}.{name}") for name, part in value.items()}
    if isinstance(value, list):
        return [_opened(part, keys, f"{path}.{number}") for number, part in enumerate(value)]
    if not isinstance(value, str) or not value.startswith(SEALED):
        return value
    for key in keys:
        try:
            return SecretStr(key.unwrap(value.removeprefix(SEALED), _LABEL).decode())
        except BrokenSeal:
            continue
    names = ", ".join(key.name for key in keys)
    raise ValueError(
        phrase(
            "%(path)s: the sealed value was changed, or another key sealed it; the keys given are: %(names)s",
            path=path,
            names=names,
        )
    )


def _keys_of(values: Mapping[str, Any]) -> Sequence[CompanyKey]:
    """Return the company's keys from settings not yet validated. Raises `WrongDataKey`."""
    if given := _SECRET.validate_python(values.get("data_key") or "").get_secret_value():
        return parse_keys(given)
    file = Path(str(values.get("data_key_file") or _own_key_file(values)))
    try:
        return parse_keys(file.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise WrongDataKey(f"the key file {file} cannot be read: {type(error).__name__}") from None


def _own_key_file(values: Mapping[str, Any]) -> Path:
    """Return where the bot creates its key: beside the SQLite file, otherwise in the data folder."""
    url = values.get("database_url") or ""
    if isinstance(url, str) and not url.startswith(SEALED):
        kind, _, place = _SECRET.validate_python(url).get_secret_value().partition(":///")
        if kind.startswith("sqlite") and place:
            return Path(place.partition("?")[0]).parent / KEY_FILE
    return Path(str(values.get("data_dir") or "data")) / KEY_FILE
