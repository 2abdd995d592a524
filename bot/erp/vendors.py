"""Finds the adapter that a configured source names, checks its options and opens it.

An adapter is one `Vendor` object. Ours are listed here; other packages announce theirs as entry points of the group
``dingerp.erps`` (name = the vendor's name in the configuration, value = ``module:object``). Nothing of an adapter is
imported before a source names it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from bot.erp.decider_keys import NO_DECIDER_KEYS, DeciderKeys
from bot.erp.named_queries import QueryDatabase
from bot.erp.port import Erp
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from bot.words.secret_values import read_secret_file
from bot.words.wrong_values import explain_wrong_values

GROUP = "dingerp.erps"

O = TypeVar("O", bound=BaseModel)  # noqa: E741  # options, as in the parameter below


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterContext:
    """What a source gets from the bot: its name in the configuration, a folder for files, the time, and people's own
    keys.
    """

    name: str
    data_dir: Path
    now: Callable[[], datetime]
    keys: DeciderKeys = NO_DECIDER_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor(Generic[O]):
    """One kind of ERP. ``options`` is the model of its own settings; ``open`` may raise `bot.erp.errors` classes.

    ``database`` returns the address of the database that such a source is, empty where it has none: the company's own
    questions are asked there.
    """

    title: str
    options: type[O]
    open: Callable[[AdapterContext, O], Awaitable[Erp]]
    database: Callable[[AdapterContext, O], str] | None = None


def opener(adapter: str) -> Callable[[AdapterContext, Any], Awaitable[Erp]]:
    """Return what opens an adapter, a class at ``module:name``.

    It is only imported for a source: to list a vendor's options, its client need not be loaded.
    """

    async def open_adapter(context: AdapterContext, options: Any) -> Erp:
        module, _, name = adapter.partition(":")
        found: Erp = getattr(import_module(module), name)(context, options)
        return found

    return open_adapter


_OURS = {
    "demo": EntryPoint("demo", "bot.kit.company.manifest:vendor", GROUP),
    **{
        name: EntryPoint(name, f"bot.erp.{name}.manifest:vendor", GROUP)
        for name in ("erpnext", "kingdee", "odoo", "rest", "sap_b1", "sql", "tryton", "yonbip")
    },
}


_QUERIES = "bot.erp.sql.named_queries:SqlQueryDatabase"


def known_vendors() -> tuple[str, ...]:
    """Return the names of all adapters that are installed."""
    return tuple(sorted({*_OURS, *entry_points(group=GROUP).names}))


def find_vendor(name: str) -> Vendor[Any]:
    """Return an adapter by its name; raises `ConfigurationError` for one that is unknown or cannot be loaded."""
    entry = _OURS.get(name) or next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None:
        raise ConfigurationError(f"unknown ERP vendor {name!r}; known are: {', '.join(known_vendors())}")
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"ERP vendor {name!r} cannot be loaded from {entry.value}: {error}") from error
    if not isinstance(found, Vendor):
        raise ConfigurationError(f"ERP vendor {name!r}: {entry.value} is not a Vendor")
    return found


def _with_files_read(source: str, options: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return the options with ``password`` in place of a ``password_file`` that the vendor has no option for.

    Raises `ConfigurationError`.
    """
    read: dict[str, Any] = {}
    for name, value in options.items():
        meant = name.removesuffix("_file")
        if name in fields or meant == name or meant not in fields:
            read[name] = value
            continue
        try:
            read[meant] = read_secret_file(str(value))
        except ValueError as error:
            raise ConfigurationError(f"ERP source {source!r}: {name}: {error}") from None
    return read


async def open_source(
    name: str,
    vendor: str,
    options: Mapping[str, Any],
    *,
    data_dir: Path,
    now: Callable[[], datetime],
    timeout: float | None = None,
    keys: DeciderKeys = NO_DECIDER_KEYS,
) -> Erp:
    """Return the source ``name``, ready to be asked.

    ``timeout`` (seconds that one question may take) is told to adapters that have an option of that name. Raises
    `ConfigurationError` for an unknown vendor or a wrong option; the option's value, which may be a secret, is not
    repeated.
    """
    found = find_vendor(vendor)
    checked = _checked_options(name, found, options, timeout)
    return await found.open(AdapterContext(name=name, data_dir=data_dir, now=now, keys=keys), checked)


def database_of(
    name: str, vendor: str, options: Mapping[str, Any], *, data_dir: Path, now: Callable[[], datetime]
) -> str:
    """Return the address of the database that a source is; empty for one that is none. Raises as `open_source`."""
    found = find_vendor(vendor)
    if found.database is None:
        return ""
    context = AdapterContext(name=name, data_dir=data_dir, now=now)
    return found.database(context, _checked_options(name, found, options))


def open_query_database(url: str, *, source: str, zone: ZoneInfo, seconds: float) -> QueryDatabase:
    """Return the database at an address, for queries of the administrator's; nothing is connected yet.

    Raises `ConfigurationError` for an address that cannot be used.
    """
    module, _, name = _QUERIES.partition(":")
    found: QueryDatabase = getattr(import_module(module), name)(url, source=source, zone=zone, seconds=seconds)
    return found


def _checked_options(name: str, found: Vendor[O], options: Mapping[str, Any], timeout: float | None = None) -> O:
    if timeout is not None and "timeout" in found.options.model_fields:
        options = {"timeout": timeout, **options}
    try:
        return found.options.model_validate(_with_files_read(name, options, found.options.model_fields))
    except ValidationError as error:
        wrong = explain_wrong_values(error, lambda place: tuple(found.options.model_fields) if len(place) == 1 else ())
        raise ConfigurationError(phrase("ERP source %(source)s: %(wrong)s", source=f"{name!r}", wrong=wrong)) from None
