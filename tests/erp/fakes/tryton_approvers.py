"""Decisions on the reference company's purchase orders in Tryton's records: clicks, a rule, the log, notes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.erp.model import ReviewState
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes import staff
from tests.erp.fakes.tryton_query import Record

BUYERS = 21
"""The group that may confirm and cancel purchases."""
_EVERYBODY = 5


def groups_of(company: ReferenceCompany, login: str, *, nobody: bool = False) -> list[int]:
    """Return the groups of a user; with ``nobody``, the company took the right to decide away from everyone."""
    decides = any(user.id == login and user.levels for user in company.users)
    return [_EVERYBODY, BUYERS] if decides and not nobody else [_EVERYBODY]


def buttons() -> list[Record]:
    """Return the buttons of purchases, which belong to a group."""
    return [
        {"id": n, "model": "purchase.purchase", "name": name, "groups": [{"id": BUYERS}]}
        for n, name in enumerate(("confirm", "cancel"), 1)
    ]


def name_of(company: ReferenceCompany, login: str) -> str | None:
    """Return the name of an account; accounts that ship with Tryton have none."""
    return next((user.name for user in company.users if user.id == login), None)


def user(company: ReferenceCompany, login: str) -> Record:
    """Return an account as records refer to it."""
    return {"id": 1, "login": login, "name": name_of(company, login)}


_COMPANY: Record = {"id": 1, "currency": {"id": 1, "code": "CNY"}}


def users(company: ReferenceCompany) -> list[Record]:
    """Return the accounts with their employees; the bot's own is nobody's."""
    people = [
        {
            "id": 10 + number,
            "login": one.id,
            "name": one.name,
            "email": None,
            "employees": [_employee(number, one.id)],
            "company": _COMPANY,
        }
        for number, one in enumerate(company.users, 1)
    ]
    programs = [{"id": 7, "login": "bot", "name": "Bot", "email": None, "employees": [], "company": _COMPANY}]
    return [*programs, *people]


def _employee(number: int, login: str) -> Record:
    party = {"id": 300 + number, "mobile": staff.mobile(login), "email": staff.mail(login)}
    return {"id": number, "party": party}


def rule(company: ReferenceCompany) -> Record:
    """Return the rule that some orders require two users."""
    ids = [
        int(order.id)
        for order in company.purchases.values()
        if order.review.approval and order.review.approval.levels > 1
    ]
    this = {"__class__": "Get", "v": {"__class__": "Eval", "v": "self", "d": {}}, "k": "id", "d": 0}
    return {
        "id": 1,
        "button": {"id": 1, "model": "purchase.purchase", "name": "confirm"},
        "number_user": 2,
        "condition": json.dumps({"__class__": "In", "k": this, "v": ids}),
    }


def clicks(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the clicks on orders that wait for more."""
    for order in company.purchases.values():
        approval = order.review.progress
        if order.status is ReviewState.WAITING and approval.level > 1:
            yield {
                "id": int(order.id),
                "button": {"id": 1, "model": "purchase.purchase", "name": "confirm"},
                "record_id": int(order.id),
                "user": user(company, approval.decided_by),
                "create_date": approval.decided_at,
            }


def log(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the history of every order: buttons that people pressed, and state changes, the last of them by a worker.

    Decided orders had waited; withdrawn ones went back before.
    """
    for order in company.purchases.values():
        begun = order.review.approval is not None or order.status is not ReviewState.DRAFT
        at = (order.changed_at or datetime.min.replace(tzinfo=UTC)) - timedelta(hours=1)
        entries = (
            [("quote", order.review.requester, at), ("state:quotation", order.review.requester, at)] if begun else []
        )
        approval = order.review.approval
        if order.status is ReviewState.CANCELLED:
            entries += [("draft", order.review.requester, at), ("state:draft", order.review.requester, at)]
            entries += [("cancel", order.review.requester, at), ("state:cancelled", order.review.requester, at)]
        elif approval and approval.decided_at and order.status is not ReviewState.WAITING:
            by, when = approval.decided_by, approval.decided_at
            if order.status is ReviewState.REJECTED:
                entries += [("cancel", by, when), ("state:cancelled", by, when)]
            else:
                entries += [("confirm", by, when), ("state:processing", "worker", when + timedelta(seconds=1))]
            if order.status is ReviewState.DONE:
                entries.append(("state:done", "worker", when + timedelta(hours=1)))
        for n, (target, login, moment) in enumerate(entries):
            yield {
                "id": 10 * int(order.id) + n,
                "resource": f"purchase.purchase,{order.id}",
                "event": "transition" if target.startswith("state:") else "button",
                "target": target,
                "user": user(company, login),
                "create_date": moment,
            }


def notes(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the reasons, and notes that are not reasons: by somebody else, or from before the decision."""
    for order in company.purchases.values():
        approval = order.review.approval
        if approval is None or approval.decided_at is None:
            continue
        remarks = [
            (order.review.requester, approval.decided_at + timedelta(seconds=1), "please hurry"),
            (approval.decided_by, approval.decided_at - timedelta(hours=2), "what is this for?"),
        ]
        if approval.reason:
            remarks.append((approval.decided_by, approval.decided_at, approval.reason))
        for n, (login, moment, message) in enumerate(remarks):
            yield {
                "id": 10 * int(order.id) + n,
                "resource": f"purchase.purchase,{order.id}",
                "create_uid": user(company, login),
                "create_date": moment,
                "message": message,
            }
