"""Vendors: whom the company buys from."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import DocumentCards, Lead
from bot.erp.kinds.kind import Kind, KindWords
from bot.erp.model import Area, Supplier
from bot.erp.validation_rules import missing_key, missing_name, moment, money
from bot.words.columns import Column
from bot.words.phrase import phrase

VENDORS: Kind[Supplier] = Kind(
    record=Supplier,
    command="vendor",
    words=KindWords(many=phrase("Vendor")),
    areas=(Area.PURCHASING,),
    capability=Capability.VENDORS,
    reads=("vendor", "vendors"),
    texts=attrgetter("code", "name"),
    partner=attrgetter("name"),
    owners=lambda vendor: (vendor.buyer,),
    filters={},
    listed=attrgetter("is_active"),
    rules=(missing_key("code"), missing_name("name"), moment("changed_at"), money("payable")),
    cards=DocumentCards(
        title=lambda vendor: phrase("Vendor %(code)s", code=vendor.code),
        newest=phrase("Vendors"),
        several=phrase("Vendors"),
        tells=tuple(Lead(each, lambda vendor: (vendor.name,)) for each in ("po", "bill", "payment")),
        columns=(
            Column(phrase("Code"), "code"),
            Column(phrase("Vendor"), "name"),
            Column(phrase("Buyer"), "buyer"),
            Column(phrase("Payment terms"), "payment_terms"),
            Column(phrase("Payable"), "payable"),
            Column(phrase("Contact"), "contact"),
            Column(phrase("Phone"), "phone"),
            Column(phrase("Email"), "email"),
            Column(phrase("Address"), "address"),
        ),
    ),
)
