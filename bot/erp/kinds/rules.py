"""What is checked of several kinds of documents alike."""

from __future__ import annotations

from bot.erp.validation_rules import (
    RecordRule,
    days,
    line_quantities,
    lines_total,
    missing_key,
    missing_name,
    moment,
    money,
    open_amount,
)

DOCUMENT_RULES: tuple[RecordRule, ...] = (missing_key("number"), moment("changed_at"))
ORDER_RULES: tuple[RecordRule, ...] = (*DOCUMENT_RULES, money("total"), line_quantities, lines_total)


def invoice_rules(partner: str) -> tuple[RecordRule, ...]:
    """Return what is checked of invoices to customers or by vendors; ``partner`` is the field with the name."""
    return (
        *DOCUMENT_RULES,
        missing_name(partner),
        days("issued_on", "due_on"),
        money("total", "open_amount"),
        open_amount,
    )


def goods_rules(partner: str, *moved_on: str) -> tuple[RecordRule, ...]:
    """Return what is checked of goods that come in or leave; ``moved_on`` are the fields with their days."""
    return (*DOCUMENT_RULES, missing_name(partner), days(*moved_on), line_quantities)
