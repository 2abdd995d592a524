"""The files that the set-up writes: the settings, the rules, and one file for each secret.

The settings name the files of secrets (``file:PATH``), so what is written can be shown. What stands in the settings
already stays, with its comments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from bot.access.policy import ADMIN
from bot.mechanisms.private_files import replace_files
from bot.rulefiles.versions import DiffLine, as_whole, compare_texts, digest_of_content
from bot.settings import DEFAULT_FILE, SETUP_JOURNAL, ErpSettings, Settings
from bot.setup.draft import AccessChoice, EnteredAccess, EnteredAlerts, SetupDraft, source_name
from bot.words.errors import ConfigurationError

DOCUMENT_COMMANDS = ("stock", "order", "quote", "invoice", "po", "mo", "customer", "vendor", "bill", "payment")
"""The commands that the ready rules are about."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file as it is and as it would be. A secret one is not shown."""

    path: Path
    before: str
    after: str
    is_secret: bool = False

    @property
    def lines(self) -> tuple[DiffLine, ...]:
        """The difference."""
        return compare_texts(self.before, self.after)


def plan_files(draft: SetupDraft, settings: Settings, file: Path | None) -> tuple[PlannedFile, ...]:
    """Return what would be written, without what stays as it is; the settings come last.

    Raises `OSError`, and `ConfigurationError` for a file that cannot be changed so.
    """
    planned = [
        *_rule_files(draft, settings),
        *(_secret(settings, name, text) for name, text in _secrets(draft, settings)),
        _planned(file or settings.file or DEFAULT_FILE, lambda before: _settings_text(draft, settings, before)),
    ]
    return tuple(each for each in planned if each.before != each.after)


def digest_of_plan(planned: tuple[PlannedFile, ...]) -> str:
    """Return what tells whether the files are still those that were looked at."""
    return digest_of_content("\0".join(f"{each.path}\0{each.before}\0{each.after}" for each in planned).encode())


def write_files(planned: tuple[PlannedFile, ...], file: Path | None) -> None:
    """Write all of them, or none. Raises `OSError`."""
    replace_files(journal_of(file), {each.path: each.after.encode() for each in planned})


def journal_of(file: Path | None) -> Path:
    """Return the file that is there while a set-up writes."""
    return (file or DEFAULT_FILE).with_name(SETUP_JOURNAL.name)


def access_text(access: EnteredAccess) -> str:
    """Return the file of access rules."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Who may ask what: docs/how-to/configure-access.md"))
    match access.choice:
        case AccessChoice.EVERYBODY:
            document["open"] = True
        case AccessChoice.ROLES:
            document["presets"] = True
            shared = {"shared": True, "commands": ["stock", "mo"], "fields": ["quantity"]}
            document["rules"] = [{"name": "groups see stock and production", **shared}]
        case AccessChoice.ADMINISTRATORS:
            only = {"commands": [*DOCUMENT_COMMANDS], "roles": [ADMIN]}
            document["rules"] = [{"name": "for administrators, to begin with", **only}]
    return as_whole(tomlkit.dumps(document))


def alerts_text(alerts: EnteredAlerts) -> str:
    """Return the file of alert rules."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Where alerts go: docs/how-to/route-alerts.md"))
    route = {"name": alerts.title or "first", "types": [*alerts.types], "to": [f"group:{alerts.conversation_id}"]}
    document["default"] = {"to": []}  # what was not chosen goes nowhere, and the file has to say so
    document["routes"] = [route]
    return as_whole(tomlkit.dumps(document))


def _rule_files(draft: SetupDraft, settings: Settings) -> Iterator[PlannedFile]:
    if draft.access:
        text = access_text(draft.access)
        yield _planned(_place(settings.access_rules), lambda _: text)
    if draft.alerts:
        routes = alerts_text(draft.alerts)
        yield _planned(_place(settings.alert_rules), lambda _: routes)


def _place(places: tuple[Path, ...]) -> Path:
    """Return the file that counts, or where it would be."""
    return next(filter(Path.exists, places), places[0])


def _planned(path: Path, text: Any) -> PlannedFile:
    before = path.read_text("utf-8") if path.exists() else ""
    return PlannedFile(path, before, text(before))


def _secrets(draft: SetupDraft, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the name of the file of each secret, with the secret."""
    if draft.keys:
        yield "dingtalk-client-secret", draft.keys.client_secret
    if draft.source:
        for option in sorted(draft.source.secrets & {*draft.source.options}):
            value = draft.source.options[option]
            if not _is_reference(value):
                yield f"erp-{source_name(settings)}-{option}", value


def _secret(settings: Settings, name: str, text: str) -> PlannedFile:
    path = settings.data_dir / "secrets" / name
    before = path.read_text("utf-8") if path.exists() else ""
    return PlannedFile(path, before, text, is_secret=True)


def _is_reference(value: str) -> bool:
    return value.startswith(("env:", "file:", "sealed:"))


def _settings_text(draft: SetupDraft, settings: Settings, before: str) -> str:
    """Return the settings with what was entered. Raises `ConfigurationError` for a text that cannot be changed so."""
    try:
        after = _changed_settings(draft, settings, tomlkit.parse(before))
        tomllib.loads(after)
    except (TOMLKitError, ValueError) as error:
        raise ConfigurationError(f"the settings file cannot be changed here: {error}") from error
    return after


def _changed_settings(draft: SetupDraft, settings: Settings, document: tomlkit.TOMLDocument) -> str:
    files = {name: f"file:{_secret(settings, name, text).path}" for name, text in _secrets(draft, settings)}
    if draft.keys:
        keys = {"client_id": draft.keys.client_id, "client_secret": files["dingtalk-client-secret"]}
        _table(document, "dingtalk").update(keys)
    if draft.source:
        name = source_name(settings)
        named = {option: files.get(f"erp-{name}-{option}", value) for option, value in draft.source.options.items()}
        source = tomlkit.table()
        source.update({"vendor": draft.source.vendor, **_kept(document, name), **named})
        _table(document, "erp")[name] = source
    if draft.access:
        access = _table(document, "access")
        if draft.access.by_directory:
            access["directory"] = True
        if draft.access.administrators:
            _table(access, "roles")[ADMIN] = [*draft.access.administrators]
    return tomlkit.dumps(document)


def _kept(document: tomlkit.TOMLDocument, name: str) -> Mapping[str, Any]:
    """Return what the bot's own settings of a source are, which its vendor's options do not replace."""
    own = {*ErpSettings.model_fields} - {"vendor"}
    written = document.get("erp", {}).get(name, {})
    return {key: value for key, value in written.items() if key in own}


def _is_in_one_line(document: Any, name: str) -> bool:
    """Return whether a table is written as ``name = {…}`` or ``name.key = …``."""
    if isinstance(document[name], InlineTable):
        return True
    body = document.body if isinstance(document, tomlkit.TOMLDocument) else document.value.body
    return any(key is not None and key.key == name and key.is_dotted() for key, _ in body)


def _table(document: Any, name: str) -> Table:
    """Return a table of a document, made where there is none."""
    if name not in document:
        document[name] = tomlkit.table(is_super_table=name in ("erp", "roles") or None)
    elif _is_in_one_line(document, name):
        # No table stands in an inline one, and at the place of such a line it would take what follows it in.
        document[name] = tomlkit.item(document.pop(name).unwrap())
    found: Table = document[name]
    return found
