"""Generates the tables of ``docs/reference`` from the code; ``make docs`` runs it.

Only the blocks between ``<!-- NAME: written by make docs -->`` and ``<!-- end -->`` are generated; the rest of a page
is prose. `test_reference` fails if a page is out of date.
"""

from __future__ import annotations

import importlib
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from bot.bootstrap.api import routes_of
from bot.cards.fields import ViewFields
from bot.cards.language import choose_language, load_languages
from bot.cards.presenter import Presenter
from bot.cards.renderer import CardRenderer
from bot.cards.samples import load_sample, view_class
from bot.chat.registry import AnyCommand, Commands
from bot.cli import cli
from bot.kit.simulator.faults import SimFaults
from bot.mechanisms.metrics import Metrics
from bot.outbox.happenings import MEANINGS, TYPE_PREFIX, HappeningType
from bot.settings import Settings
from bot.web.api.openapi import taken
from bot.web.api.routes import ApiRoute
from bot.words.secret_values import Secret

from . import event_pages, permission_page

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference"

_ALSO = re.compile(r"; also `(\w+)`")
"""In the description of a setting, the variable that DingTalk's own SDK reads."""

_BLOCK = re.compile(r"(<!-- (\w+): written by make docs -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(page: str) -> str:
    """Return the page with all blocks regenerated."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]().strip()}\n\n{block[3]}", page)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def settings() -> str:
    """Return a table for each section of the settings; entries without a section come first."""
    top_level = [(name, field) for name, field in Settings.model_fields.items() if _part(field) is None]
    parts = [(name, field) for name, field in Settings.model_fields.items() if _part(field) is not None]
    sections = [_settings_table("", top_level)]
    for name, field in parts:
        sections += _settings_sections(name + _key(field), field, "##")
    return "\n\n".join(sections)


def _settings_sections(path: str, field: FieldInfo, mark: str) -> Iterator[str]:
    """Yield the table of a section, then those of its subsections."""
    title = f"[[{path}]]" if get_origin(field.annotation) is tuple else f"[{path}]"
    yield f"{mark} `{title}`\n\n{_settings_table(path, _entries(field))}"
    for name, inner in _entries(field):
        if _part(inner) is not None:
            yield from _settings_sections(f"{path}.{name}{_key(inner)}", inner, mark + "#")


def _settings_table(path: str, entries: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = [
        (f"`{name}`", _variables(path, name, field), _type(field), _default(field), _meaning(field))
        for name, field in entries
    ]
    return table(("key", "environment", "type", "default", "meaning"), rows)


def _entries(field: FieldInfo) -> list[tuple[str, FieldInfo]]:
    part = _part(field)
    assert part is not None
    return list(part.model_fields.items())


def _part(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model behind a field: itself, or the values of its mapping or sequence."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _key(field: FieldInfo) -> str:
    return ".<name>" if get_origin(field.annotation) is dict else ""


def _variables(path: str, name: str, field: FieldInfo) -> str:
    if path == "access.rules":
        return "in `DINGERP_ACCESS__RULES`"
    own = "__".join([*(path.split(".") if path else ()), name]).upper()
    return "<br>".join(f"`{variable}`" for variable in [*_ALSO.findall(field.description or ""), f"DINGERP_{own}"])


def _meaning(field: FieldInfo) -> str:
    return _ALSO.sub("", field.description or "")


def _type(field: FieldInfo) -> str:
    kind = field.annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if _part(field) is not None:
        return "table" if origin is dict else "list of tables" if origin is tuple else "part"
    if origin is dict:
        return "JSON object"
    if origin in (frozenset, tuple, list) or tuple in map(get_origin, arguments):
        return "list"
    if origin is not None and all(isinstance(choice, str) for choice in arguments):
        return " or ".join(f"`{choice}`" for choice in arguments)
    names: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "yes/no", Secret: "secret"}
    return names.get(kind, "path" if kind is Path or Path in arguments else str(kind))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel):
        return "–"  # each entry has its own
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None or value in ("", {}, (), frozenset()):
        return "–"
    return f"`{json.dumps(value, default=str)}`" if isinstance(value, (bool, dict)) else f"`{value}`"


def metrics() -> str:
    """Return the table of all metrics."""
    collectors = (value for value in vars(Metrics()).values() if isinstance(value, MetricWrapperBase))
    return table(("metric", "type", "labels", "meaning"), map(_metric_row, collectors))


def _metric_row(collector: MetricWrapperBase) -> tuple[str, str, str, str]:
    (family,) = collector.describe()
    labels = ", ".join(f"`{label}`" for label in collector._labelnames)
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return f"`{name}`", family.type, labels or "–", family.documentation


def command_line() -> str:
    """Return the help of every command of the command line."""
    root = get_command(cli)
    assert isinstance(root, TyperGroup)
    return "\n\n".join(_command_pages(root, "dingerp"))


def _command_pages(group: TyperGroup, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _command_pages(command, f"{path} {name}")
            continue
        names = " ".join(str(part.name).upper() for part in command.params if isinstance(part, TyperArgument))
        options = table(("option", "default", "meaning"), map(_option, command.params)) if command.params else ""
        meaning = (command.help or "").replace("``", "`")
        yield f"## `{f'{path} {name} {names}'.strip()}`\n\n{meaning}\n\n{options}".strip()


def _option(option: Any) -> tuple[str, str, str]:
    names = [*option.opts, *option.secondary_opts] if isinstance(option, TyperOption) else [option.name.upper()]
    default = option.default.value if isinstance(option.default, Enum) else option.default
    shown = "–" if default in (None, "", False) else "yes" if default is True else f"`{default}`"
    meaning = (option.help or "").replace("<", "&lt;")
    return ", ".join(f"`{name}`" for name in names), "required" if option.required else shown, meaning


def commands() -> str:
    """Return all chat commands as their signatures describe them."""
    return "\n\n".join(map(_command, Commands.discover().values()))


def _command(command: AnyCommand) -> str:
    lines = [f"## `/{command.name}`", f"{command.summary}." + (" Changes the ERP." if command.writes else "")]
    lines.append(f"- form: `{command.usage}`")
    lines.append(f"- changes: {_changes(command)}")
    if command.aliases:
        lines.append(f"- also: {', '.join(f'`{alias}`' for alias in command.aliases)}")
    if command.examples:
        lines.append(f"- for example: {', '.join(f'`{example}`' for example in command.examples)}")
    return "\n\n".join([*lines[:2], "\n".join(lines[2:])])


def _changes(command: AnyCommand) -> str:
    """Return what of a command's lines is never carried out unless somebody types or presses it."""
    if not command.only_asks:
        return "something, so it runs only when somebody types it or presses its button"
    words = ", ".join(f"`{keyword}`" for keyword in command.changing_keywords)
    return f"nothing; something with {words}" if words else "nothing"


def cards() -> str:
    """Return the table of all cards; importing their modules registers the views."""
    importlib.import_module("bot.cards.notices")
    Commands.discover()
    presenter = Presenter(choose_language(load_languages(), "en"), UTC)
    names = CardRenderer(languages=load_languages()).names()
    rows = ((f"`{name}`", _summary(name), _fields(name, presenter)) for name in names)
    return table(("card", "shows", "fields"), rows)


def _summary(card: str) -> str:
    first = (view_class(card).__doc__ or "").split("\n\n")[0].split(". ")[0].replace("``", "`")
    return re.sub(r" \([^()]*\)", "", first).rstrip(".")


def _fields(card: str, presenter: Presenter) -> str:
    return ", ".join(f"`{name}`" for name in ViewFields(load_sample(card), presenter))


def faults() -> str:
    """Return the table of the simulator's faults."""
    rows = (
        (f"`{name}`", fault["label"]["en"], fault["help"]["en"], f"{fault['delayMs']} ms" if fault["delayMs"] else "–")
        for name, fault in SimFaults(random.Random(0)).render().items()
    )
    return table(("name", "on the page", "what happens while it is on", "delay"), rows)


def events() -> str:
    """Return all event types with their fields."""
    return "\n\n".join(event_pages.sections())


def permissions() -> str:
    """Return what the ready rules give each role, for every command and button."""
    permission_page.check_actions()
    return table(permission_page.head(), permission_page.rows())


def routes() -> str:
    """Return the table of the routes for programs."""
    head = ("route", "answers", "takes")
    return table(head, map(_route, routes_of(Commands.discover())))


def _route(route: ApiRoute) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in taken(route))
    return f"`{route.method} {route.address}`", route.summary, names


def happenings() -> str:
    """Return the table of the types of events for programs."""
    return table(("type", "what happened"), ((f"`{TYPE_PREFIX}{each}`", MEANINGS[each]) for each in HappeningType))


BLOCKS: dict[str, Callable[[], str]] = {
    "routes": routes,
    "settings": settings,
    "metrics": metrics,
    "command_line": command_line,
    "commands": commands,
    "cards": cards,
    "faults": faults,
    "events": events,
    "happenings": happenings,
    "permissions": permissions,
}


def main() -> None:
    """Regenerate all reference pages and schemas."""
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path, schema in event_pages.schema_files().items():
        path.write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
