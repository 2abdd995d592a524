"""The plan of each kind of document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.erp import kinds
from bot.erp.kinds import Kind
from bot.erp.odoo.finance import BILLS, INVOICES, PAYMENTS
from bot.erp.odoo.partners import CUSTOMERS, VENDORS
from bot.erp.odoo.production import PRODUCTION_ORDERS
from bot.erp.odoo.purchases import PURCHASE_ORDERS
from bot.erp.odoo.quotations import QUOTATIONS
from bot.erp.odoo.reads import OdooPlan
from bot.erp.odoo.sales import SALES_ORDERS
from bot.erp.odoo.transfers import DELIVERIES, RECEIPTS

PLANS: Mapping[Kind[Any], OdooPlan] = {
    kinds.SALES_ORDERS: SALES_ORDERS,
    kinds.INVOICES: INVOICES,
    kinds.PURCHASE_ORDERS: PURCHASE_ORDERS,
    kinds.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
    kinds.DELIVERIES: DELIVERIES,
    kinds.RECEIPTS: RECEIPTS,
    kinds.CUSTOMERS: CUSTOMERS,
    kinds.VENDORS: VENDORS,
    kinds.BILLS: BILLS,
    kinds.PAYMENTS: PAYMENTS,
    kinds.QUOTATIONS: QUOTATIONS,
}
