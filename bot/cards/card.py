"""A finished card: text in one language, buttons as tokens, still free of DingTalk's wire format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button ready to send: exactly one of ``token`` (a packed action) and ``url`` is set."""

    text: str
    color: str
    token: str = ""
    url: str = ""


class TextOnDemand:
    """A field of a card that is given as text, or as a function that is called when first somebody reads the field."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, card: None, owner: type) -> TextOnDemand: ...
    @overload
    def __get__(self, card: object, owner: type) -> str: ...
    def __get__(self, card: object | None, owner: type) -> TextOnDemand | str:
        if card is None:
            raise AttributeError(self._name)  # so that the field has no default
        content: Callable[[], str] | str = card.__dict__[self._name]
        text = content if isinstance(content, str) else content()
        card.__dict__[self._name] = text
        return text

    def __set__(self, card: object, content: Callable[[], str] | str) -> None:
        card.__dict__[self._name] = content


@dataclass(frozen=True, kw_only=True)
class Card:
    """Title, markdown body and tips of one template, with the view's buttons.

    ``twin`` is the same content for places that cannot show cards (``sampleMarkdown``, session webhook), with the
    buttons written out as commands to type; hardly any card needs it, and writing one takes a tenth of the card's
    time. ``fields`` are the view's own fields as text, for companies that map them to the variables of a template of
    their own.
    """

    name: str
    language: str
    title: str
    body: str
    tips: str
    buttons: tuple[CardButton, ...]
    twin: TextOnDemand = TextOnDemand()
    fields: Mapping[str, str]
