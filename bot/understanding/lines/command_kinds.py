"""Commands by what they tell and take: which of them ranks, stands alone, is of goods, or takes a warehouse."""

from __future__ import annotations

BARE = "find"
"""The command that looks up a name of which nothing is asked."""
HOW_TO = "help"
TRAIL = "audit"
"""The command that tells who saw or changed what a number names."""
ALONE = frozenset({"help", "whoami", "lang", "alerts", "pending", "watches", "subscriptions"})
"""Commands that are asked without a document or a name."""
RANKED = frozenset({"customer", "vendor", "product"})
"""Commands that tell of one, or rank all."""
RANKED_BY_DAYS = frozenset({"best", "biggest"})
"""Rankings by what was ordered on some days; what is owed is of now."""
OF_PRODUCTS = ("stock", "mo", "price", "arrivals", "product", "shortage")
NAMED_ONLY = frozenset({"price", "product"})
"""Commands that mean nothing without a product."""
AT_WAREHOUSES = ("stock", "shortage")
"""Commands that take a warehouse."""
BILLED_BY = {"order": "invoice", "po": "bill"}
"""Orders, and the command that finds their invoices by their numbers."""
