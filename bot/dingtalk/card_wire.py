"""Turns cards into the variables of a DingTalk card template (docs: platform/dingtalk/templates.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson

from bot.cards.budget import message_button
from bot.cards.card import Card, CardButton, CardReply
from bot.words.errors import ConfigurationError

MARKDOWN_WITH_BUTTONS = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
"""The public template, which works in every application."""

BUTTONS = "buttons"
"""The card field with all buttons."""

_CARD = "card"
"""Parameter of buttons in custom templates: the name of their card at its creation."""

_PUBLIC_VARIABLES = MappingProxyType(
    {"title": "title", "markdown": "body", "tips": "tips", "sys_full_json_obj": BUTTONS}
)
_PUBLIC_CONSTANTS = MappingProxyType(
    # The SDK's own picture; wide layout, and no forwarding since a card belongs to one conversation.
    {"logo": "@lALPDfJ6V_FPDmvNAfTNAfQ", "config": '{"autoLayout":true,"enableForward":false}'}
)


class ButtonStyle(StrEnum):
    """The form in which a template expects its buttons."""

    MSG_BUTTONS = "msgButtons"
    """JSON text ``{"msgButtons": […]}``: the public templates."""

    BUTTON_GROUP = "buttonGroup"
    """JSON text of a list: a variable of type ``buttonGroup`` in a custom template."""

    STATIC = "static"
    """Buttons that are part of the template, which takes their texts and tokens one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTemplate:
    """A template in DingTalk's card builder and what goes into its variables.

    ``variables`` maps a variable to a field of the card: ``title``, ``body``, ``tips``, ``name``, ``language``,
    ``buttons`` (all of them, in the template's ``button_style``), ``button1.text``, ``button1.token`` and
    ``button1.url`` (and so on; empty if there are fewer buttons), or any key of `Card.fields`. ``constants`` are
    variables whose value never changes.
    """

    template_id: str = MARKDOWN_WITH_BUTTONS
    button_style: ButtonStyle = ButtonStyle.MSG_BUTTONS
    variables: Mapping[str, str] = field(default_factory=lambda: _PUBLIC_VARIABLES)
    constants: Mapping[str, str] = field(default_factory=lambda: _PUBLIC_CONSTANTS)

    def __post_init__(self) -> None:
        if self.button_style is ButtonStyle.STATIC and BUTTONS in self.variables.values():
            raise ConfigurationError(f"card template {self.template_id}: static buttons have no list of buttons")


def own_template(
    template_id: str,
    button_style: ButtonStyle = ButtonStyle.BUTTON_GROUP,
    variables: Mapping[str, str] | None = None,
) -> CardTemplate:
    """Return a custom template; without ``variables``, with those of the template file in the documentation."""
    shipped = {"title": "title", "markdown": "body", "tips": "tips", "btns": BUTTONS}
    return CardTemplate(
        template_id=template_id,
        button_style=button_style,
        variables=MappingProxyType(dict(shipped if variables is None else variables)),
        constants=MappingProxyType({}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChoice:
    """Maps kinds of cards to templates."""

    default: CardTemplate = field(default_factory=CardTemplate)
    by_card: Mapping[str, CardTemplate] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all templates in use."""
        return frozenset({self.default.template_id, *(template.template_id for template in self.by_card.values())})

    def of(self, card_name: str) -> CardTemplate:
        """Return the template for cards with this name."""
        return self.by_card.get(card_name, self.default)


def card_params(card: Card, template: CardTemplate) -> dict[str, str]:
    """Return the template's variables, all strings as DingTalk requires.

    Raises `ConfigurationError` if the template's mapping names a field that this kind of card lacks.
    """
    params = dict(template.constants)
    for variable, source in template.variables.items():
        value = _find(card, source, template.button_style, card.name)
        if value is None:
            raise ConfigurationError(
                f"card template {template.template_id}: card “{card.name}” has no field “{source}”"
            )
        params[variable] = value
    return params


def click_response(reply: CardReply, template: CardTemplate, made_as: str = "") -> dict[str, Any]:
    """Return the ``response`` of a callback's ACK that updates the clicked card.

    ``template`` is that card's template and ``made_as`` its name, if known: the new buttons carry it too. Variables
    without a field in the new kind of card become empty. Only named variables change; without the options the others
    would become empty too (docs: platform/dingtalk/cards.md#updates).
    """
    shown = changed_params(reply.shown, template, made_as) if reply.shown else _noted(reply.note, template)
    own = changed_params(reply.own, template, made_as) if reply.own else {}
    if not shown and not own:
        return {}
    return {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        **({"cardData": {"cardParamMap": shown}} if shown else {}),
        **({"userPrivateData": {"cardParamMap": own}} if own else {}),
    }


def _noted(note: str, template: CardTemplate) -> dict[str, str]:
    return {name: note for name, source in template.variables.items() if source == "tips"} if note else {}


def changed_params(card: Card, template: CardTemplate, made_as: str = "") -> dict[str, str]:
    """Return the variables of a card with new content; those without a field become empty."""
    params = dict(template.constants)
    for variable, source in template.variables.items():
        params[variable] = _find(card, source, template.button_style, made_as or card.name) or ""
    return params


def clicked_card(values: Mapping[str, object]) -> str:
    """Return the name the clicked card was created with, empty if the button lacks it.

    Cards of different kinds may have different templates, and a callback does not identify its card.
    """
    name = values.get(_CARD)
    return name if isinstance(name, str) else ""


def _find(card: Card, source: str, style: ButtonStyle, made_as: str) -> str | None:
    """Return the value of a variable from ``source``; None if this kind of card has no such field."""
    match source:
        case "title" | "body" | "tips" | "name" | "language":
            value: str = getattr(card, source)
            return value
        case "buttons":
            return _buttons(card, style, made_as)
    return card.fields.get(source, _one_button(card.buttons, source))


def _one_button(buttons: Sequence[CardButton], source: str) -> str | None:
    """Return ``button<number>.text``, ``.token`` or ``.url``; None for other sources."""
    number, _, wanted = source.removeprefix("button").partition(".")
    if not source.startswith("button") or not number.isdecimal() or wanted not in ("text", "token", "url"):
        return None
    index = int(number) - 1
    if not 0 <= index < len(buttons):
        return ""
    value: str = getattr(buttons[index], wanted)
    return value


def _buttons(card: Card, style: ButtonStyle, made_as: str) -> str:
    if style is ButtonStyle.MSG_BUTTONS:
        return orjson.dumps({"msgButtons": [message_button(button) for button in card.buttons]}).decode()
    return orjson.dumps([_group_button(button, made_as) for button in card.buttons]).decode()


def _group_button(button: CardButton, made_as: str) -> dict[str, Any]:
    event: dict[str, Any]
    if button.url:
        event = {"type": "openLink", "params": {"url": button.url}}
    else:
        params = {"id": button.token, _CARD: made_as}
        event = {"type": "sendCardRequest", "params": {"actionId": button.token, "params": params}}
    return {"text": button.text, "color": button.color, "status": "normal", "event": event}
