"""Commands by what they tell and take: which of them ranks, stands alone, is of goods, or takes a warehouse.

What documents a command shows, and what these have, is read from their kinds.
"""

from __future__ import annotations

from bot.erp.kinds import FOLLOWED, KINDS, PARTNERS, PAYMENTS
from bot.erp.list_query import Filter
from bot.erp.model import PartnerKind
from bot.understanding.vocabulary import Trade

BARE = "find"
"""The command that looks up a name of which nothing is asked."""
HOW_TO = "help"
TRAIL = "audit"
"""The command that tells who saw or changed what a number names."""
REASON = "why"
"""The command that tells why a document is not done, and what it lacks."""
BY_NUMBER = frozenset({TRAIL, REASON, "promise", "compare"})
"""Commands that tell of one document, or of what is named, only."""
ALONE = frozenset({"help", "whoami", "lang", "alerts", "pending", "watches", "subscriptions"})
"""Commands that are asked without a document or a name."""
RANKED = frozenset({"customer", "vendor", "product"})
"""Commands that tell of one, or rank all."""
RANKED_BY_DAYS = frozenset({"best", "biggest"})
"""Rankings by what was ordered on some days; what is owed is of now."""
EVERYDAY_LISTS = ALONE | RANKED | {"chart"}
"""Commands whose lists are words of every day, such as 今天 or 销售: they do not speak for the command."""
OF_PRODUCTS = ("stock", "mo", "price", "arrivals", "product", "shortage")
NAMED_ONLY = frozenset({"price", "product"})
"""Commands that mean nothing without a product."""
AT_WAREHOUSES = ("stock", "shortage")
"""Commands that take a warehouse."""
RECORDS_OF_PARTNERS = tuple(kind.command for kind in PARTNERS)
"""Commands that say all of a partner: 宏达怎么样."""
LISTED = frozenset(kind.command for kind in FOLLOWED)
"""Commands that list documents."""
BY_STATE = frozenset(kind.command for kind in FOLLOWED if Filter.DONE in kind.filters)
"""Commands that list what is not done yet and what was done."""
DATED = LISTED - BY_STATE
"""Lists of documents by their days: 订单呢, after what somebody paid last month, are those of last month."""
DUE = frozenset(kind.command for kind in FOLLOWED if kind.has_due)
"""Commands whose documents are to be done, or paid, on a day."""
OWNED = frozenset(kind.command for kind in FOLLOWED if kind.has_owners)
"""Commands whose documents are somebody's."""
OWED = frozenset(kind.command for kind in FOLLOWED if kind.amounts.left)
"""Commands whose documents are paid."""
WITH_AMOUNTS = frozenset(kind.command for kind in FOLLOWED if kind.amounts.classes)
"""Commands whose documents have amounts in currencies of their own."""
LISTED_BY_PRODUCT = frozenset(kind.command for kind in FOLLOWED if kind.by_product)
"""Commands that list the documents of a product."""
_TRADES = {PartnerKind.CUSTOMER: Trade.SALE, PartnerKind.VENDOR: Trade.PURCHASE}
_RECORDS = {kind.partners: kind.command for kind in PARTNERS}
SIDES = {kind.command: _TRADES[kind.partners] for kind in KINDS if kind.partners}
"""Commands whose partners stand on one side."""
OF_PARTNERS = frozenset(kind.command for kind in KINDS if kind.partner)
"""Commands whose documents are a partner's, and those of the partners themselves."""
TELLS = {
    kind.command: frozenset(
        (*filter(None, (_RECORDS.get(kind.partners),)), *(("product", "price") if kind.line else ()))
    )
    for kind in FOLLOWED
}
"""What the card of a document tells that words of other commands ask: whose it is, and what is in it."""
BILLED_BY = {kind.origin.command: kind.command for kind in FOLLOWED if kind.amounts.left and kind.origin}
"""Orders, and the command that finds their invoices by their numbers."""
LINKED = {
    kind.command: tuple(
        each.command for each in FOLLOWED if each.origin == kind or (each == PAYMENTS and kind.command in OWED)
    )
    for kind in FOLLOWED
}
"""The commands that find what belongs to a document of another by its number: the quotation of an order."""
DEBTS = {SIDES[command]: command for command in OWED}
"""What customers owe, and what vendors are owed."""
