"""Queries to the platform: conditions, and the lists of each kind of document.

The platform only filters its own fields by exact value, so rows are searched and sorted by the bot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from bot.erp.keys import spellings
from bot.erp.port import Filter, ListQuery
from bot.erp.yonbip.documents import (
    APPROVED,
    APPROVING,
    OWED_GOODS,
    PRODUCTION_FINISHED,
    PRODUCTION_UNDER_WAY,
    PRODUCTION_UNFINISHED,
    received_whole,
    settled,
)
from bot.erp.yonbip.mapping import Row

SALES = "yonbip/sd/voucherorder"
PURCHASES = "yonbip/scm/purchaseorder"
RECEIVABLES = "yonbip/EFI/receivable"
PAYABLES = "yonbip/EFI/payable"
ISSUES = "yonbip/scm/salesout"
PURCHASE_RECEIPTS = "yonbip/scm/purinrecord"
ACCOUNTING: Mapping[str, str] = {RECEIVABLES: "yonbip/EFI/arPublicEvent", PAYABLES: "yonbip/EFI/apPublicEvent"}
"""What tells the balances of bills."""
SETTLING: Mapping[str, str] = {RECEIVABLES: "yonbip/EFI/arverifyevent", PAYABLES: "yonbip/EFI/apverifyevent"}
"""What tells which bills were settled, in whole or in part."""
PRODUCTION = "yonbip/mfg/productionorder"
_OF_PARTNERS: Mapping[str, Row] = {RECEIVABLES: {}, PAYABLES: {"objectType": "0"}}
"""The lists that take no conditions on fields, and what they leave out: employees have payables too."""
_BY_ID: Row = {"queryOrders": [{"field": "id", "order": "asc"}]}
"""An order that stays the same while pages are read."""
_LONG_AGO = date(1990, 1, 1)


def condition(name: str, op: str, value: str) -> Row:
    return {"field": name, "op": op, "value1": value}


def either(name: str, values: Sequence[str]) -> list[Row]:
    """Return the conditions that a field has one of some values: ``in`` is not documented for lists."""
    conditions = [condition(name, "eq", value) for value in dict.fromkeys(values)]
    return conditions if len(conditions) == 1 else [{"logicOp": "or", "conditions": conditions}]


def of_number(path: str, number: str) -> list[Row]:
    """Return the queries for the document with a number; a production order is a line of a bill."""
    if path in _OF_PARTNERS:
        return [{**_OF_PARTNERS[path], "code": spelling, "isSum": True} for spelling in spellings(number)]
    if path == PRODUCTION:
        bill = number.rpartition("#")[0] or number
        return [{"simpleVOs": either("code", spellings(number, bill))}]
    return [{**_BY_ID, "isSum": True, "simpleVOs": either("code", spellings(number))}]


def of_changes(path: str, start: str) -> Row:
    """Return the query for the rows of a list that changed since a time, if the list takes no conditions on fields."""
    return {**_OF_PARTNERS[path], "simple": {"open_pubts_begin": start}, "isSum": True}


def of_list(path: str, query: ListQuery, today: date, *, days: int) -> list[Row]:
    """Return the queries for the rows of a list: recent ones, or those that may match a filter."""
    list_filter = query.filter
    start, yesterday = today - timedelta(days=days), today - timedelta(days=1)
    if query.during is not None:
        start = min(start, query.during.first)
    start_time, end_time = f"{start} 00:00:00", f"{yesterday} 23:59:59"
    headers: Row = {**_BY_ID, "isSum": True}
    late = list_filter is Filter.LATE
    if path == SALES:
        if late:
            return [{**headers, "nextStatusName": state, "open_hopeReceiveDate_end": end_time} for state in OWED_GOODS]
        if query.due is not None and query.during is None:
            due = query.due
            return [
                {
                    **headers,
                    "open_hopeReceiveDate_begin": f"{due.first} 00:00:00",
                    "open_hopeReceiveDate_end": f"{due.last} 23:59:59",
                }
            ]
        return [{**headers, "open_vouchdate_begin": start_time}]
    if path in _OF_PARTNERS:
        approved = {"verifyState": ["2"]} if list_filter is Filter.OVERDUE else {}
        return [{**_OF_PARTNERS[path], "open_billDate_begin": start_time, "isSum": False, **approved}]
    if path == PRODUCTION:
        if late:
            finished = {"OrderProduct!finishDate": f"{_LONG_AGO}|{end_time}"}
            return [{**finished, "simpleVOs": either("status", PRODUCTION_UNFINISHED)}]
        recent = {"vouchdate": f"{start}|{today + timedelta(days=days)} 23:59:59"}
        match list_filter:
            case Filter.OPEN:  # of any age
                return [{"simpleVOs": either("status", PRODUCTION_UNFINISHED)}]
            case Filter.DONE:
                return [{**recent, "simpleVOs": either("status", PRODUCTION_FINISHED)}]
        return [recent]
    since = condition("vouchdate", "egt", start_time)
    if late:
        # Only rows per line show received quantities.
        return [of_open_orders(PURCHASES, today, days=days)]
    if list_filter is Filter.PENDING:
        waiting = [condition("status", "eq", APPROVING), condition("verifystate", "eq", "1")]
        return [{**headers, "simpleVOs": [{"logicOp": "or", "conditions": waiting}]}]
    return [{**headers, "simpleVOs": [since]}]


def of_open_orders(path: str, today: date, *, days: int) -> Row:
    """Return the query for the lines of approved purchase orders, or of production orders that are under way."""
    start, end = f"{today - timedelta(days=days)} 00:00:00", f"{today + timedelta(days=days)} 23:59:59"
    if path == PRODUCTION:
        return {"vouchdate": f"{start}|{end}", "simpleVOs": either("status", PRODUCTION_UNDER_WAY)}
    conditions = [condition("status", "eq", APPROVED), condition("vouchdate", "egt", start)]
    return {**_BY_ID, "isSum": False, "simpleVOs": conditions}


def may_hold(row: Row, path: str, list_filter: Filter) -> bool:
    """Return whether the document of a row may match a filter."""
    if path == PURCHASES and list_filter is Filter.LATE:
        return not received_whole(row)
    return list_filter is not Filter.OVERDUE or not settled(row)
