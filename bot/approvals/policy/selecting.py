"""From the names in a rule to people."""

from __future__ import annotations

from collections.abc import Iterable

from bot.approvals.document import Document
from bot.approvals.policy.rule import By, Selector
from bot.approvals.ruling import Company

FIELDS = ("requester", "buyer")
"""The fields of a purchase order that hold an ERP account."""


def select(selectors: Iterable[Selector], document: Document, company: Company) -> tuple[str, ...]:
    """Return the userIds that the selectors name for this document, each once, in the order of the rule."""
    found: dict[str, None] = {}
    for selector in selectors:
        found.update(dict.fromkeys(_select(selector, document, company)))
    return tuple(found)


def _select(selector: Selector, document: Document, company: Company) -> tuple[str, ...]:
    match selector.by:
        case By.PERSON:
            return (selector.value,)
        case By.ROLE:
            return company.members_of(selector.value)
        case By.MANAGER:
            chain = company.managers_of(document.requester) if document.requester else ()
            nearest = int(selector.value) - 1
            return chain[nearest : nearest + 1]
        case By.FIELD:
            account = getattr(document.order, selector.value)
            person = company.person_of(document.source, account) if account else ""
            return (person,) if person else ()
