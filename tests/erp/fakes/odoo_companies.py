"""An Odoo with two companies that number all their documents alike, and share products and partners.

As in Odoo, documents, warehouses and what they hold belong to a company; what a partner owes is told of the company
that is asked for (docs: platform/erp/odoo.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.erp.kinds import Kind
from bot.kit.testing.company import Clock, ReferenceCompany
from tests.erp.fakes.odoo import FakeOdoo, OdooCall
from tests.erp.fakes.odoo_engine import Many2One, OdooModel, Record
from tests.erp.fakes.odoo_records import CompanyModels

SISTER = Many2One("res.company", 2, "Other company")
TIMES = 2
"""The sister's amounts are so many times the first company's: twice, which binary floats tell exactly."""

_BEHIND = 10_000_000
"""By so much the ids of the sister's records differ."""
_OWN = frozenset(
    {
        *("sale.order", "sale.order.line", "purchase.order", "purchase.order.line", "account.move", "account.payment"),
        *("mrp.production", "mrp.bom", "mrp.bom.line", "product.supplierinfo", "stock.warehouse", "stock.location"),
        *("stock.picking", "stock.picking.type", "stock.quant", "stock.move", "stock.move.line"),
        "stock.warehouse.orderpoint",
    }
)
"""Models whose records are a company's own."""
_AMOUNTS = frozenset({"amount_total", "amount_residual", "amount", "price_unit", "price_total"})
_OWED = frozenset({"credit", "debit"})


class TwoCompanyOdoo(FakeOdoo):
    """The reference company, and a sister in the same database; the account of the bot sees both."""

    def __init__(self, company: ReferenceCompany, clock: Clock, release: tuple[int, int] = (19, 0)) -> None:
        super().__init__(company, clock, release)
        self.sister = ReferenceCompany(company.today, now=clock.now)
        self._theirs = CompanyModels(self.sister, release)
        self.models = self._both

    def _both(self, name: str) -> OdooModel | None:
        ours, theirs = self.records(name), self._theirs(name)
        if ours is None or theirs is None:
            return ours
        if name in _OWN:
            return replace(ours, records=[*ours.records, *map(self._shifted, theirs.records)])
        if name == "res.partner":
            return replace(ours, computed=_owed_to)
        if ours.computed is not None:
            return replace(ours, computed=lambda row, context: self._figures(ours, theirs, row, context))
        return ours

    def _figures(self, ours: OdooModel, theirs: OdooModel, row: Record, context: Mapping[str, Any]) -> Record:
        assert ours.computed is not None
        assert theirs.computed is not None
        if not _of_sister(context):
            return ours.computed(row, context)
        back = {key: value - _BEHIND if _is_theirs(value) else value for key, value in context.items()}
        return theirs.computed(row, back)

    def _shifted(self, record: Record) -> Record:
        values = {name: self._value(name, value) for name, value in record.items()}
        return {**values, "id": record["id"] + _BEHIND} if "id" in record else values

    def _value(self, name: str, value: Any) -> Any:
        match value:
            case Many2One(model="res.company"):
                return SISTER
            case Many2One(model="res.partner"):
                return self.records._partner(value.name)
            case Many2One(model=model) if model in _OWN:
                return replace(value, id=value.id + _BEHIND)
            case list():
                return [each + _BEHIND for each in value]
            case Decimal() if name in _AMOUNTS:
                return value * TIMES
        return value

    def _answer(self, asked: OdooCall) -> Any:
        with self._as_asked(asked):
            return super()._answer(asked)

    def _asked_for(self, asked: OdooCall) -> tuple[Kind[Any], list[Any]]:
        ids = [key - _BEHIND if _is_theirs(key) else key for key in asked.ids or ()]
        return super()._asked_for(replace(asked, ids=ids))

    @contextmanager
    def _as_asked(self, asked: OdooCall) -> Iterator[None]:
        """Let the company decide that has the documents."""
        ours = self.company
        self.company = self.sister if any(map(_is_theirs, asked.ids or ())) else ours
        try:
            yield
        finally:
            self.company = ours


def _is_theirs(key: object) -> bool:
    return isinstance(key, int) and key > _BEHIND


def _of_sister(context: Mapping[str, Any]) -> bool:
    return context.get("allowed_company_ids") == [SISTER.id]


def _owed_to(row: Record, context: Mapping[str, Any]) -> Record:
    """Return what a partner owes or is owed, as the company that is asked for has it in its books."""
    times = TIMES if _of_sister(context) else 1
    return {name: row[name] * times for name in _OWED if row.get(name)}
