"""The company before its first document: accounts, taxes, people, partners, warehouses, products."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import demo_company as demo
from proteus import Model, Wizard
from trytond.pyson import Eval, PYSONEncoder

READABLE = (
    *("account.account", "account.account.type", "account.general_ledger.account.party", "account.journal"),
    *("account.invoice", "account.invoice.line", "account.invoice.payment_term", "account.invoice.tax"),
    *(
        "account.move",
        "account.move.line",
        "account.move.reconciliation",
        "account.tax",
        "company.company",
        "currency.currency",
    ),
    *("party.address", "party.contact_mechanism", "party.party"),
    *("product.category", "product.product", "product.template", "product.uom"),
    *("production", "production.bom", "production.bom.input", "production.bom.output"),
    *("purchase.line", "purchase.product_supplier", "purchase.purchase", "purchase.request"),
    *("sale.line", "sale.sale", "stock.location", "stock.lot", "stock.move", "stock.order_point"),
    *("stock.shipment.in", "stock.shipment.in.return", "stock.shipment.internal", "stock.shipment.out"),
)
"""Models that the read-only user may read."""


class Groundwork:
    """Creates the company in an empty database; its attributes are what documents refer to."""

    def __init__(self, config: Any, today: dt.date) -> None:
        self.config, self.today = config, today
        self.products: dict[str, Any] = {}
        self.parties: dict[str, Any] = {}
        self.terms: dict[str, Any] = {}
        self.warehouses: dict[str, Any] = {}
        self.units: dict[str, Any] = {}

    def lay(self) -> None:
        self._company()
        self._numbers()
        self._accounts()
        self._fiscal_year()
        self._taxes_and_terms()
        self._people()
        self._partners()
        self._warehouses()
        self._goods()
        self._recipes()
        self._stock()
        self._second_company()

    def day(self, offset: int) -> dt.date:
        return self.today + dt.timedelta(days=offset)

    def one(self, model: str, *domain: tuple[str, str, Any]) -> Any:
        (record,) = Model.get(model).find(list(domain))
        return record

    def _shipped_id(self, name: str) -> int:
        """Return the id of a record that a module ships."""
        return Model.get("ir.model.data").get_id(*name.split("."), self.config.context)

    @contextmanager
    def in_second_company(self) -> Iterator[None]:
        """Let the user work in the second company for a while."""
        user = Model.get("res.user")(self.config.user)
        first, employee = user.company, user.employee
        user.employee, user.company = None, self.second_company
        user.save()
        self._take_preferences()
        yield
        user = Model.get("res.user")(self.config.user)
        user.company, user.employee = first, employee
        user.save()
        self._take_preferences()

    def _company(self) -> None:
        currency = Model.get("currency.currency")(
            name="人民币",
            code=demo.CURRENCY,
            numeric_code="156",
            symbol="¥",
            rounding=Decimal("0.01"),
            digits=2,
        )
        currency.rates.new(date=dt.date(2000, 1, 1), rate=Decimal(1))
        currency.save()
        party = Model.get("party.party")(name=demo.COMPANY)
        party.save()
        wizard = Wizard("company.company.config")
        wizard.execute("company")
        wizard.form.party, wizard.form.currency = party, currency
        wizard.execute("add")
        self._take_preferences()
        self.company = self.one("company.company")
        self.company.cancel_invoice_out = True
        self.company.save()

        person = Model.get("party.party")(name="系统管理员")
        person.save()
        employee = Model.get("company.employee")(party=person)
        employee.save()
        user = Model.get("res.user")(self.config.user)
        user.employees.append(employee)
        user.employee = employee
        user.save()
        self._take_preferences()

    def _take_preferences(self) -> None:
        self.config._context = Model.get("res.user").get_preferences(True, {})

    def _numbers(self) -> None:
        """Give every kind of document a prefix and a first number, so that all runs agree."""
        for configuration, name, prefix, first, padding in (
            ("party.configuration", "party_sequence", "P", 1, 4),
            ("sale.configuration", "sale_sequence", "SO-", 1001, 0),
            ("purchase.configuration", "purchase_sequence", "PO-", 2001, 0),
            ("production.configuration", "production_sequence", "MO-", 3001, 0),
            ("stock.configuration", "shipment_out_sequence", "OUT-", 7001, 0),
            ("stock.configuration", "shipment_in_sequence", "IN-", 8001, 0),
            ("stock.configuration", "shipment_in_return_sequence", "RET-", 9001, 0),
        ):
            sequence = getattr(Model.get(configuration)(1), name)
            sequence.prefix, sequence.number_next, sequence.padding = prefix, first, padding
            sequence.save()

    def _accounts(self) -> None:
        wizard = Wizard("account.create_chart")
        wizard.execute("account")
        template = self._shipped_id("account.account_template_root_en")
        wizard.form.account_template = Model.get("account.account.template")(template)
        wizard.form.company = self.company
        wizard.execute("create_account")
        account = Model.get("account.account")
        self.accounts = {
            kind: account.find([(f"type.{kind}", "=", True), ("closed", "!=", True)], limit=1)[0]
            for kind in ("receivable", "payable", "revenue", "expense")
        }
        self.accounts["cash"] = self.one("account.account", ("code", "=", "1.1.1"))
        self.accounts["tax"] = self.one("account.account", ("code", "=", "6.3.6"))
        form = wizard.form
        form.account_receivable, form.account_payable = self.accounts["receivable"], self.accounts["payable"]
        form.category_account_expense = self.accounts["expense"]
        form.category_account_revenue = self.accounts["revenue"]
        wizard.execute("create_properties")

    def _fiscal_year(self) -> None:
        """Create a fiscal year that covers every date of the data."""
        first = self.today.replace(month=1, day=1)
        year = Model.get("account.fiscalyear")(
            name="演示年度",
            company=self.company,
            start_date=first.replace(year=first.year - 1),
            end_date=first.replace(year=first.year + 1, month=12, day=31),
        )
        year.move_sequence = self._strict_sequence("Account Move", "凭证", "", 1)
        (numbers,) = year.invoice_sequences
        for name, label, prefix, start in (
            ("out_invoice_sequence", "销售发票", "INV-", 5001),
            ("out_credit_note_sequence", "销售红字发票", "CN-", 1),
            ("in_invoice_sequence", "采购发票", "BILL-", 6001),
            ("in_credit_note_sequence", "采购红字发票", "RBILL-", 1),
        ):
            setattr(numbers, name, self._strict_sequence("Invoice", label, prefix, start))
        year.save()
        year.click("create_period")

    def _strict_sequence(self, kind: str, name: str, prefix: str, start: int) -> Any:
        (sequence_type,) = Model.get("ir.sequence.type").find([("name", "=", kind)], limit=1)
        sequence = Model.get("ir.sequence.strict")(
            name=name, company=self.company, prefix=prefix, sequence_type=sequence_type, number_next=start
        )
        sequence.save()
        return sequence

    def _taxes_and_terms(self) -> None:
        tax = Model.get("account.tax")(
            name="增值税 13%", description="增值税 13%", type="percentage", rate=Decimal(demo.VAT_RATE)
        )
        tax.invoice_account = tax.credit_note_account = self.accounts["tax"]
        tax.save()
        category = Model.get("product.category")(name="一般货物", accounting=True)
        category.account_expense, category.account_revenue = self.accounts["expense"], self.accounts["revenue"]
        category.customer_taxes.append(tax)
        category.supplier_taxes.append(Model.get("account.tax")(tax.id))
        category.save()
        self.category = category

        (journal,) = Model.get("account.journal").find([("type", "=", "cash")])
        self.payment_method = Model.get("account.invoice.payment.method")(
            name="银行转账",
            journal=journal,
            credit_account=self.accounts["cash"],
            debit_account=self.accounts["cash"],
        )
        self.payment_method.save()
        for name, days in demo.TERMS.items():
            term = Model.get("account.invoice.payment_term")(name=name)
            line = term.lines.new(type="remainder")
            if days:
                line.relativedeltas.new(days=days)
            term.save()
            self.terms[name] = term

    def _people(self) -> None:
        for login, (name, password, groups, read_only) in demo.USERS.items():
            user = Model.get("res.user")(name=name, login=login, password=password)
            user.companies.append(Model.get("company.company")(self.company.id))
            user.company = self.company
            for group in groups:
                module = group.partition("_")[0]
                user.groups.append(Model.get("res.group")(self._shipped_id(f"{module}.group_{group}")))
            if read_only:
                user.groups.append(self._group_of_readers())
            user.save()
        # Chinese for one of them: Tryton refuses in the language of the user.
        (chinese,) = Model.get("ir.lang").find([("code", "=", "zh_CN")])
        buyer = self.one("res.user", ("login", "=", "buyer"))
        buyer.language = chinese
        buyer.save()

    def _group_of_readers(self) -> Any:
        group = Model.get("res.group")(name="只读查询")
        group.save()
        for name in READABLE:
            Model.get("ir.model.access")(
                model=name,
                group=group,
                perm_read=True,
                perm_write=False,
                perm_create=False,
                perm_delete=False,
            ).save()
        return group

    def want_two_users(self) -> None:
        """Require two users for large purchases; called last, so that the data itself needs only one."""
        confirm = self.one("ir.model.button", ("model", "=", "purchase.purchase"), ("name", "=", "confirm"))
        large = Eval("self", {}).get("total_amount", 0) >= demo.DOUBLE_CONFIRM_FROM
        Model.get("ir.model.button.rule")(
            button=confirm, description="大额采购需两人确认", number_user=2, condition=PYSONEncoder().encode(large)
        ).save()

    def _partners(self) -> None:
        for n, (code, name) in enumerate((demo.CUSTOMERS | demo.SUPPLIERS).items()):
            party = Model.get("party.party")(name=name, code=code)
            (address,) = party.addresses
            address.street_unstructured, address.city = f"科技路 {10 + n} 号", name[:2]
            term = "customer_payment_term" if code in demo.CUSTOMERS else "supplier_payment_term"
            setattr(party, term, self.terms["月结30天"])
            party.save()
            self.parties[code] = party

    def _warehouses(self) -> None:
        location = Model.get("stock.location")
        (code, name), *others = demo.WAREHOUSES.items()
        main = self.one("stock.location", ("code", "=", "WH"))
        main.name, main.code = name, code
        main.save()
        self.warehouses[code] = main
        for code, name in others:
            parts = {
                part: location(name=f"{name} {label}", type=kind, code=f"{code}-{part[:3].upper()}")
                for part, label, kind in (
                    ("input", "收货区", "storage"),
                    ("output", "发货区", "storage"),
                    ("storage", "存储区", "storage"),
                    ("production", "生产", "production"),
                )
            }
            for part in parts.values():
                part.save()
            warehouse = location(
                name=name,
                code=code,
                type="warehouse",
                lost_found_location=main.lost_found_location,
                **{f"{part}_location": place for part, place in parts.items()},
            )
            warehouse.save()
            self.warehouses[code] = warehouse

    def _goods(self) -> None:
        self.units = {name: self.one("product.uom", ("name", "=", name)) for name in ("Unit", "Kilogram", "Meter")}
        for code, item in demo.PRODUCTS.items():
            template = Model.get("product.template")(
                name=item.name,
                code=code,
                type="goods",
                default_uom=self.units[item.unit],
                list_price=Decimal(item.price),
                account_category=self.category,
                salable=item.sold,
                purchasable=item.bought,
                producible=item.made,
            )
            (variant,) = template.products
            variant.cost_price = Decimal(item.cost)
            template.save()
            (self.products[code],) = template.products
            if item.supplier:
                Model.get("purchase.product_supplier")(
                    template=template, party=self.parties[item.supplier], lead_time=dt.timedelta(days=7)
                ).save()

    def _recipes(self) -> None:
        for code, components in demo.BOMS.items():
            bom = Model.get("production.bom")(name=demo.PRODUCTS[code].name)
            for component, quantity in components:
                bom.inputs.new(product=self.products[component], quantity=quantity)
            bom.outputs.new(product=self.products[code], quantity=1)
            bom.save()
            product = self.products[code]
            product.boms.append(Model.get("product.product-production.bom")(bom=bom))
            product.save()
            Model.get("production.lead_time")(product=product, bom=bom, lead_time=dt.timedelta(days=2)).save()

    def _stock(self) -> None:
        lots = {(sku, lot.number): self._lot(sku, lot) for sku, item in demo.PRODUCTS.items() for lot in item.lots}
        for code, warehouse in self.warehouses.items():
            inventory = Model.get("stock.inventory")(location=warehouse.storage_location, date=self.day(-150))
            for sku, item in demo.PRODUCTS.items():
                if quantity := item.stock.get(code):
                    inventory.lines.new(product=self.products[sku], quantity=quantity)
                for lot in item.lots:
                    if quantity := lot.stock.get(code):
                        inventory.lines.new(product=self.products[sku], lot=lots[sku, lot.number], quantity=quantity)
            inventory.click("confirm")
        for sku, item in demo.PRODUCTS.items():
            for code, (minimum, target) in item.reorder.items():
                Model.get("stock.order_point")(
                    type="production" if item.made else "purchase",
                    product=self.products[sku],
                    location=self.warehouses[code],
                    min_quantity=minimum,
                    target_quantity=target,
                ).save()

    def _lot(self, sku: str, lot: demo.StoredLot) -> Any:
        record = Model.get("stock.lot")(number=lot.number, product=self.products[sku])
        if lot.expires_in is not None:
            record.expiration_date = self.day(lot.expires_in)
        if lot.sold_for is not None:
            record.shelf_life_expiration_date = self.day(lot.sold_for)
        record.save()
        return record

    def _second_company(self) -> None:
        """Create a company that shares partners, products and warehouses, and that the bot's user may change to."""
        party = Model.get("party.party")(name=demo.SECOND_COMPANY)
        party.save()
        self.second_company = Model.get("company.company")(party=party, currency=self.company.currency)
        self.second_company.save()
        for login in ("admin", "dingbot", demo.SHOWN_BOTH):
            user = self.one("res.user", ("login", "=", login))
            user.companies.append(Model.get("company.company")(self.second_company.id))
            user.company_filter = "all" if login == demo.SHOWN_BOTH else "one"
            user.save()
        with self.in_second_company():
            self._second_numbers()
            for code, warehouse in self.warehouses.items():
                inventory = Model.get("stock.inventory")(location=warehouse.storage_location, date=self.day(-150))
                for sku, stock in demo.SECOND_STOCK.items():
                    inventory.lines.new(product=self.products[sku], quantity=stock[code])
                inventory.click("confirm")

    def _second_numbers(self) -> None:
        for kind, prefix, first in (("sale", "SO-", 1001), ("purchase", "PO-", 2001)):
            (sequence_type,) = Model.get("ir.sequence.type").find([("name", "=", kind.title())], limit=1)
            sequence = Model.get("ir.sequence")(
                name=prefix, company=self.second_company, prefix=prefix, number_next=first, sequence_type=sequence_type
            )
            sequence.save()
            configuration = Model.get(f"{kind}.configuration")(1)
            setattr(configuration, f"{kind}_sequence", sequence)
            configuration.save()
