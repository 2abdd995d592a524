"""What the states of documents are called, and in which colour they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from bot.erp.kinds import FOLLOWED, KINDS
from bot.erp.kinds.cards import State
from bot.erp.model import Area, Feed, PartnerKind, Progress
from bot.erp.model.goods import ArrivalKind
from bot.mechanisms.health import PartStatus
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity

# Members of different enums may be equal as text, hence one table a type.
_LABELS: Mapping[type[Enum], Mapping[Enum, Phrase]] = MappingProxyType(
    {
        Area: {
            Area.PRODUCTS: phrase("Products"),
            Area.STOCK: phrase("Stock"),
            Area.SALES: phrase("Sales"),
            Area.FINANCE: phrase("Finance"),
            Area.PURCHASING: phrase("Purchasing"),
            Area.PRODUCTION: phrase("Production"),
        },
        PartnerKind: {
            PartnerKind.CUSTOMER: phrase("Customer"),
            PartnerKind.VENDOR: phrase("Vendor"),
        },
        Feed: {kind.feed: kind.words.many for kind in FOLLOWED if kind.feed},
        FieldClass: {
            FieldClass.QUANTITY: phrase("quantities"),
            FieldClass.MATERIALS: phrase("bills of materials"),
            FieldClass.AMOUNT: phrase("amounts"),
            FieldClass.COST: phrase("purchase prices"),
            FieldClass.PARTNER: phrase("customers and vendors"),
            FieldClass.CONTACT: phrase("contacts"),
        },
        Progress: {
            Progress.NONE: phrase("not yet"),
            Progress.PARTIAL: phrase("partly"),
            Progress.FULL: phrase("completely"),
        },
        ArrivalKind: {
            ArrivalKind.PURCHASE: phrase("Purchase"),
            ArrivalKind.PRODUCTION: phrase("Production"),
        },
        Severity: {
            Severity.INFO: phrase("Info"),
            Severity.WARNING: phrase("Warning"),
            Severity.CRITICAL: phrase("Critical"),
        },
        PartStatus: {
            PartStatus.OK: phrase("well"),
            PartStatus.DEGRADED: phrase("limited"),
            PartStatus.DOWN: phrase("down"),
        },
    }
)

_COLOURS: Mapping[type[Enum], Mapping[Enum, str]] = MappingProxyType(
    {
        Progress: {Progress.NONE: "gray", Progress.PARTIAL: "orange", Progress.FULL: "green"},
        Severity: {Severity.INFO: "blue", Severity.WARNING: "orange", Severity.CRITICAL: "red"},
        PartStatus: {PartStatus.OK: "green", PartStatus.DEGRADED: "orange", PartStatus.DOWN: "red"},
    }
)


# Members of different enums may be equal as text, hence the type.
_OF_KINDS: Mapping[tuple[type[Enum], Enum], State] = MappingProxyType(
    {(type(state.member), state.member): state for kind in KINDS for state in kind.cards.states}
)


def status_label(member: Enum) -> Phrase | str:
    """Return what people call ``member``; its plain value where we have no word for it."""
    if (state := _OF_KINDS.get((type(member), member))) is not None:
        return state.label
    known = _LABELS.get(type(member), {}).get(member)
    return known if known is not None else str(member.value)


def status_colour(member: Enum) -> str:
    """Return the colour of ``member`` (`bot.erp.kinds.cards.State`)."""
    if (state := _OF_KINDS.get((type(member), member))) is not None:
        return state.colour
    return _COLOURS.get(type(member), {}).get(member, "gray")
