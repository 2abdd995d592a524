"""What an adapter may offer: each source says which of it its ERP has."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """Something that an ERP may support (docs: platform/erp/general.md#capabilities)."""

    STOCK = "stock"
    STOCK_PER_WAREHOUSE = "stock_per_warehouse"
    RESERVED_AND_INCOMING = "reserved_and_incoming"
    REORDER_POINT = "reorder_point"
    LOTS = "lots"
    SALES_ORDERS = "sales_orders"
    INVOICES = "invoices"
    PURCHASE_ORDERS = "purchase_orders"
    PRODUCTION_ORDERS = "production_orders"
    CUSTOMERS = "customers"
    VENDORS = "vendors"
    BILLS = "bills"
    PAYMENTS = "payments"
    QUOTATIONS = "quotations"
    APPROVE = "approve"
    REJECT = "reject"
    VERSION_CHECK = "version_check"
    CHANGED_SINCE = "changed_since"
    PRODUCT_DETAILS = "product_details"
    PRICES = "prices"
    ARRIVALS = "arrivals"
    DELIVERIES = "deliveries"
    RECEIPTS = "receipts"
    SHORTAGES = "shortages"
    WAREHOUSE_STOCK = "warehouse_stock"
    FINISHED_DAYS = "finished_days"
    ORDERS_OF_PRODUCT = "orders_of_product"
    PURCHASES_OF_PRODUCT = "purchases_of_product"
    QUOTATIONS_OF_PRODUCT = "quotations_of_product"


RARE = frozenset({Capability.QUOTATIONS, Capability.QUOTATIONS_OF_PRODUCT})
"""What few ERPs have: an adapter names it, where it claims all else."""
COMMON = frozenset(Capability) - RARE

GOODS = frozenset(
    {
        Capability.PRODUCT_DETAILS,
        Capability.PRICES,
        Capability.ARRIVALS,
        Capability.DELIVERIES,
        Capability.RECEIPTS,
        Capability.SHORTAGES,
        Capability.WAREHOUSE_STOCK,
    }
)
"""What an adapter may offer about goods (`bot.erp.goods.port`)."""


BY_PRODUCT = frozenset(
    {Capability.ORDERS_OF_PRODUCT, Capability.PURCHASES_OF_PRODUCT, Capability.QUOTATIONS_OF_PRODUCT}
)
"""What lists the documents that have a line of one product (`ListQuery.product`)."""

PARTNER_READS = frozenset({Capability.CUSTOMERS, Capability.VENDORS, Capability.BILLS, Capability.PAYMENTS})
"""What concerns customers and vendors themselves, and what is paid to and by them."""
