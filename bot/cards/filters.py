"""The filters of card templates: few, named after what people see, and safe: none turns text into markup unescaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2.filters import FILTERS

from bot.cards.escape import Markdown, escape_text, exact, link, narrowed, picture
from bot.cards.presenter import Presenter
from bot.cards.status_labels import status_colour
from bot.words.role_labels import label_role, label_roles

COLOURS = ("red", "orange", "green", "blue", "gray")

_HARMLESS = frozenset(
    {
        *("default", "first", "last", "length", "count", "list", "items", "map", "attr", "batch", "slice", "reverse"),
        *("select", "reject", "selectattr", "rejectattr", "sort", "groupby", "unique", "sum", "min", "max"),
        *("abs", "round", "int"),
    }
)
"""Filters of Jinja2 that cannot make markup of plain text; all others are left out."""


MARKDOWN_FILTERS = frozenset(
    {
        *COLOURS,
        *("number", "quantity", "money", "price", "date", "day", "days", "time", "datetime"),
        *("role", "roles", "status", "bold", "small", "cut", "exact", "link", "join"),
        "picture",
    }
)
"""Filters of ours: all give `Markdown`."""


def filters(presenter: Presenter) -> dict[str, Callable[..., Any]]:
    """Return every filter that a card may use, for one reader's language and zone."""
    present = presenter.present

    def join(parts: Iterable[object], between: str = ", ") -> Markdown:
        return presenter.part(between).join(map(present, parts))

    return {
        **{name: FILTERS[name] for name in _HARMLESS},
        **{name: _painter(presenter, name) for name in COLOURS},
        "number": presenter.number,
        "quantity": presenter.quantity,
        "money": presenter.money,
        "price": presenter.price,
        "date": presenter.date,
        "day": presenter.day,
        "days": presenter.days,
        "time": presenter.time,
        "datetime": presenter.datetime,
        "status": lambda member: paint(present(member), status_colour(member)),
        "bold": lambda value: _embolden(present(value)),
        "small": lambda value: Markdown(f"<font sizeToken={_FOOTNOTE}>{present(value)}</font>"),
        "cut": lambda value, width: escape_text(narrowed(presenter.show(value), width), 2 * width),
        "exact": lambda value: exact(presenter.show(value)),
        "link": lambda value, url: link(present(value), url),
        "join": join,
        "picture": lambda value, media_id: picture(present(value), presenter.show(media_id)),
        "role": lambda role: present(label_role(role)),
        "roles": lambda roles: join(label_roles(roles), presenter.language.gettext(", ")),
    }


def _embolden(text: Markdown) -> Markdown:
    """Return markdown in bold; without a text there would be only the stars."""
    return Markdown("".join(("**", text, "**"))) if text else text


_FOOTNOTE = "common_footnote_text_style__font_size"
# Tokens adapt to dark mode, hard-coded colours don't; attribute values stand without quotes
# (docs: platform/dingtalk/markdown.md#colours).
_TOKENS: Mapping[str, str] = {name: f"common_{name}1_color" for name in COLOURS} | {"gray": "common_gray3_color"}


def paint(text: Markdown, name: str) -> Markdown:
    """Return markdown in one of `COLOURS`."""
    return Markdown("".join((f"<font colorTokenV2={_TOKENS[name]}>", text, "</font>")))


def _painter(presenter: Presenter, name: str) -> Callable[[object], Markdown]:
    return lambda value: paint(presenter.present(value), name)
