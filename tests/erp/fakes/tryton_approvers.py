"""Decisions on the reference company's documents in Tryton's records: clicks, rules, the log, notes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.erp.kinds import BILLS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import ReviewState
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes import staff
from tests.erp.fakes.tryton_query import Record

DECIDERS = 21
"""The group that may press the buttons of documents that are decided."""


class Decided(NamedTuple):
    """A kind of document that is decided, the buttons that lead there, and the states in between."""

    kind: Kind[Any]
    submit: str = "quote"
    waiting: str = "quotation"
    approve: str = "confirm"
    approved: str = "processing"


DECIDED: Mapping[str, Decided] = MappingProxyType(
    {
        "purchase.purchase": Decided(PURCHASE_ORDERS),
        "sale.sale": Decided(SALES_ORDERS),
        "account.invoice": Decided(BILLS, "validate_invoice", "validated", "post", "posted"),
    }
)
"""By model."""
_EVERYBODY = 5


def groups_of(company: ReferenceCompany, login: str, *, nobody: bool = False) -> list[int]:
    """Return the groups of a user; with ``nobody``, the company took the right to decide away from everyone."""
    decides = any(user.id == login and user.levels for user in company.users)
    return [_EVERYBODY, DECIDERS] if decides and not nobody else [_EVERYBODY]


def buttons() -> list[Record]:
    """Return the buttons of documents that are decided, which belong to a group."""
    known = [(model, name) for model, there in DECIDED.items() for name in (there.approve, "cancel")]
    return [
        {"id": n, "model": model, "name": name, "groups": [{"id": DECIDERS}]} for n, (model, name) in enumerate(known)
    ]


def _approving(model: str) -> Record:
    return next(each for each in buttons() if (each["model"], each["name"]) == (model, DECIDED[model].approve))


def reviewed(company: ReferenceCompany) -> Iterator[tuple[str, Any]]:
    """Yield the documents that are decided, with their models."""
    for model, there in DECIDED.items():
        for document in company.documents(there.kind).values():
            if document.review is not None:
                yield model, document


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


def rules(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the rules that some documents require two users."""
    this = {"__class__": "Get", "v": {"__class__": "Eval", "v": "self", "d": {}}, "k": "id", "d": 0}
    for n, model in enumerate(DECIDED, 1):
        ids = [int(each.id) for at, each in reviewed(company) if at == model and each.review.progress.levels > 1]
        yield {
            "id": n,
            "button": _approving(model),
            "number_user": 2,
            "condition": json.dumps({"__class__": "In", "k": this, "v": ids}),
        }


def clicks(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the clicks on documents that wait for more."""
    for model, document in reviewed(company):
        approval = document.review.progress
        if document.review.waits and approval.level > 1:
            yield {
                "id": int(document.id),
                "button": _approving(model),
                "record_id": int(document.id),
                "user": user(company, approval.decided_by),
                "create_date": approval.decided_at,
            }


def log(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the history of every document: buttons that people pressed, and state changes, the last by a worker.

    Decided documents had waited; withdrawn ones went back before.
    """
    for model, document in reviewed(company):
        for n, (target, login, moment) in enumerate(_history(DECIDED[model], document)):
            yield {
                "id": 10 * int(document.id) + n,
                "resource": f"{model},{document.id}",
                "event": "transition" if target.startswith("state:") else "button",
                "target": target,
                "user": user(company, login),
                "create_date": moment,
            }


def _history(there: Decided, document: Any) -> list[tuple[str, str, datetime]]:
    """Return what happened to a document: a button or a state, by whom, and when."""
    review, entries = document.review, list[tuple[str, str, datetime]]()
    at = (document.changed_at or datetime.min.replace(tzinfo=UTC)) - timedelta(hours=1)
    if review.approval is not None or review.state is not ReviewState.DRAFT:
        entries += [(there.submit, review.requester, at), (f"state:{there.waiting}", review.requester, at)]
    if review.state is ReviewState.CANCELLED:
        entries += [("draft", review.requester, at), ("state:draft", review.requester, at)]
        entries += [("cancel", review.requester, at), ("state:cancelled", review.requester, at)]
    elif review.progress.decided_at and not review.waits:
        by, when = review.progress.decided_by, review.progress.decided_at
        if review.state is ReviewState.REJECTED:
            entries += [("cancel", by, when), ("state:cancelled", by, when)]
        else:
            entries += [(there.approve, by, when), (f"state:{there.approved}", "worker", when + timedelta(seconds=1))]
        if review.state is ReviewState.DONE:
            entries.append(("state:done", "worker", when + timedelta(hours=1)))
    return entries


def notes(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the reasons, and notes that are not reasons: by somebody else, or from before the decision."""
    for model, document in reviewed(company):
        review, approval = document.review, document.review.progress
        if approval.decided_at is None:
            continue
        remarks = [
            (review.requester, approval.decided_at + timedelta(seconds=1), "please hurry"),
            (approval.decided_by, approval.decided_at - timedelta(hours=2), "what is this for?"),
        ]
        if approval.reason:
            remarks.append((approval.decided_by, approval.decided_at, approval.reason))
        for n, (login, moment, message) in enumerate(remarks):
            yield {
                "id": 10 * int(document.id) + n,
                "resource": f"{model},{document.id}",
                "create_uid": user(company, login),
                "create_date": moment,
                "message": message,
            }


def in_review(company: ReferenceCompany, model: str, document: Any) -> Record:
    """Return what a record has of how far it is; nothing where the company does not have it decided."""
    review, there = document.review, DECIDED[model]
    if review is None:
        return {}
    states = {ReviewState.WAITING: there.waiting, ReviewState.REJECTED: "cancelled"}
    # Records that were never changed have no writer.
    written = review.version != "1" or review.approval
    return {
        **({"state": states[review.state]} if review.state in states else {}),
        "_timestamp": f"{document.changed_at.timestamp():.5f}",
        "untaxed_amount": document.total and document.total.amount,
        "create_uid": user(company, review.requester),
        "write_uid": user(company, review.changed_by) if written else None,
    }
