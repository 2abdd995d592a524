"""Shows cards without sending them: what ``dingerp card`` prints."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from bot.bootstrap.factories import make_renderer, templates
from bot.cards import samples
from bot.cards.card import Card
from bot.cards.language import LANGUAGE_CODES
from bot.cards.picture import draw_picture
from bot.chat.registry import Commands
from bot.dingtalk.card_wire import card_params
from bot.settings import Settings
from bot.words.errors import ConfigurationError


def card_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of all cards."""
    return make_renderer(settings).names()


def sample_card(settings: Settings, name: str, language: str) -> Card:
    """Render the sample beside a card's template; raises `ConfigurationError` for an unknown card or language."""
    if name not in (names := card_names(settings)):
        raise ConfigurationError(f"no card {name!r}; there are: {', '.join(names)}")
    if language not in LANGUAGE_CODES:
        raise ConfigurationError(f"no language {language!r}; there are: {', '.join(LANGUAGE_CODES)}")
    Commands.discover()  # their modules define the views
    sample = samples.load_sample(name, custom=settings.cards.folder)
    return make_renderer(settings).render(sample, language, zone=ZoneInfo(settings.zone))


async def show_card(settings: Settings, name: str, *, language: str, form: str, out: Path | None) -> str:
    """Return the sample card as text or as the variables that DingTalk gets, or draw it and return the file's name.

    Raises `ConfigurationError`, also when a picture is wanted and there is no Chromium.
    """
    card = sample_card(settings, name, language)
    match form:
        case "json":
            params = card_params(card, templates(settings).of(name))
            return orjson.dumps(params, option=orjson.OPT_INDENT_2).decode()
        case "png":
            picture = out or Path(f"{name}.png")
            await draw_picture(card, picture.resolve())
            return str(picture)
        case _:
            return as_text(card)


def as_text(card: Card) -> str:
    """Return a card as a person reads it in a terminal."""
    buttons = (f"[{button.text}] {button.token or button.url}" for button in card.buttons)
    parts = (f"# {card.title}", card.body, card.tips and f"({card.tips})", "\n".join(buttons))
    return "\n\n".join(filter(None, parts))
