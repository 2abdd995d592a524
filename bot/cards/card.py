"""A finished card: text in one language, buttons as tokens, still free of DingTalk's wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button ready to send: exactly one of ``token`` (a packed action) and ``url`` is set."""

    text: str
    color: str
    token: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Title, markdown body and tips of one template, with the view's buttons.

    ``twin`` is the same content for places that cannot show cards (``sampleMarkdown``, session webhook), with the
    buttons written out as commands to type. ``fields`` are the view's own fields as text, for companies that map
    them to the variables of a template of their own.
    """

    name: str
    language: str
    title: str
    body: str
    tips: str
    buttons: tuple[CardButton, ...]
    twin: str
    fields: Mapping[str, str]
