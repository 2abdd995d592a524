"""Turns cards into the variables of a DingTalk card template (docs: platform/dingtalk/templates.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson

from bot.cards.budget import CARD, Budget, group_button, message_button
from bot.cards.card import Card, CardButton, CardReply
from bot.words.errors import ConfigurationError

MARKDOWN_WITH_BUTTONS = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
"""The public template, which works in every application."""

BUTTONS = "buttons"
"""The card field with all buttons."""

BODY = "body"

_DOCUMENTED = Budget()
MOST_BUTTONS = 16
"""Buttons of a card with room for a dozen rows of a list, its pages, what it leads to, and the way back."""

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
    ``button1.url`` (and so on; empty if there are fewer buttons), or any key of `Card.fields`. ``body2``, ``buttons2``
    and so on are what the variable before has no room for: see `budget`. ``constants`` are variables whose value never
    changes. ``body_bytes`` and ``buttons_bytes`` go into each variable.
    """

    template_id: str = MARKDOWN_WITH_BUTTONS
    button_style: ButtonStyle = ButtonStyle.MSG_BUTTONS
    variables: Mapping[str, str] = field(default_factory=lambda: _PUBLIC_VARIABLES)
    constants: Mapping[str, str] = field(default_factory=lambda: _PUBLIC_CONSTANTS)
    body_bytes: int = _DOCUMENTED.body_bytes
    buttons_bytes: int = _DOCUMENTED.buttons_bytes
    budget: Budget = field(init=False)
    """How much fits into the variables, and what each of them takes."""

    def __post_init__(self) -> None:
        if self.button_style is ButtonStyle.STATIC and BUTTONS in self.variables.values():
            raise ConfigurationError(f"card template {self.template_id}: static buttons have no list of buttons")
        bodies, lists = (self._count(part) for part in (BODY, BUTTONS))
        more = lists * self.buttons_bytes > _DOCUMENTED.buttons_bytes and self.button_style is not ButtonStyle.STATIC
        budget = Budget(
            body_bytes=self.body_bytes,
            buttons_bytes=self.buttons_bytes,
            bodies=bodies,
            button_lists=lists,
            max_buttons=MOST_BUTTONS if more else _DOCUMENTED.max_buttons,
            # One variable for all buttons keeps its old measure: a group's are longer, and several KB work, too.
            grouped=self.button_style is ButtonStyle.BUTTON_GROUP and lists > 1,
        )
        object.__setattr__(self, "budget", budget)

    def _count(self, part: str) -> int:
        """Return over how many variables a part of the card is spread: 3 with ``body``, ``body2`` and ``body3``.

        Raises `ConfigurationError` where one is missing, since what belongs there would be shown nowhere.
        """
        named = frozenset(self.variables.values())
        further = sorted(source for source in named if re.fullmatch(rf"{part}\d+", source))
        names = [part, *(f"{part}{number + 2}" for number in range(len(further)))]
        if further and (missing := [name for name in names if name not in named]):
            raise ConfigurationError(f"card template {self.template_id}: {further[-1]} without {missing[0]}")
        return len(names)


def own_template(
    template_id: str,
    button_style: ButtonStyle = ButtonStyle.BUTTON_GROUP,
    variables: Mapping[str, str] | None = None,
    *,
    body_bytes: int = _DOCUMENTED.body_bytes,
    buttons_bytes: int = _DOCUMENTED.buttons_bytes,
) -> CardTemplate:
    """Return a custom template; without ``variables``, with those of the template file in the documentation."""
    shipped = {"title": "title", "markdown": "body", "tips": "tips", "btns": BUTTONS}
    return CardTemplate(
        template_id=template_id,
        button_style=button_style,
        variables=MappingProxyType(dict(shipped if variables is None else variables)),
        constants=MappingProxyType({}),
        body_bytes=body_bytes,
        buttons_bytes=buttons_bytes,
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
        value = _find(card, source, template, card.name)
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
        params[variable] = _find(card, source, template, made_as or card.name) or ""
    return params


def clicked_card(values: Mapping[str, object]) -> str:
    """Return the name the clicked card was created with, empty if the button lacks it.

    Cards of different kinds may have different templates, and a callback does not identify its card.
    """
    name = values.get(CARD)
    return name if isinstance(name, str) else ""


def _find(card: Card, source: str, template: CardTemplate, made_as: str) -> str | None:
    """Return the value of a variable from ``source``; None if this kind of card has no such field."""
    if source in ("title", "tips", "name", "language"):
        value: str = getattr(card, source)
        return value
    if (index := _index_of(source, BODY, template.budget.bodies)) is not None:
        return template.budget.spread_body(card.body)[index]
    if (index := _index_of(source, BUTTONS, template.budget.button_lists)) is not None:
        return _button_list(template.budget.spread_buttons(card.buttons)[index], template.button_style, made_as)
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


def _index_of(source: str, part: str, variables: int) -> int | None:
    """Return which of the variables over which a part is spread takes it: 1 for ``body2``; None for other sources."""
    names = (part, *(f"{part}{number}" for number in range(2, variables + 1)))
    return names.index(source) if source in names else None


def _button_list(buttons: Sequence[CardButton], style: ButtonStyle, made_as: str) -> str:
    if style is ButtonStyle.MSG_BUTTONS:
        return orjson.dumps({"msgButtons": [*map(message_button, buttons)]}).decode()
    return orjson.dumps([group_button(button, made_as) for button in buttons]).decode()
