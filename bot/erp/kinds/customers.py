"""Customers: whom the company sells to."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import DocumentCards, Lead
from bot.erp.kinds.kind import Kind, KindWords
from bot.erp.model import Area, Customer
from bot.erp.validation_rules import missing_key, missing_name, moment, money
from bot.words.columns import Column
from bot.words.phrase import phrase

CUSTOMERS: Kind[Customer] = Kind(
    record=Customer,
    command="customer",
    words=KindWords(many=phrase("Customer")),
    areas=(Area.SALES,),
    capability=Capability.CUSTOMERS,
    reads=("customer", "customers"),
    texts=attrgetter("code", "name"),
    partner=attrgetter("name"),
    owners=lambda customer: (customer.salesperson,),
    filters={},
    listed=attrgetter("is_active"),
    rules=(
        missing_key("code"),
        missing_name("name"),
        moment("changed_at"),
        # A limit may be in another currency than what is owed.
        money("credit_limit"),
        money("receivable"),
    ),
    cards=DocumentCards(
        title=lambda customer: phrase("Customer %(code)s", code=customer.code),
        newest=phrase("Customers"),
        several=phrase("Customers"),
        tells=tuple(Lead(each, lambda customer: (customer.name,)) for each in ("order", "invoice", "payment")),
        columns=(
            Column(phrase("Code"), "code"),
            Column(phrase("Customer"), "name"),
            Column(phrase("Salesperson"), "salesperson"),
            Column(phrase("Payment terms"), "payment_terms"),
            Column(phrase("Credit limit"), "credit_limit"),
            Column(phrase("Receivable"), "receivable"),
            Column(phrase("Contact"), "contact"),
            Column(phrase("Phone"), "phone"),
            Column(phrase("Email"), "email"),
            Column(phrase("Address"), "address"),
        ),
    ),
)
