"""The form of an ERP: its fields are those of the vendor's options, and so is what is wrong with them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from bot.erp.vendors import find_vendor
from bot.settings import ErpSettings
from bot.setup.draft import EnteredSource
from bot.words.phrase import Phrase, Words, phrase
from bot.words.wrong_values import explain_wrong_value

FURTHER = "further"
"""The field for options that are no single values, as lines of TOML."""
_PREFIX = "option-"
_PLAIN = (str, int, float, date, Path)
_LABELS: Mapping[str, Phrase] = MappingProxyType(
    {
        "url": phrase("Address"),
        "database": phrase("Database"),
        "user": phrase("User"),
        "password": phrase("Password"),
        "key": phrase("API key"),
        "secret": phrase("API secret"),
        "company": phrase("Company"),
        "language": phrase("Language"),
        "timezone": phrase("Time zone"),
        "time_zone": phrase("Time zone"),
        "zone": phrase("Time zone"),
        "tenant": phrase("Tenant"),
        "app_key": phrase("AppKey"),
        "app_secret": phrase("AppSecret"),
        "app_id": phrase("App id"),
        "acct_id": phrase("Data centre"),
        "org": phrase("Organisation"),
    }
)


class EntryKind(StrEnum):
    """How a value is typed."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - a kind of field
    NUMBER = "number"
    CHOICE = "choice"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorField:
    """A field. ``value`` is what is shown: never a secret, of which it is only told whether one ``is_kept``."""

    name: str
    label: Phrase | str
    hint: str
    kind: EntryKind
    is_required: bool
    choices: tuple[str, ...] = ()
    value: str = ""
    is_kept: bool = False
    problem: Words = ""

    @property
    def is_usual(self) -> bool:
        """Whether it stands above the others: what most installations need has a name of its own here."""
        is_named = isinstance(self.label, Phrase)
        return self.is_required or is_named or bool(self.problem) or self.kind is EntryKind.SECRET

    @property
    def sent_as(self) -> str:
        """The name under which a browser sends it."""
        return f"{_PREFIX}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorForm:
    """The form of a vendor, with what was typed and what is wrong with it; ``problem`` is about none of the fields."""

    vendor: str
    title: str
    fields: tuple[VendorField, ...]
    has_further: bool
    """Whether the vendor has options that are no single values."""
    further: str = ""
    further_problem: Words = ""
    problem: Words = ""

    @property
    def is_wrong(self) -> bool:
        """Whether something must be corrected."""
        return bool(self.problem or self.further_problem or any(field.problem for field in self.fields))


def empty_form(vendor: str, known: Mapping[str, Any]) -> VendorForm:
    """Return the form, filled with ``known`` options. Raises `ConfigurationError` for an unknown vendor."""
    found = find_vendor(vendor)
    fields = tuple(_fields(found.options, known))
    return VendorForm(
        vendor=vendor,
        title=found.title,
        fields=tuple(sorted(fields, key=lambda field: not field.is_required)),
        has_further=len(fields) < len({*found.options.model_fields} - {*ErpSettings.model_fields}),
    )


def read_form(form: VendorForm, sent: Mapping[str, str], known: Mapping[str, Any]) -> tuple[VendorForm, EnteredSource]:
    """Return the form as it was sent, with what is wrong, and the source that it makes.

    A secret that was left empty is that of ``known``. Values are texts: the vendor's options read them.
    """
    options: dict[str, Any] = {}
    for field in form.fields:
        text = sent.get(field.sent_as, "").strip()
        if field.kind is EntryKind.SWITCH:
            text = "true" if text else "false"
        value = text or (known.get(field.name, "") if field.kind is EntryKind.SECRET else "")
        if value:
            options[field.name] = value
    further, wrong = _read_further(sent.get(FURTHER, ""))
    secrets = frozenset(field.name for field in form.fields if field.kind is EntryKind.SECRET)
    problems: dict[str, Words] = {}
    model = find_vendor(form.vendor).options
    try:
        checked = model.model_validate({**further, **options})
        options = {name: _plain(checked, name, value, secrets) for name, value in options.items()}
        options = {name: value for name, value in options.items() if value != model.model_fields[name].default}
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            problems.setdefault(str(problem["loc"][0]) if problem["loc"] else "", explain_wrong_value(problem))
    source = EnteredSource(form.vendor, {**further, **options}, secrets)
    return _filled(form, sent, source, problems, wrong), source


def _filled(
    form: VendorForm, sent: Mapping[str, str], source: EnteredSource, problems: dict[str, Words], wrong: Words
) -> VendorForm:
    fields = []
    for field in form.fields:
        is_secret = field.kind is EntryKind.SECRET
        fields.append(
            replace(
                field,
                value="" if is_secret else sent.get(field.sent_as, ""),
                is_kept=is_secret and bool(source.options.get(field.name)),
                problem=problems.pop(field.name, ""),
            )
        )
    other = next(iter(problems.items()), None)
    about = phrase("%(key)s: %(reason)s", key=other[0], reason=other[1]) if other and other[0] else ""
    return replace(
        form,
        fields=tuple(fields),
        further=sent.get(FURTHER, ""),
        further_problem=wrong or (about if form.has_further else ""),
        problem=other[1] if other and not other[0] else ("" if form.has_further else about),
    )


def _read_further(text: str) -> tuple[dict[str, Any], Words]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n")), ""
    except tomllib.TOMLDecodeError as error:
        return {}, phrase("This is no TOML: %(why)s", why=str(error))


def _plain(checked: BaseModel, name: str, value: str, secrets: frozenset[str]) -> Any:
    """Return a value as the settings hold it: a number as a number, but a secret or a path as it was typed."""
    read = getattr(checked, name)
    return value if name in secrets or not isinstance(read, bool | int | float) else read


def _fields(options: type[BaseModel], known: Mapping[str, Any]) -> Iterator[VendorField]:
    for name, field in options.model_fields.items():
        if name in ErpSettings.model_fields:
            continue
        shape = _shape(field.annotation)
        if shape is None:
            continue
        kind, choices = shape
        value = known.get(name, "" if field.is_required() or field.default is None else field.default)
        yield VendorField(
            name=name,
            label=_LABELS.get(name, name),
            hint=field.description or "",
            kind=kind,
            is_required=field.is_required(),
            choices=choices,
            value="" if kind is EntryKind.SECRET else _shown(value),
            is_kept=kind is EntryKind.SECRET and bool(known.get(name)),
        )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shape(annotation: Any) -> tuple[EntryKind, tuple[str, ...]] | None:
    """Return how a value of a type is typed, None for what is no single value."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _shape(get_args(annotation)[0])
    if origin in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        shapes = [_shape(part) for part in parts if get_origin(part) is not Literal or len(parts) == 1]
        return shapes[0] if len(shapes) == 1 else None
    if origin is Literal:
        return EntryKind.CHOICE, tuple(map(str, get_args(annotation)))
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, SecretStr):
        return EntryKind.SECRET, ()
    if issubclass(annotation, bool):
        return EntryKind.SWITCH, ()
    if issubclass(annotation, int | float):
        return EntryKind.NUMBER, ()
    return (EntryKind.TEXT, ()) if issubclass(annotation, _PLAIN) else None
