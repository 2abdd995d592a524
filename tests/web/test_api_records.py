"""Records as JSON: each view fits the schema made of its types, whole and cut, and hidden values say what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import jsonschema_rs
import orjson
import pytest

from bot.cards.language import load_languages
from bot.cards.samples import load_sample
from bot.cards.view import View
from bot.chat.registry import Commands
from bot.erp.model import Money, Progress
from bot.web.api.records import Schemas, write_view
from bot.web.api.views import known_views
from bot.words.disclosure import ALL_FIELDS, FREE_TEXT, ClassedBy, FieldClass, Stating, cut
from bot.words.phrase import Phrase, phrase
from tests.rows import each_row

ENGLISH = load_languages()["en"]
Commands.discover()
VIEWS = {view.card: view for view in known_views() if view.__module__.startswith(("bot", "commands"))}


PRICE, PAID, WORDS = Money(Decimal("12.50"), "CNY"), Money(Decimal(0), "EUR"), phrase("today")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(View):
    """A view with a field of each sort."""

    card: ClassVar[str] = "sheet"

    name: Annotated[str, FieldClass.PARTNER] = "Acme"
    price: Annotated[Money | None, FieldClass.AMOUNT] = PRICE
    paid: Money = PAID
    weight: Decimal = Decimal("1E+2")
    chosen: Annotated[str, ClassedBy("chosen_class")] = "x"
    chosen_class: FieldClass = FieldClass.CONTACT
    words: Annotated[Phrase, Stating(FieldClass.COST)] = WORDS
    note: Annotated[str, FREE_TEXT] = "7"
    day: date = date(2026, 12, 1)
    wait: timedelta = timedelta(minutes=2)
    progress: Progress = Progress.FULL
    names: frozenset[str] = frozenset({"b", "a"})


def fits(view: View) -> list[str]:
    """Return how the JSON of a view differs from its schema."""
    schemas = Schemas()
    whole = {**schemas.of_view(type(view)), "components": {"schemas": schemas.made}}
    written = orjson.loads(orjson.dumps(write_view(view, ENGLISH)))
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [str(error) for error in validator.iter_errors(written)]


@pytest.mark.parametrize("seen", [ALL_FIELDS, frozenset(), frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})])
def test_each_view_is_what_its_schema_says(seen: frozenset[FieldClass]) -> None:
    for card in VIEWS:
        assert fits(cut(load_sample(card), seen)) == [], card


def test_a_value_is_written_by_its_type() -> None:
    assert fits(Sheet()) == []
    assert write_view(Sheet(), ENGLISH) == {
        "card": "sheet",
        "books": [],
        "name": "Acme",
        "price": {"amount": "12.50", "currency": "CNY"},
        "paid": {"amount": "0", "currency": "EUR"},
        "weight": "100",
        "chosen": "x",
        "chosen_class": "contact",
        "words": "today",
        "note": "7",
        "day": "2026-12-01",
        "wait": 120.0,
        "progress": "full",
        "names": ["a", "b"],
    }


@each_row(
    "seen, name, shown",
    [
        (ALL_FIELDS - {FieldClass.PARTNER}, "name", {"hidden": "partner"}),
        (ALL_FIELDS - {FieldClass.AMOUNT}, "price", {"hidden": "amount"}),
        (ALL_FIELDS - {FieldClass.COST}, "paid", {"hidden": "cost"}),
        (ALL_FIELDS - {FieldClass.QUANTITY}, "weight", {"hidden": "quantity"}),
        (ALL_FIELDS - {FieldClass.CONTACT}, "chosen", {"hidden": "contact"}),
        (ALL_FIELDS - {FieldClass.CONTACT}, "note", {"hidden": "text"}),
        (frozenset[FieldClass](), "day", "2026-12-01"),
    ],
)
def test_what_is_hidden_says_of_which_class_it_is(seen: frozenset[FieldClass], name: str, shown: Any) -> None:
    view = cut(Sheet(), seen)
    assert write_view(view, ENGLISH)[name] == shown
    assert fits(view) == []


def test_what_is_not_there_is_not_hidden() -> None:
    assert write_view(cut(replace(Sheet(), price=None), frozenset()), ENGLISH)["price"] is None


def test_what_the_review_of_a_purchase_order_says_is_also_read_of_the_order() -> None:
    written = write_view(load_sample("po"), ENGLISH)["document"]
    assert (written["status"], written["version"], written["requester"]) == ("waiting", "1", "王仓")
    assert written["approval"] == written["review"]["approval"]
