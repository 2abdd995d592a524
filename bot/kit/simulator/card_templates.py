"""Card templates: the variables they show, and their own elements: buttons, inputs, forms.

Docs: platform/dingtalk/templates.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal, get_args

import orjson

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_FIELD_KEYS = frozenset(
    {
        *("name", "label", "type", "required", "requiredMsg", "placeholder", "defaultValue", "options"),
        *("hidden", "readOnly", "format", "minRows", "maxRows", "addText"),
    }
)
_REQUIRED = "请填写{label}"


FieldType = Literal[
    "TEXT",
    "TEXT_AREA",
    "TEXT_ARRAY",
    "NUMBER",
    "DATE",
    "TIME",
    "DATETIME",
    "SELECT",
    "MULTI_SELECT",
    "CHECKBOX_GROUP",
    "MULTI_CHECKBOX_GROUP",
    "CHECKBOX",
    "SWITCH",
]
_TYPES: frozenset[str] = frozenset(get_args(FieldType))
_MOMENTS = MappingProxyType({"DATE": "%Y-%m-%d", "TIME": "%H:%M", "DATETIME": "%Y-%m-%d %H:%M"})
_SEVERAL = frozenset({"TEXT_ARRAY", "MULTI_SELECT", "MULTI_CHECKBOX_GROUP"})


class InvalidTemplate(ValueError):
    """A template declaration that is invalid or not simulated."""


class InvalidFieldValue(ValueError):
    """A value that the field does not accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateOption:
    """An option of a select field: ``value`` is sent, ``text`` is shown."""

    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateField:
    """A form field; its declaration uses the platform's keys.

    Docs: platform/dingtalk/callbacks.md#form-values
    """

    name: str
    label: str
    type: FieldType
    placeholder: str = ""
    default: str = ""
    required_message: str = ""
    """The client's message while the required field is empty; an empty text makes the field optional."""
    options: tuple[TemplateOption, ...] = ()
    hidden: bool = False
    read_only: bool = False

    def value(self, entered: str) -> Any:
        """Return the value sent for an entry, by the field's type; None if nothing was chosen.

        Several texts or choices are entered as a JSON list, yes and no as ``true`` and ``false``. Raises
        `InvalidFieldValue` for impossible entries.
        """
        if self.type in ("TEXT", "TEXT_AREA"):
            return entered
        if self.type in ("CHECKBOX", "SWITCH"):
            return _choice(entered or "false", ("false", "true")) == 1
        if not entered:
            return None
        if self.type in _MOMENTS:
            return _moment(entered, _MOMENTS[self.type])
        if self.type == "NUMBER":
            return _number(entered)
        values = [option.value for option in self.options]
        if self.type in _SEVERAL:
            several = _list(entered)
            if self.type == "TEXT_ARRAY":
                return several
            places = [_choice(each, values) for each in several]
            return {"index": places, "value": several} if self.type == "MULTI_SELECT" else several
        place = _choice(entered, values)
        return {"index": place, "value": entered} if self.type == "SELECT" else entered

    def render(self) -> dict[str, Any]:
        """Return the field for the control API, in the form of its declaration."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "placeholder": self.placeholder,
            "defaultValue": self.default,
            "required": bool(self.required_message),
            **({"hidden": True} if self.hidden else {}),
            **({"readOnly": True} if self.read_only else {}),
            "options": [{"value": option.value, "text": option.text} for option in self.options],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateButton:
    """A button defined by the template. ``${name}`` in its texts is a variable of the card.

    Docs: platform/dingtalk/templates.md#own-templates
    """

    text: str
    color: str = "gray"
    params: Mapping[str, str] = field(default_factory=dict)
    action_id: str = ""
    """The click's id in place of the builder's node id."""
    submits: bool = True
    """Whether a click carries the entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimTemplate:
    """The variables of a template. ``private`` None: its private variables are unknown."""

    id: str
    published: bool = True
    title: str = "title"
    markdown: tuple[str, ...] = ("markdown",)
    """Variables of texts that stand one below the other."""
    tips: str = "tips"
    button_groups: tuple[str, ...] = ()
    """Variables of type `buttonGroup`, besides the `msgButtons` that every template may get."""
    streaming: frozenset[str] = frozenset()
    """Markdown variables that accept streaming."""
    private: frozenset[str] | None = None
    buttons: tuple[TemplateButton, ...] = ()
    """Shown below those of ``button_groups``; a button without text is hidden, as by a condition in the builder."""
    inputs: tuple[TemplateField, ...] = ()
    """Standalone input components: each value is a parameter of the click."""
    form: tuple[TemplateField, ...] = ()
    """Fields of a form component: their values are one parameter ``form``."""
    form_variable: str = ""
    """Variable of type `form`, whose JSON text declares further fields."""
    buttons_in_form: bool = False
    """Whether ``buttons`` are shown only with the fields."""
    fields_if: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Variable values required for inputs and form to be shown, like a condition in the builder."""

    def fields(self, values: Mapping[str, str]) -> tuple[TemplateField, ...]:
        """Return the fields shown by a card with these variables."""
        return (*self.inputs, *self._form(values)) if self.shows_fields(values) else ()

    def shows_fields(self, values: Mapping[str, str]) -> bool:
        """Return whether a card with these variables shows the inputs and the form."""
        return all(values.get(name, "") == wanted for name, wanted in self.fields_if.items())

    def _form(self, values: Mapping[str, str]) -> tuple[TemplateField, ...]:
        declared = values.get(self.form_variable, "") if self.form_variable else ""
        return (*self.form, *_declared_fields(declared)) if declared else self.form

    def missing(self, values: Mapping[str, str], entered: Mapping[str, str]) -> str:
        """Return the client's message for the first empty required field; empty if there is none."""
        unfilled = (
            field for field in self.fields(values) if field.required_message and not _given(field, entered).strip()
        )
        return next((field.required_message for field in unfilled), "")

    def params(self, values: Mapping[str, str], entered: Mapping[str, str]) -> dict[str, Any]:
        """Return the click parameters from a card's fields; raises `InvalidFieldValue`.

        The value of an empty field is undocumented (docs: platform/dingtalk/unknowns.md#empty-fields): here a text
        field sends empty text, a select nothing.

        Docs: platform/dingtalk/callbacks.md#form-values
        """
        shown = self.fields(values)
        if unknown := entered.keys() - {field.name for field in shown}:
            raise InvalidFieldValue(f"no field {min(unknown)!r} on this card")
        if not shown:
            return {}
        params, form = _values(self.inputs, entered), self._form(values)
        return {**params, "form": _values(form, entered)} if form else params


MARKDOWN_BUTTONS = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"

PUBLIC_FORM = "c2a6355b-9724-4f7e-9653-d33fcb3311bb.schema"

_STREAMED = frozenset({"msgContent", "staticMsgContent"})
PUBLIC_TEMPLATES = (
    SimTemplate(id=MARKDOWN_BUTTONS),
    SimTemplate(id="589420e2-c1e2-46ef-a5ed-b8728e654da9.schema"),
    SimTemplate(
        id="382e4302-551d-4880-bf29-a30acfab2e71.schema",
        title="msgTitle",
        markdown=("msgContent",),
        streaming=_STREAMED,
    ),
    SimTemplate(
        id="02fcf2f4-5e02-4a85-b672-46d1f715543e.schema",
        title="msgTitle",
        markdown=("msgContent",),
        streaming=_STREAMED,
    ),
    SimTemplate(id="d28e2ac5-fb34-4d93-94bc-cf5c580c2d4f.schema", markdown=("content",)),
    SimTemplate(
        id=PUBLIC_FORM,
        title="question_title",
        markdown=("question_desc",),
        tips="form_btn_text",
        buttons=(
            TemplateButton(text="确定", color="blue", action_id="${question_id}"),
            TemplateButton(
                text="取消",
                color="red",
                params={"user_cancel": "true"},
                action_id="${question_id}",
                submits=False,
            ),
        ),
        buttons_in_form=True,
        form_variable="form",
        fields_if={"card_status": "pending"},
    ),
)
"""Published inside DingTalk's own SDKs, usable by any internal app
(docs: platform/dingtalk/templates.md#public-templates), and the form of public projects (…/templates.md#forms)."""


def read_template(body: Mapping[str, Any]) -> SimTemplate:
    """Return the template declared in a control API body; raises `InvalidTemplate`."""
    private, given = body.get("private"), body.get("fieldsIf") or {}
    template = SimTemplate(
        id=_word(body, "id"),
        published=body.get("published", True) is True,
        title=str(body.get("title", "title")),
        markdown=_names(body.get("markdown", "markdown")),
        tips=str(body.get("tips", "tips")),
        button_groups=_names(body.get("buttonGroup") or []),
        streaming=frozenset(map(str, body.get("streaming") or ())),
        private=frozenset(map(str, private)) if isinstance(private, list) else None,
        buttons=tuple(map(_read_button, _objects(body, "buttons"))),
        inputs=tuple(map(_read_field, _objects(body, "inputs"))),
        form=tuple(map(_read_field, _objects(body, "form"))),
        fields_if=_texts(given, "fieldsIf"),
    )
    names = [field.name for field in (*template.inputs, *template.form)]
    if len(names) != len(set(names)):
        raise InvalidTemplate("two fields have the same name")
    return template


def fill_variables(text: str, values: Mapping[str, str]) -> str:
    """Return a template text with the card's variables filled in."""
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), text)


def _declared_fields(text: str) -> tuple[TemplateField, ...]:
    """Return the fields declared in a variable; empty if it is malformed, as the client then shows none."""
    try:
        declared = orjson.loads(text)
        return tuple(map(_read_field, _objects(declared, "fields"))) if isinstance(declared, dict) else ()
    except (orjson.JSONDecodeError, InvalidTemplate):
        return ()


def _moment(entered: str, form: str) -> str:
    try:
        return f"{datetime.strptime(entered, form):{form}}"  # noqa: DTZ007  # the client sends no zone
    except ValueError as error:
        raise InvalidFieldValue(f"no day or time: {entered!r}") from error


def _number(entered: str) -> str:
    """Return the digits as entered; the sent value is undocumented."""
    try:
        if Decimal(entered).is_finite():
            return entered
    except InvalidOperation:
        pass
    raise InvalidFieldValue(f"no number: {entered!r}")


def _list(entered: str) -> list[str]:
    try:
        several = orjson.loads(entered)
    except orjson.JSONDecodeError as error:
        raise InvalidFieldValue(f"no list: {entered!r}") from error
    if not isinstance(several, list) or not all(isinstance(each, str) for each in several):
        raise InvalidFieldValue(f"no list of texts: {entered!r}")
    return several


def _choice(entered: str, values: Sequence[str]) -> int:
    if entered not in values:
        raise InvalidFieldValue(f"{entered!r} is not among the options")
    return values.index(entered)


def _values(fields: Iterable[TemplateField], entered: Mapping[str, str]) -> dict[str, Any]:
    values = ((field.name, field.value(_given(field, entered))) for field in fields)
    return {name: value for name, value in values if value is not None}


def _given(field: TemplateField, entered: Mapping[str, str]) -> str:
    fixed = field.hidden or field.read_only
    return field.default if fixed else entered.get(field.name, field.default)


def _read_button(given: Mapping[str, Any]) -> TemplateButton:
    params = _texts(given.get("params") or {}, "params")
    return TemplateButton(text=_word(given, "text"), color=str(given.get("color", "gray")), params=params)


def _read_field(given: Mapping[str, Any]) -> TemplateField:
    if unknown := given.keys() - _FIELD_KEYS:
        raise InvalidTemplate(f"{min(unknown)} of a field is not simulated")
    name, type_ = _word(given, "name"), given.get("type", "TEXT")
    if type_ not in _TYPES:
        raise InvalidTemplate(f"fields of the type {type_} are not simulated")
    label = str(given.get("label") or name)
    asked = str(given.get("requiredMsg") or _REQUIRED.format(label=label))
    return TemplateField(
        name=name,
        label=label,
        type=type_,
        placeholder=str(given.get("placeholder") or ""),
        default=_default(given.get("defaultValue")),
        hidden=given.get("hidden") is True,
        read_only=given.get("readOnly") is True,
        required_message=asked if given.get("required") is True else "",
        options=tuple(
            TemplateOption(value=_word(option, "value"), text=str(option.get("text") or option["value"]))
            for option in _objects(given, "options")
        ),
    )


def _default(given: object) -> str:
    """Return a default in the form of an entry."""
    if isinstance(given, dict):  # of a drop-down: index and value
        given = given.get("value")
    if isinstance(given, bool | list):
        return orjson.dumps(given).decode()
    return str(given or "")


def _objects(holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = holder.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidTemplate(f"{key} must be a list of objects")
    return found


def _texts(holder: object, key: str) -> Mapping[str, str]:
    if not isinstance(holder, dict) or not all(isinstance(value, str) for value in holder.values()):
        raise InvalidTemplate(f"{key} must map names to texts")
    return MappingProxyType(dict(holder))


def _names(given: object) -> tuple[str, ...]:
    """Return the names of one variable or of several."""
    return tuple(map(str, given)) if isinstance(given, list) else (str(given),)


def _word(holder: Mapping[str, Any], key: str) -> str:
    found = holder.get(key)
    if not isinstance(found, str) or not found:
        raise InvalidTemplate(f"{key} is missing")
    return found
