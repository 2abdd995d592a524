"""The company's documents, brought to their states with Tryton's buttons.

Each button is pressed once for all documents that need it, as in a list of Tryton's client: the server reads and checks
what they share once.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import demo_company as demo
from groundwork import Groundwork
from proteus import Model
from trytond import config as server_config

_SHIPPING = (("pick", "picked"), ("pack", "packed"), ("ship", "shipped"), ("do", "done"))


class Documents:
    """Creates all documents, in the order of their dependencies."""

    def __init__(self, ground: Groundwork) -> None:
        self.ground = ground
        self.sales: list[Any] = []
        self.purchases: list[Any] = []
        self.productions: list[Any] = []
        self.second_sales: list[Any] = []
        self.second_purchases: list[Any] = []

    def write(self) -> None:
        self._sell()
        self._buy()
        self._receive()
        self._produce()
        self._ship()
        self._bill()
        with self.ground.in_second_company():
            self._trade_in_second_company()

    def _sell(self) -> None:
        ground = self.ground
        for spec in demo.SALES:
            sale = Model.get("sale.sale")(
                party=ground.parties[spec.customer],
                sale_date=ground.day(-spec.day),
                warehouse=ground.warehouses[spec.warehouse],
                payment_term=ground.terms[spec.term],
                invoice_method="order",
                shipment_method="order",
                reference=spec.ref,
            )
            for code, quantity in spec.lines:
                line = sale.lines.new()
                line.product, line.quantity = ground.products[code], quantity
            self.sales.append(sale)
        _advance(self.sales, demo.SALES)

    def _buy(self) -> None:
        ground = self.ground
        for spec in demo.PURCHASES:
            purchase = Model.get("purchase.purchase")(
                party=ground.parties[spec.supplier],
                purchase_date=ground.day(-spec.day),
                warehouse=ground.warehouses[spec.warehouse],
                payment_term=ground.terms[spec.term],
                invoice_method="order",
                reference=spec.ref,
                delivery_date=ground.day(spec.due_in),
            )
            for code, quantity, price in spec.lines:
                line = purchase.lines.new()
                line.product, line.quantity, line.unit_price = ground.products[code], quantity, Decimal(price)
            self.purchases.append(purchase)
        _advance(self.purchases, demo.PURCHASES)

    def _receive(self) -> None:
        ground = self.ground
        received = [(order, spec) for order, spec in zip(self.purchases, demo.PURCHASES, strict=True) if spec.receive]
        shipments = []
        for purchase, spec in received:
            shipment = Model.get("stock.shipment.in")(
                supplier=purchase.party,
                warehouse=purchase.warehouse,
                effective_date=None if spec.receive == "kept" else min(ground.day(-spec.day + 5), ground.today),
            )
            for planned in purchase.moves:
                move = Model.get("stock.move")(planned.id)
                if isinstance(spec.receive, dict):
                    move.quantity = spec.receive[move.product.code]
                shipment.incoming_moves.append(move)
            shipments.append(shipment)
        _press("receive", shipments)
        put_away = [spec.receive != "kept" for _, spec in received]
        _press("do", [shipment for shipment, put in zip(shipments, put_away, strict=True) if put])
        for purchase, spec in received:
            if spec.returned:
                self._give_back(purchase, spec.returned)

    def _give_back(self, purchase: Any, quantities: dict[str, float]) -> None:
        """Send part of what came in back to the vendor."""
        shipment = Model.get("stock.shipment.in.return")(
            supplier=purchase.party,
            from_location=purchase.warehouse.input_location,
            to_location=purchase.party.supplier_location,
        )
        for line in purchase.lines:
            if line.product.code in quantities:
                move = shipment.moves.new()
                move.product, move.quantity = line.product, quantities[line.product.code]
                move.from_location, move.to_location = shipment.from_location, shipment.to_location
                move.unit_price, move.currency = line.unit_price, purchase.currency
                move.origin = line
        shipment.save()
        for button in ("wait", "assign_force", "do"):
            shipment.click(button)

    def _produce(self) -> None:
        ground = self.ground
        for code, quantity, target, start, end in demo.PRODUCTIONS:
            (bom,) = [link.bom for link in ground.products[code].boms]
            production = Model.get("production")(
                warehouse=ground.warehouses["WH-SH"], product=ground.products[code], bom=bom, quantity=quantity
            )
            production.planned_date, production.planned_start_date = ground.day(end), ground.day(start)
            if target in {"done", "running"}:
                production.effective_start_date = ground.day(start)
            if target == "done":
                production.effective_date = ground.day(end)
            production.save()
            self.productions.append(production)
            for button in {
                "draft": (),
                "cancelled": ("wait", "cancel"),
                "waiting": ("wait",),
                "assigned": ("wait", "assign_try"),
                "running": ("wait", "assign_try", "run"),
                "done": ("wait", "assign_try", "run", "do"),
            }[target]:
                production.click(button)

    def _ship(self) -> None:
        shipped: list[tuple[Any, str]] = []
        cancelled: list[Any] = []
        tried: list[Any] = []
        forced: list[Any] = []
        for sale, spec in zip(self.sales, demo.SALES, strict=True):
            if not spec.ship:
                continue
            (shipment,) = sale.shipments
            if spec.ship == "cancelled":
                cancelled.append(shipment)
                continue
            target = "done" if isinstance(spec.ship, dict) else spec.ship
            if isinstance(spec.ship, dict):
                for move in shipment.inventory_moves:
                    move.quantity = spec.ship[move.product.code]
            if target in {"done", "shipped"}:
                shipment.effective_date = self.ground.day(-spec.day + min(2, spec.day))
            (forced if spec.forced else tried).append(shipment)
            shipped.append((shipment, target))
        _press("cancel", cancelled)
        _press("assign_try", tried)
        _press("assign_force", forced)
        self._hand_over(shipped)

    def _hand_over(self, shipped: list[tuple[Any, str]]) -> None:
        """Take shipments that were assigned to their states."""
        for button, state in _SHIPPING:
            going = [
                shipment
                for shipment, target in shipped
                if shipment.state != target and (button, target) != ("ship", "done")
            ]
            _press(button, going)
            for shipment in going:
                if shipment.state != state:
                    raise SystemExit(f"the shipment {shipment.number} is {shipment.state}, not {state}")

    def _bill(self) -> None:
        """Post and pay in order of date, as consecutive numbers require."""
        billed = [
            (1 - spec.day, own, n, order, spec.bill)
            for own, orders, specs in ((True, self.sales, demo.SALES), (False, self.purchases, demo.PURCHASES))
            for n, (order, spec) in enumerate(zip(orders, specs, strict=True))
            if spec.bill
        ]
        posted: list[tuple[Any, int, str]] = []
        for offset, own, _, order, how in sorted(billed, key=lambda job: job[:3]):
            (invoice,) = order.invoices
            invoice.invoice_date = self.ground.day(offset)
            if not own:
                invoice.reference = f"FP{order.number[3:]}"
            posted.append((invoice, offset, how))
        _press("post", [invoice for invoice, _, _ in posted])
        for invoice, offset, how in posted:
            if how in {"paid", "part"}:
                self._pay(invoice, how == "part", offset + 20)
        _press("cancel", [invoice for invoice, _, how in posted if how == "cancelled"])

    def _trade_in_second_company(self) -> None:
        ground = self.ground
        for partner, code, quantity, price in demo.SECOND_SALES:
            sale = Model.get("sale.sale")(
                party=ground.parties[partner], sale_date=ground.today, warehouse=ground.warehouses["WH-SH"]
            )
            line = sale.lines.new()
            line.product, line.quantity = ground.products[code], quantity
            line.unit_price = price and Decimal(price)
            sale.save()
            sale.click("quote")
            self.second_sales.append(sale)
        for partner, code, amount, cost in demo.SECOND_PURCHASES:
            purchase = Model.get("purchase.purchase")(
                party=ground.parties[partner], purchase_date=ground.today, warehouse=ground.warehouses["WH-SH"]
            )
            line = purchase.lines.new()
            line.product, line.quantity, line.unit_price = ground.products[code], amount, Decimal(cost)
            purchase.save()
            purchase.click("quote")
            self.second_purchases.append(purchase)

    def _pay(self, invoice: Any, part: bool, offset: int) -> None:
        wizard = invoice.click("pay")
        if part:
            wizard.form.amount = (invoice.total_amount / 2).quantize(Decimal("0.01"))
        wizard.form.payment_method = self.ground.payment_method
        wizard.form.date = min(self.ground.day(offset), self.ground.today)
        wizard.execute("choice")
        if part:
            wizard.form.type = "partial"
            wizard.execute("pay")


def _press(button: str, records: Sequence[Any]) -> None:
    """Save the records, press the button for all of them, and read them again."""
    if records:
        model = type(records[0])
        model.click(list(records), button)
        model.reload(list(records))


def _advance(orders: Sequence[Any], specs: Sequence[demo.Sale] | Sequence[demo.Purchase]) -> None:
    """Save the orders and press their buttons up to their states."""
    type(orders[0]).save(list(orders))
    waiting: dict[bool, list[Any]] = {False: [], True: []}
    cancelled = []
    for order, spec in zip(orders, specs, strict=True):
        if spec.state == "cancelled":
            cancelled.append(order)
        elif spec.state not in {"draft", "quotation"}:
            waiting[spec.waits].append(order)
    _press("quote", [order for order, spec in zip(orders, specs, strict=True) if spec.state != "draft"])
    _press("cancel", cancelled)
    for held, confirmed in waiting.items():
        _leave_to_queue(held)
        _press("confirm", confirmed)
    _leave_to_queue(False)


def _leave_to_queue(held: bool) -> None:
    """Let confirmed orders wait for a worker, which does not exist, or be processed at once."""
    if not server_config.has_section("queue"):
        server_config.add_section("queue")
    server_config.set("queue", "worker", str(held))
