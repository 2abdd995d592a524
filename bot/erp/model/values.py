"""What all records are made of: money, quantities, names with the classes of their fields; and parts of lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeAlias, TypeVar

from bot.words.disclosure import FREE_TEXT, MONEY_FIELDS, FieldClass

T = TypeVar("T")

NOTHING: Mapping[str, str] = MappingProxyType({})


class Progress(StrEnum):
    """How much of a document was delivered, received, billed or paid."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document, named by its source and its number there."""

    source: str
    number: str


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; amounts of different currencies are never added. Zero has no sign."""

    unclassed: ClassVar[frozenset[FieldClass]] = MONEY_FIELDS
    """What a reader must be allowed to see where the field of an amount does not say its class."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount and self.amount.is_signed():
            object.__setattr__(self, "amount", abs(self.amount))


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its code, which cards call by its name."""

    code: str

    def __str__(self) -> str:
        return self.code


Quantity: TypeAlias = Annotated[Decimal, FieldClass.QUANTITY]
SalesAmount: TypeAlias = Annotated[Money, FieldClass.AMOUNT]
Cost: TypeAlias = Annotated[Money, FieldClass.COST]
PartnerName: TypeAlias = Annotated[str, FieldClass.PARTNER]
ContactDetail: TypeAlias = Annotated[str, FieldClass.CONTACT]
ExtraFields: TypeAlias = Annotated[Mapping[str, str], FREE_TEXT]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpRecord:
    """What all records that people ask for have in common."""

    id: str
    url: str = ""
    changed_at: datetime | None = None
    source: str = ""
    extra: ExtraFields = field(default_factory=lambda: NOTHING)
    created_by: tuple[str, ...] = field(default=(), compare=False)
    """Who created it there: their name, and their account where the ERP tells it; empty where it tells neither.

    A colleague's name is of no class, as those of salespersons and buyers.
    """
    books: tuple[str, ...] = field(default=(), compare=False)
    """What tells it from others with its number, in the hub's answers: the name of its source, where there are
    several."""

    if TYPE_CHECKING:  # each record has its own field or property: a property here would be the field's default

        @property
        def number(self) -> str:
            """The number or code that it is found by."""
            ...

    @property
    def creator(self) -> str:
        """The name of who created it; empty where the ERP does not tell it."""
        return self.created_by[0] if self.created_by else ""

    @property
    def company(self) -> str:
        """The company that it belongs to, for rules about companies; empty where the ERP does not say."""
        return self.extra.get("company", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """A part of a longer list, in the port's order."""

    items: tuple[T, ...]
    total: int
    """The total number of matches over all slices."""
