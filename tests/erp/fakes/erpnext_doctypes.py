"""Common fields of ERPNext's documents, and fields of some that have no meaning here.

The latter make the fake's documents resemble those of a real server. They are taken from recordings: integers and
flags, other numbers, texts, and empty child tables.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Document = dict[str, Any]

ZONE = ZoneInfo("Asia/Shanghai")

_ITEM = (
    """
    allow_alternative_item is_fixed_asset auto_create_assets is_grouped_asset shelf_life_in_days
    allow_negative_stock has_batch_no create_new_batch has_expiry_date retain_sample sample_quantity has_serial_no
    enable_deferred_expense no_of_months_exp enable_deferred_revenue no_of_months is_purchase_item lead_time_days
    is_customer_provided_item delivered_by_supplier grant_commission is_sales_item
    inspection_required_before_purchase inspection_required_before_delivery include_item_in_manufacturing
    is_sub_contracted_item
    """,
    """
    opening_stock valuation_rate standard_rate over_delivery_receipt_allowance over_billing_allowance
    weight_per_unit min_order_qty safety_stock last_purchase_rate max_discount total_projected_qty
    """,
    """
    naming_series end_of_life default_material_request_type valuation_method variant_based_on customer_code
    """,
    "uoms supplier_items taxes attributes customer_items item_defaults",
)

_SALES_ORDER = (
    """
    skip_delivery_note ignore_pricing_rule reserve_stock disable_rounded_total loyalty_points group_same_items
    is_internal_customer
    """,
    """
    conversion_rate plc_conversion_rate total_qty total_net_weight base_total base_net_total total net_total
    base_total_taxes_and_charges total_taxes_and_charges base_rounding_adjustment rounding_adjustment advance_paid
    base_discount_amount additional_discount_percentage discount_amount per_picked amount_eligible_for_commission
    commission_rate total_commission loyalty_amount
    """,
    """
    title naming_series order_type selling_price_list price_list_currency set_warehouse tax_category base_in_words
    in_words apply_discount_on customer_group territory language
    """,
    "taxes packed_items pricing_rules payment_schedule",
)

_SALES_ORDER_LINE = (
    """
    ensure_delivery_based_on_produced_serial_no is_stock_item reserve_stock is_free_item grant_commission
    delivered_by_supplier against_blanket_order page_break
    """,
    """
    conversion_factor stock_qty stock_reserved_qty price_list_rate base_price_list_rate margin_rate_or_amount
    rate_with_margin discount_percentage discount_amount base_rate_with_margin base_rate base_amount
    stock_uom_rate net_rate net_amount base_net_rate base_net_amount valuation_rate gross_profit weight_per_unit
    total_weight blanket_order_rate actual_qty company_total_stock projected_qty ordered_qty planned_qty
    production_plan_qty work_order_qty produced_qty returned_qty picked_qty
    """,
    "item_group image margin_type warehouse item_tax_rate transaction_date",
    "",
)

_SALES_INVOICE = (
    """
    set_posting_time is_pos is_consolidated update_outstanding_for_self update_billed_amount_in_sales_order
    update_billed_amount_in_delivery_note is_debit_note ignore_pricing_rule update_stock
    use_company_roundoff_cost_center disable_rounded_total is_cash_or_non_trade_discount
    allocate_advances_automatically only_include_allocated_payments write_off_outstanding_amount_automatically
    redeem_loyalty_points loyalty_points ignore_default_payment_terms_template group_same_items
    is_internal_customer is_discounted
    """,
    """
    conversion_rate plc_conversion_rate total_qty total_net_weight base_total base_net_total total net_total
    base_total_taxes_and_charges total_taxes_and_charges base_rounding_adjustment rounding_adjustment
    total_advance base_discount_amount additional_discount_percentage discount_amount total_billing_hours
    total_billing_amount base_paid_amount paid_amount base_change_amount change_amount write_off_amount
    base_write_off_amount loyalty_amount amount_eligible_for_commission commission_rate total_commission
    """,
    """
    title naming_series posting_time selling_price_list price_list_currency set_warehouse tax_category
    base_in_words in_words apply_discount_on territory po_no debit_to is_opening against_income_account language
    customer_group remarks
    """,
    "payments taxes timesheets sales_team packed_items pricing_rules advances payment_schedule",
)

_SALES_INVOICE_LINE = (
    """
    has_item_scanned is_free_item grant_commission delivered_by_supplier is_fixed_asset enable_deferred_revenue
    use_serial_batch_fields allow_zero_valuation_rate page_break
    """,
    """
    conversion_factor stock_qty price_list_rate base_price_list_rate margin_rate_or_amount rate_with_margin
    discount_percentage discount_amount base_rate_with_margin base_rate base_amount stock_uom_rate net_rate
    net_amount base_net_rate base_net_amount weight_per_unit total_weight incoming_rate actual_batch_qty
    actual_qty company_total_stock
    """,
    """
    item_group image margin_type income_account expense_account warehouse item_tax_rate so_detail cost_center
    """,
    "",
)

_PURCHASE_ORDER = (
    """
    apply_tds is_subcontracted ignore_pricing_rule disable_rounded_total group_same_items is_internal_supplier
    is_old_subcontracting_flow
    """,
    """
    conversion_rate plc_conversion_rate total_qty total_net_weight base_total base_net_total total net_total
    tax_withholding_net_total base_tax_withholding_net_total base_taxes_and_charges_added
    base_taxes_and_charges_deducted base_total_taxes_and_charges taxes_and_charges_added
    taxes_and_charges_deducted total_taxes_and_charges base_rounding_adjustment rounding_adjustment advance_paid
    base_discount_amount additional_discount_percentage discount_amount
    """,
    """
    title naming_series buying_price_list price_list_currency set_warehouse tax_category base_in_words in_words
    apply_discount_on language represents_company party_account_currency
    """,
    "taxes supplied_items pricing_rules payment_schedule",
)

_PURCHASE_ORDER_LINE = (
    """
    is_free_item apply_tds delivered_by_supplier against_blanket_order include_exploded_items is_fixed_asset
    page_break
    """,
    """
    fg_item_qty conversion_factor stock_qty price_list_rate last_purchase_rate base_price_list_rate
    margin_rate_or_amount rate_with_margin discount_percentage discount_amount base_rate_with_margin base_rate
    base_amount stock_uom_rate net_rate net_amount base_net_rate base_net_amount actual_qty company_total_stock
    blanket_order_rate returned_qty weight_per_unit total_weight
    """,
    "item_group image margin_type warehouse expense_account cost_center item_tax_rate",
    "",
)


def _blank(shape: tuple[str, str, str, str]) -> dict[str, Any]:
    integers, numbers, texts, tables = (part.split() for part in shape)
    return (
        dict.fromkeys(integers, 0)
        | dict.fromkeys(numbers, 0.0)
        | dict.fromkeys(texts, "")
        | {table: [] for table in tables}
    )


ITEM = _blank(_ITEM)
SALES_ORDER, SALES_ORDER_LINE = _blank(_SALES_ORDER), _blank(_SALES_ORDER_LINE)
SALES_INVOICE, SALES_INVOICE_LINE = _blank(_SALES_INVOICE), _blank(_SALES_INVOICE_LINE)
PURCHASE_ORDER, PURCHASE_ORDER_LINE = _blank(_PURCHASE_ORDER), _blank(_PURCHASE_ORDER_LINE)


def stamp(moment: datetime) -> str:
    """Return a time as Frappe sends it: in the site's zone, without an offset."""
    return _stamp(moment, ZONE)


@lru_cache(maxsize=1024)
def _stamp(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f")


def rich(text: str) -> str:
    """Return a text as Frappe's editor stores it."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def head(doctype: str, name: str, changed_at: datetime, owner: str = "Administrator") -> Document:
    """Return the fields that every document has."""
    return {
        "doctype": doctype,
        "name": name,
        "owner": owner,
        "creation": "2026-10-01 08:00:00.000000",
        "modified": stamp(changed_at),
        "modified_by": owner,
        "docstatus": 0,
        "idx": 0,
    }


def rows(parent: Document, field: str, doctype: str, children: Iterable[Document]) -> list[Document]:
    """Return child rows of a document."""
    common = {name: parent[name] for name in ("owner", "creation", "modified", "modified_by", "docstatus")}
    return [
        {
            **common,
            "name": f"{parent['name']}-{field}-{n}",
            "idx": n,
            **row,
            "parent": parent["name"],
            "parentfield": field,
            "parenttype": parent["doctype"],
            "doctype": doctype,
        }
        for n, row in enumerate(children, 1)
    ]
