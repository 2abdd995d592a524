"""Whether a rule is for a document, and if not, why not."""

from __future__ import annotations

from collections.abc import Iterable

from bot.approvals.document import Document
from bot.approvals.policy.rule import Scope
from bot.approvals.policy.selecting import select
from bot.approvals.ruling import Company
from bot.erp.model import Money
from bot.phrase import Phrase, phrase


def misfit(scope: Scope, document: Document, company: Company) -> Phrase | None:
    """Return the first reason why the document is outside the scope; None if it is inside."""
    order = document.order
    named = (
        (scope.sources, (order.source,), phrase("it is for other ERPs")),
        (scope.companies, (document.company,), phrase("it is for other companies")),
        (scope.departments, (document.department,), phrase("it is for other departments")),
        (scope.suppliers, (order.vendor,), phrase("it is for other suppliers")),
        (scope.categories, document.categories, phrase("it is for other product categories")),
    )
    for wanted, has, reason in named:
        if wanted and not wanted & set(map(str.casefold, has)):
            return reason
    if scope.requesters and document.requester not in select(scope.requesters, document, company):
        return phrase("it is for other requesters")
    return _amount_misfit(scope, order.total)


def _amount_misfit(scope: Scope, total: Money | None) -> Phrase | None:
    bounds = [bound for bound in (scope.at_least, scope.below) if bound is not None]
    if not bounds and not scope.currencies:
        return None
    if total is None:
        return phrase("the ERP does not tell the amount")
    if scope.currencies and total.currency not in scope.currencies:
        return phrase("it is for amounts in %(currencies)s", currencies=_listed(scope.currencies))
    if other := {bound.currency for bound in bounds} - {total.currency}:
        return phrase("it is for amounts in %(currencies)s", currencies=_listed(other))
    if scope.at_least is not None and total.amount < scope.at_least.amount:
        return phrase("it is for amounts from %(amount)s", amount=scope.at_least)
    if scope.below is not None and total.amount >= scope.below.amount:
        return phrase("it is for amounts below %(amount)s", amount=scope.below)
    return None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
