"""What is asked of each kind of document that is begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.erp import kinds
from bot.erp.kinds import Kind
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKind:
    """A ``kind`` that is begun for one of its ``partners``."""

    kind: Kind[Any]
    partners: Kind[Any]
    partner_label: Phrase
    title: Phrase


CREATED: Mapping[str, CreatedKind] = MappingProxyType(
    {
        kinds.SALES_ORDERS.command: CreatedKind(
            kind=kinds.SALES_ORDERS,
            partners=kinds.CUSTOMERS,
            partner_label=phrase("Customer"),
            title=phrase("New sales order"),
        )
    }
)
