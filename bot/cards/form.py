"""Forms: what people fill in instead of typing, and the action that takes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.cards.actions import Action
from bot.words.phrase import Phrase

REASON_FIELD = "reason"
"""Name of the field whose words go with the button."""
VALUE_FIELD = "value"
"""Name of the field whose value ends the line that a form completes."""


class FormFieldKind(StrEnum):
    """What a field takes. Who submits may send anything else: the command reads it as if it were typed."""

    WORDS = "words"
    QUANTITY = "quantity"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field; every field is asked for."""

    name: str
    label: Phrase
    kind: FormFieldKind = FormFieldKind.WORDS
    placeholder: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """What is asked for; ``does`` is the action that gets it, as if a button did."""

    title: Phrase
    text: Phrase
    fields: tuple[FormField, ...]
    does: Action
