"""A finished card, free of DingTalk's wire format: text in one language, buttons as tokens; and a click on a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, overload

from bot.cards.form import FormFieldKind
from bot.cards.view import Button, View
from bot.words.phrase import Phrase


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button ready to send: exactly one of ``token`` (a packed action) and ``url`` is set."""

    text: str
    color: str
    token: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFormField:
    """A field of a form, in one language."""

    name: str
    label: str
    kind: FormFieldKind
    placeholder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardForm:
    """A form in one language; ``token`` is the packed action that gets what is filled in."""

    language: str
    title: str
    text: str
    fields: tuple[CardFormField, ...]
    token: str


class FormState(StrEnum):
    """What a form shows its reader."""

    OPEN = "open"
    """It can be filled in (again)."""
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It takes nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormReply:
    """What a form shows who submitted it, instead of what it asked.

    With the ``label`` alone, which is a note beside its title, the form stays as it is.
    """

    label: str
    state: FormState | None = None
    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReply:
    """What the answer to a click changes on the clicked card.

    ``shown`` becomes the card for all who hold it. ``own`` is for the clicker, by values of their own, which hide what
    is shown. A ``note`` stands in place of the tips alone.
    """

    shown: Card | None = None
    own: Card | None = None
    note: str = ""


class TextOnDemand:
    """A field of a card that holds text, or a function that makes the text when the field is first read."""

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
    buttons written out as commands to type; hardly any card needs it, and writing it takes a tenth of the card's
    time. ``fields`` are the view's own fields as text, for companies that map them to the variables of a template of
    their own. ``line`` asks for the same card again; empty where nothing does, or the reader may not see its words.
    ``form`` asks for what the card asks for.
    """

    name: str
    language: str
    title: str
    body: str
    tips: str
    buttons: tuple[CardButton, ...]
    twin: TextOnDemand = TextOnDemand()
    fields: Mapping[str, str]
    line: str = ""
    form: CardForm | None = None

    def with_body(self, body: str) -> Card:
        """Return the card with another body and the same twin, which `dataclasses.replace` would write."""
        card = object.__new__(Card)
        card.__dict__.update(self.__dict__, body=body)
        return card


class ViewRenderer(Protocol):
    """Turns a view into a card for one reader; implemented by `bot.cards.renderer`."""

    def render(
        self,
        view: View,
        language: str,
        *,
        zone: tzinfo,
        read_as: Phrase | None = None,
        trail: Sequence[str] | None = None,
        tries: Sequence[Button] = (),
        reference: str = "",
    ) -> Card:
        """Return the card in the reader's language; ``read_as`` says what a sentence was taken for.

        With a ``trail``, the lines of what the card showed before, its buttons lead back. ``tries`` are what a newcomer
        may try; a ``reference`` to what was done ends the tips.
        """
        ...


class FileRenderer(ViewRenderer, Protocol):
    """The same for views whose rows go into a file."""

    def tell_apart(self, view: View) -> View:
        """Return a view that says of which ERP it and its rows are, where there are several."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Who clicked which button of which card. Only ``user_id`` and ``corp_id`` can be trusted.

    ``token`` is the packed action of the button, empty when the card carries no token that can be read;
    ``values`` are further parameters and form fields. ``space_id`` is where the card was clicked: a forwarded card may
    be clicked elsewhere than it was sent. ``made_as`` is the name of the card as it was created, where the button tells
    it.
    """

    track_id: str
    user_id: str
    corp_id: str
    token: str
    space_id: str = ""
    space_type: str = ""
    made_as: str = ""
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
