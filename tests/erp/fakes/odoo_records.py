"""The reference company as records of one Odoo release: which fields exist, and their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.kinds import QUOTATIONS
from bot.erp.kinds.quotations import QuotationStatus
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    Invoice,
    Money,
    OrderLine,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    ProductionOrder,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.kit.testing.company import TODAY, ReferenceCompany
from tests.erp.fakes import odoo_states as states
from tests.erp.fakes import staff
from tests.erp.fakes.odoo_engine import LANGUAGES, Many2One, OdooModel, Record
from tests.erp.fakes.shapes import named

COMPANY = Many2One("res.company", 1, "My Company (San Francisco)")
BOT = "bot"
"""The login of the bot's account."""


_ZONE = ZoneInfo("Asia/Shanghai")
_TYPES: Mapping[str, str] = {
    "expiration_date": "datetime",
    "_ids": "one2many", "_id": "many2one", "_uid": "many2one", "uom": "many2one", "_qty": "float", "quantity": "float",
    "_available": "float", "qty_": "float", "price_": "float", "amount_": "monetary",
    "share": "boolean", "is_kits": "boolean",
    "order_line": "one2many", "write_date": "datetime", "date_": "datetime", "locked": "boolean", "active": "boolean",
}  # fmt: skip


class CompanyModels:
    """Returns the models of a release, built anew from the company at every call."""

    def __init__(self, company: ReferenceCompany, release: tuple[int, int]) -> None:
        self.company, self.release = company, release
        self.users = {BOT: 2, **{user.id: number for number, user in enumerate(company.users, 11)}}
        names = {user.id: user.name for user in company.users} | {BOT: "DingTalk bot"}
        self._names = names
        self._warehouses = {code: number for number, code in enumerate(company.warehouses, 1)}
        self._products = {sku: number for number, sku in enumerate(company.products, 101)}
        self.returns: list[str] = []
        """Deliveries that customers sent back; see `return_number`."""
        self.kits: set[str] = set()
        """Products that a phantom bill of materials makes: their figures come from parts, and they have no quants."""
        self._currencies: dict[str, int] = {}
        self._partners: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self.guest = "guest"
        """Who may create nothing."""
        self.references: dict[str, str] = {}
        """The customers' references of sales orders by number."""
        self._models: Mapping[str, Callable[[], OdooModel]] = {
            "res.users": self._res_users,
            "hr.employee": self._employees,
            "res.partner": self._res_partners,
            "res.company": self._res_companies,
            "res.lang": self._res_languages,
            "product.product": self._product_products,
            "product.template.attribute.value": self._attribute_values,
            "stock.warehouse": self._stock_warehouses,
            "stock.location": self._stock_locations,
            "stock.quant": self._stock_quants,
            "stock.lot": self._stock_lots,
            "stock.move": self._stock_moves,
            "stock.warehouse.orderpoint": self._orderpoints,
            "stock.picking": self._pickings,
            "stock.picking.type": self._picking_types,
            "stock.move.line": self._received_lines,
            "product.template": self._templates,
            "product.supplierinfo": self._supplier_infos,
            "mrp.bom": self._bills_of_materials,
            "mrp.bom.line": self._bom_lines,
            "sale.order": self._sale_orders,
            "sale.order.line": self._sale_lines,
            "account.move": self._account_moves,
            "account.payment": self._account_payments,
            "purchase.order": self._purchase_orders,
            "purchase.order.line": self._purchase_lines,
            "mrp.production": self._productions,
        }

    def __call__(self, name: str) -> OdooModel | None:
        """Return a model, None for one that is not installed."""
        build = self._models.get(name)
        return None if build is None else build()

    # Links

    def user(self, login: str) -> Many2One:
        """Return a link to a user."""
        return Many2One("res.users", self.users[login], self._names[login])

    def _named(self, name: str) -> Many2One:
        return self.user(next(login for login, known in self._names.items() if known == name))

    def _link(self, model: str, ids: dict[str, int], name: str) -> Many2One:
        return Many2One(model, ids.setdefault(name, len(ids) + 1), name)

    def _partner(self, name: str) -> Many2One:
        return self._link("res.partner", self._partners, name)

    def _currency(self, code: str) -> Many2One:
        return self._link("res.currency", self._currencies, code)

    def _unit(self, name: str) -> Many2One:
        return self._link("uom.uom", self._units, name)

    def _product(self, sku: str) -> Many2One:
        return Many2One("product.product", self._products[sku], f"[{sku}] {self.company.products[sku].name}")

    def _warehouse(self, code: str) -> Many2One:
        return Many2One("stock.warehouse", self._warehouses[code], self.company.warehouses[code])

    def _told(self, record: Any, shape: str) -> Record:
        """Return the columns that take over a record's fields, as `named` spells them: an empty text is nothing."""
        links: Mapping[str, Callable[[Any], Any]] = {
            "partner_id": self._partner,
            "currency_id": self._currency,
            "user_id": self._named,
            "buyer_id": self._named,
            "create_uid": self.user,
            "write_uid": self.user,
            "product_id": self._product,
            "uom_id": self._unit,
            "product_uom": self._unit,
            "product_uom_id": self._unit,
            "property_payment_term_id": self._terms,
            "property_supplier_payment_term_id": self._terms,
            **dict.fromkeys(_MOMENTS, states.moment),
        }
        told = {name: links[name](value) if name in links else value for name, value in named(record, shape).items()}
        return {name: _spelled(value) for name, value in told.items()}

    # Products and stock

    def _product_products(self) -> OdooModel:
        quants: dict[int, list[int]] = defaultdict(list)
        for quant in self._stock_quants().records:
            quants[quant["product_id"].id].append(quant["id"])
        rows = [
            self._told(product, "sku=default_code name barcode unit=uom_id is_active=active")
            | {
                "id": self._products[sku],
                "display_name": product.name + (f" ({product.spec})" if product.spec else ""),
                "categ_id": Many2One("product.category", 1, product.category),
                "product_template_attribute_value_ids": [self._products[sku]] if product.spec else [],
                "company_id": None,
                "product_tmpl_id": self._template(sku),
                "standard_price": Decimal(0),
                "write_date": self.company.changed_at(Area.PRODUCTS, sku),
                "is_kits": sku in self.kits,
                "stock_quant_ids": quants[self._products[sku]],
                **self._told(self.company.list_prices[sku], "amount=lst_price currency=currency_id"),
                **({"type": "consu", "is_storable": True} if self.release >= (18, 0) else {"type": "product"}),
            }
            for sku, product in self.company.products.items()
        ]
        leads = {
            "product_template_attribute_value_ids": "product.template.attribute.value",
            "stock_quant_ids": "stock.quant",
        }
        return _model(rows, leads,
                      extra=_FIGURES, computed=self._figures, searchable=frozenset({"qty_available"}))  # fmt: skip

    def _figures(self, row: Record, context: Mapping[str, Any]) -> Record:
        """Return a product's figures and name for the context."""
        sku = row["default_code"]
        level = self.company.stock.get(sku)
        narrowed = context.get("warehouse_id" if self.release >= (18, 0) else "warehouse")
        held = () if level is None else level.per_warehouse
        places = {self._warehouses[place.code]: place.quantities for place in held}
        parts = list(places.values()) if narrowed is None else [places[narrowed]] if narrowed in places else []
        shown = row["display_name"] if not sku or context.get("display_default_code", True) is False else None
        return {
            **figures(parts),
            "display_name": shown or f"[{sku}] {row['display_name']}",
        }

    def _template(self, sku: str) -> Many2One:
        return Many2One("product.template", self._products[sku] + 1_000, self.company.products[sku].name)

    def _templates(self) -> OdooModel:
        rows = [
            {"id": self._products[sku] + 1_000, **self._told(product, "sku=default_code name unit=uom_id")}
            for sku, product in self.company.products.items()
        ]
        return _model(rows)

    def _supplier_infos(self) -> OdooModel:
        rows: list[Record] = []
        for sku, supplies in self.company.supplies.items():
            for supply in supplies:
                row = {
                    "id": len(rows) + 1,
                    "sequence": len(rows) + 1,
                    "partner_id": self._partner(supply.vendor),
                    "product_tmpl_id": self._template(sku),
                    "product_id": None,
                    "product_code": supply.code or None,
                    "delay": supply.lead_days,
                }
                rows.append(row)
        return _model(rows)

    def _bills_of_materials(self) -> OdooModel:
        rows: list[Record] = [
            {
                "id": self._products[sku],
                "sequence": 1,
                "product_tmpl_id": self._template(sku),
                "product_id": None,
                "product_qty": _BATCH,
            }
            for sku in self.company.components
        ]
        return _model(rows)

    def _bom_lines(self) -> OdooModel:
        rows: list[Record] = []
        for sku, parts in self.company.components.items():
            for part in parts:
                row = {
                    "id": len(rows) + 1,
                    "sequence": len(rows) + 1,
                    "bom_id": Many2One("mrp.bom", self._products[sku], sku),
                    "product_id": self._product(part.sku),
                    "product_qty": part.quantity * _BATCH,
                    "product_uom_id": self._unit(part.unit),
                }
                rows.append(row)
        return _model(rows)

    def _attribute_values(self) -> OdooModel:
        rows = [
            {"id": self._products[sku], "name": product.spec}
            for sku, product in self.company.products.items()
            if product.spec
        ]
        return _model(rows)

    def _stock_warehouses(self) -> OdooModel:
        rows = [
            {"id": number, "code": code, "name": self.company.warehouses[code], "company_id": COMPANY}
            for code, number in self._warehouses.items()
        ]
        return _model(rows)

    def _stock_locations(self) -> OdooModel:
        rows: list[Record] = [
            {"id": number + 30, "usage": "internal", "warehouse_id": self._warehouse(code)}
            for code, number in self._warehouses.items()
        ]
        outside = ((_VENDORS, "supplier"), (_CUSTOMERS, "customer"), (_TRANSIT, "transit"))
        return _model([*rows, *({"id": key, "usage": usage, "warehouse_id": None} for key, usage in outside)])

    def _location(self, code: str) -> Many2One:
        return Many2One("stock.location", self._warehouses[code] + 30, f"{code}/Stock")

    def _stock_quants(self) -> OdooModel:
        rows: list[Record] = []
        for sku, level in self.company.stock.items():
            if sku in self.kits:
                continue
            for place in level.per_warehouse:
                quantities, lots = place.quantities, self._lots_of(level, place.code)
                rows += [{"id": len(rows) + n, **row} for n, row in enumerate(lots, 1)]
                in_lots = sum((row["quantity"] for row in lots), Decimal(0))
                if quantities.on_hand or quantities.reserved:
                    row = {
                        "product_id": self._product(sku),
                        "location_id": self._location(place.code),
                        "warehouse_id": self._warehouse(place.code),
                        "lot_id": None,
                        "quantity": (quantities.on_hand or 0) - in_lots,
                        "reserved_quantity": quantities.reserved,
                        "available_quantity": quantities.available,
                        "company_id": COMPANY,
                        "write_date": level.as_of,
                    }
                    rows.append({"id": len(rows) + 1, **row})
            # Delivered goods are a quant, too.
            delivered = {"location_id": Many2One("stock.location", _CUSTOMERS, "Customers"), "quantity": Decimal(70)}
            empty = {"warehouse_id": None, "reserved_quantity": Decimal(0), "available_quantity": Decimal(70)}
            common = {"product_id": self._product(sku), "company_id": COMPANY, "write_date": level.as_of}
            rows.append({"id": len(rows) + 1, **delivered, **empty, **common})
        if self.release < (15, 0):
            for row in rows:
                del row["warehouse_id"]
        if self.release >= (17, 0):
            last_days = self._last_moments()
            for row in rows:
                lot = row.get("lot_id")
                row["expiration_date"] = last_days[lot.id] if lot else None
        return _model(rows)

    def _stock_moves(self) -> OdooModel:
        """Return three moves of every product in one transaction, which add up to its stock, and those to come."""
        rows: list[Record] = [
            {
                "id": self._products[sku] * 10 + n,
                "product_id": self._product(sku),
                "state": "done",
                "company_id": COMPANY,
                "write_date": level.as_of,
            }
            for sku, level in self.company.stock.items()
            for n in range(3)
        ]
        for row in rows:
            row |= {"product_qty": Decimal(1), "location_id": None, "location_dest_id": None, "picking_id": None}
            row |= {"product_uom_qty": Decimal(1), "quantity": Decimal(1), "product_uom": None}
        vendors, customers = (
            Many2One("stock.location", key, name) for key, name in ((_VENDORS, "Vendors"), (_CUSTOMERS, "Customers"))
        )
        for sku, level in self.company.stock.items():
            for place in level.per_warehouse:
                here, planned = self._location(place.code), place.quantities
                for amount, source, target in (
                    (planned.incoming, vendors, here),
                    (planned.outgoing, here, customers),
                ):
                    if amount:
                        row = {
                            "id": 900_000 + len(rows),
                            "product_id": self._product(sku),
                            "product_qty": amount,
                            "location_id": source,
                            "location_dest_id": target,
                            "state": "assigned",
                            "write_date": level.as_of,
                        }
                        rows.append(rows[0] | row)
        rows += (rows[0] | row for row in self._delivered_moves())
        return _model(rows)

    def _delivered_moves(self) -> Iterable[Record]:
        """Yield the moves of deliveries; those to come are among the planned ones of products already."""
        key = 950_000
        deliveries = self.company.deliveries
        back = [replace(deliveries[number], id=str(int(deliveries[number].id) + _RETURNS)) for number in self.returns]
        for delivery in (*deliveries.values(), *back):
            for line in delivery.lines:
                key += 1
                yield self._told(line, "sku=product_id quantity=product_uom_qty quantity unit=product_uom") | {
                    "id": key,
                    "picking_id": Many2One("stock.picking", int(delivery.id), delivery.number),
                    "state": "cancel" if delivery.status is DeliveryStatus.CANCELLED else "done",
                    "write_date": self.company.stock[line.sku].as_of,
                }

    def _pickings(self) -> OdooModel:
        """Return the transfer of every order: open while anything is owed."""
        came = {int(order.id): order.received for order in self.company.purchases.values()}
        went = {int(order.id): order.delivery for order in self.company.orders.values()}
        rows = [
            {"id": key, "state": "done" if progress is Progress.FULL else "assigned", "picking_type_code": "internal"}
            for key, progress in (came | went).items()
        ]
        rows += [*map(self._delivery, self.company.deliveries.values()), *self._came_or_comes()]
        rows += [self._return(self.company.deliveries[number]) for number in self.returns]
        return _model(rows, {"purchase_id": "purchase.order"})

    def _delivery(self, delivery: GoodsDelivery) -> Record:
        orders = {order.number: order for order in self.company.orders.values()}
        order = orders[delivery.order_number]
        shape = (
            "number=name order_number=origin customer=partner_id shipped_on=date_done tracking=carrier_tracking_ref "
            "changed_at=write_date"
        )
        return self._told(delivery, shape) | {
            "id": int(delivery.id),
            "state": states.PICKING[delivery.status],
            "picking_type_code": "outgoing",
            "picking_type_id": Many2One("stock.picking.type", 1, "My Company: Delivery Orders"),
            "location_id": self._location("MAIN"),
            "location_dest_id": Many2One("stock.location", _CUSTOMERS, "Customers"),
            "return_id": None,
            "sale_id": Many2One("sale.order", int(order.id), order.number),
            # Odoo plans a transfer for now if nobody says when.
            "scheduled_date": states.moment(delivery.planned_on or delivery.day or TODAY),
            "carrier_id": Many2One("delivery.carrier", 1, delivery.carrier) if delivery.carrier else None,
            "company_id": COMPANY,
        }

    def _return(self, delivery: GoodsDelivery) -> Record:
        """Return what a customer sent back: a transfer of the kind of receipts, of the same order."""
        there = self._delivery(delivery)
        return there | {
            "id": there["id"] + _RETURNS,
            "name": return_number(delivery.number),
            "picking_type_code": "incoming",
            "picking_type_id": Many2One("stock.picking.type", 2, "My Company: Receipts"),
            "location_id": there["location_dest_id"],
            "location_dest_id": there["location_id"],
            "return_id": Many2One("stock.picking", there["id"], delivery.number),
            "origin": f"Return of {delivery.number}",
            "carrier_id": None,
            "carrier_tracking_ref": None,
        }

    def _receipt(self, receipt: GoodsReceipt) -> Record:
        vendors, here = Many2One("stock.location", _VENDORS, "Vendors"), self._location("MAIN")
        kind = (1, "My Company: Delivery Orders") if receipt.is_return else (2, "My Company: Receipts")
        assert receipt.received_on is not None
        shape = "number=name vendor=partner_id received_on=scheduled_date received_on=date_done changed_at=write_date"
        return self._told(receipt, shape) | {
            "id": int(receipt.id),
            "state": "done",
            "picking_type_code": "outgoing" if receipt.is_return else "incoming",
            "picking_type_id": Many2One("stock.picking.type", *kind),
            "location_id": here if receipt.is_return else vendors,
            "location_dest_id": vendors if receipt.is_return else here,
            # Of the first order only, and of what goes back the transfer with which it came.
            "origin": "Return of GRN" if receipt.is_return else receipt.order_numbers[0],
            # A search finds any of the orders of the moves.
            "purchase_id": [int(self.company.purchases[number].id) for number in receipt.order_numbers],
            "company_id": COMPANY,
        }

    def _came_or_comes(self) -> tuple[Record, ...]:
        return (*map(self._receipt, self.company.receipts.values()), *self._no_receipts())

    def _no_receipts(self) -> Iterable[Record]:
        """Yield transfers of the first receipt that are none: to come, cancelled, of customers, between warehouses."""
        first = self._receipt(next(iter(self.company.receipts.values())))
        customers, transit = (
            Many2One("stock.location", key, name) for key, name in ((_CUSTOMERS, "Customers"), (_TRANSIT, "Transit"))
        )
        changes: tuple[Record, ...] = (
            {"name": "GRN-TO-COME", "state": "assigned", "date_done": None},
            {"name": "GRN-CANCELLED", "state": "cancel"},
            {"name": "GRN-DROPSHIPPED", "location_dest_id": customers},
            {"name": "GRN-RESUPPLY", "location_id": transit, "purchase_id": []},
        )
        yield from (first | {"id": _NO_RECEIPTS + n} | change for n, change in enumerate(changes))

    def _received_lines(self) -> OdooModel:
        """Return what was moved of each receipt, divided as for two places."""
        rows: list[Record] = []
        for receipt in self.company.receipts.values():
            for line in receipt.lines:
                amount, move = abs(line.quantity), Many2One("stock.move", 970_000 + len(rows), line.name)
                for part in (min(amount, Decimal(1)), amount - min(amount, Decimal(1))):
                    row = {
                        "id": len(rows) + 1,
                        "picking_id": Many2One("stock.picking", int(receipt.id), receipt.number),
                        "move_id": move,
                        "product_id": self._product(line.sku),
                        "product_uom_id": self._unit(line.unit),
                        "quantity" if self.release >= (17, 0) else "qty_done": part,
                        "lot_id": Many2One("stock.lot", int(receipt.id), line.lot) if line.lot else None,
                        "state": "done",
                    }
                    rows.append(row)
        return _model(rows)

    def _picking_types(self) -> OdooModel:
        return _model([{"id": key, "warehouse_id": self._warehouse("MAIN")} for key in (1, 2)])

    def _lots_of(self, level: StockLevel, code: str) -> list[Record]:
        """Return the quants of a warehouse that are in lots."""
        return [
            {
                "product_id": self._product(level.product.sku),
                "location_id": self._location(code),
                "warehouse_id": self._warehouse(code),
                "lot_id": Many2One("stock.lot", self._lot_ids()[level.product.sku, lot.number], lot.number),
                "quantity": lot.quantity or Decimal(0),
                "reserved_quantity": Decimal(0),
                "available_quantity": lot.quantity or Decimal(0),
                "company_id": COMPANY,
                "write_date": level.as_of,
            }
            for lot in level.lots
            if lot.warehouse == code
        ]

    def _lot_ids(self) -> dict[tuple[str, str], int]:
        known = dict.fromkeys((sku, lot.number) for sku, level in self.company.stock.items() for lot in level.lots)
        return {key: n for n, key in enumerate(known, 901)}

    def _stock_lots(self) -> OdooModel:
        """Return lots with the time at which they expire."""
        last_days = self._last_moments()
        rows: list[Record] = [
            {"id": key, "name": name, "expiration_date": last_days[key]} for (_, name), key in self._lot_ids().items()
        ]
        return _model(rows)

    def _last_moments(self) -> Mapping[int, datetime | None]:
        """Return when lots expire, by their ids: at midnight in Shanghai."""
        ids = self._lot_ids()
        days = {ids[sku, lot.number]: lot.expires_on for sku, level in self.company.stock.items() for lot in level.lots}
        return {
            key: last and datetime(last.year, last.month, last.day, tzinfo=_ZONE).astimezone(UTC)
            for key, last in days.items()
        }

    def _orderpoints(self) -> OdooModel:
        """Return the reordering rules: two for a product in several warehouses."""
        rows: list[Record] = []
        for sku, level in self.company.stock.items():
            if level.reorder_point is None:
                continue
            codes = [place.code for place in level.per_warehouse] or [next(iter(self._warehouses))]
            shares = [level.reorder_point] if len(codes) == 1 else [level.reorder_point - 1, Decimal(1)]
            shares = [level.reorder_point] if level.reorder_point < 2 else shares
            for code, share in zip(codes, shares, strict=False):
                row = {"product_id": self._product(sku), "warehouse_id": self._warehouse(code)}
                rows.append({"id": len(rows) + 1, **row, "product_min_qty": share, "company_id": COMPANY})
        return _model(rows)

    # Sales

    def _sale_orders(self) -> OdooModel:
        rows = []
        for order in self.company.orders.values():
            closed = order.status is OrderStatus.CLOSED
            offered = self.company.documents(QUOTATIONS).get(order.number)
            is_sent = order.status is OrderStatus.DRAFT and offered and offered.status is QuotationStatus.SENT
            shape = (
                "number=name customer=partner_id total=amount_total total.currency=currency_id ordered_on=date_order "
                "promised_on=commitment_date salesperson=user_id changed_at=write_date"
            )
            row = self._told(order, shape) | {
                "id": int(order.id),
                "state": "cancel" if states.is_rejected(order) else "sent" if is_sent else states.SALE[order.status],
                **self._writers(order),
                "client_order_ref": self.references.get(order.number, False),
                "validity_date": offered and offered.valid_until,
                "invoice_status": states.billed(order),
                "invoice_ids": [int(order.id) + _BILLS] if order.billing is not Progress.NONE else [],
                "order_line": states.line_ids(order),
                "picking_ids": states.picking_ids(order, states.DELIVERY.get(order.status)),
                "company_id": COMPANY,
            }
            if self.release >= (16, 0):
                row["delivery_status"] = states.DELIVERY.get(order.status)
            rows.append(self._locked(row, closed, since=(17, 0)))
        return _model(rows, {"picking_ids": "stock.picking", "order_line": "sale.order.line"})

    def begin_order(
        self,
        login: str,
        now: datetime,
        *,
        partner_id: int,
        order_line: list[Any],
        client_order_ref: str,
        company_id: int,
    ) -> int:
        """Add a quotation in draft at the list prices, and return its id."""
        assert company_id == COMPANY.id
        customer = next(name for name, known in self._partners.items() if known == partner_id)
        codes = {known: sku for sku, known in self._products.items()}
        lines = tuple(self._begun_line(codes[values["product_id"]], values) for _, _, values in order_line)
        key = max(int(order.id) for order in self.company.orders.values()) + 1
        order = SalesOrder(
            id=str(key),
            number=f"S{key:05}",
            customer=customer,
            status=OrderStatus.DRAFT,
            delivery=None,
            billing=Progress.NONE,
            payment=Progress.NONE,
            ordered_on=now.date(),
            promised_on=None,
            total=Money(sum((line.amount.amount for line in lines if line.amount), Decimal()), "CNY"),
            lines=lines,
            salesperson=self._names[login],
            changed_at=now,
            review=Review(state=ReviewState.WAITING, version="1", requester=login, changed_by=login),
        )
        self.company.orders[order.number] = order
        self.references[order.number] = client_order_ref
        return key

    def _begun_line(self, sku: str, values: Record) -> OrderLine:
        product, price = self.company.products[sku], self.company.list_prices[sku]
        quantity = Decimal(str(values["product_uom_qty"]))
        return OrderLine(
            sku=sku,
            name=product.name,
            unit=product.unit,
            quantity=quantity,
            delivered=Decimal(),
            invoiced=Decimal(),
            price=price,
            amount=Money(quantity * price.amount, price.currency),
        )

    def _writers(self, document: SalesOrder | Bill) -> Record:
        """Return who asked for what is decided, and who changed it last."""
        told = "review.requester=create_uid review.changed_by=write_uid"
        return self._told(document, told) if document.review else {}

    def _locked(self, row: Record, locked: bool, *, since: tuple[int, int]) -> Record:
        """Return the lock of a document: a flag or, in old releases, a state."""
        if self.release >= since:
            row["locked"] = locked
        elif locked:
            row["state"] = "done"
        return row

    def _sale_lines(self) -> OdooModel:
        rows = []
        for order in self.company.orders.values():
            for key, line in zip(states.line_ids(order), order.lines, strict=True):
                own = self._told(line, "quantity=product_uom_qty delivered=qty_delivered invoiced=qty_invoiced")
                own |= self._line(key, line)
                rows.append({**own, "order_id": Many2One("sale.order", int(order.id), order.number)})
        return _model(rows)

    def _line(self, key: int, line: OrderLine | PurchaseLine) -> Record:
        unit = "product_uom_id" if self.release >= (18, 4) else "product_uom"
        shape = f"sku=product_id price=price_unit amount=price_subtotal amount=price_total unit={unit}"
        return self._told(line, shape) | {
            "id": key,
            "name": f"[{line.sku}] {line.name}\nas agreed",
            "display_type": None,
        }

    def _account_moves(self) -> OdooModel:
        rows = [self._invoice(invoice) for invoice in self.company.invoices.values()]
        bills = [self._bill(order) for order in self.company.orders.values() if order.billing is not Progress.NONE]
        vendor_bills = [self._vendor_bill(bill) for bill in self.company.bills.values()]
        return _model([*rows, *bills, *vendor_bills])

    def _vendor_bill(self, bill: Bill) -> Record:
        row = self._move(bill, bill.vendor)
        kind = "in_refund" if bill.is_credit_note else "in_invoice"
        cancelled = {"state": "cancel"} if states.is_rejected(bill) else {}
        return row | {"move_type": kind, **self._told(bill, "reference=ref"), **self._writers(bill), **cancelled}

    def _account_payments(self) -> OdooModel:
        return _model([self._payment(payment) for payment in self.company.payments.values()])

    def _payment(self, payment: Payment) -> Record:
        modern = self.release >= (18, 0)
        booked = ("in_process", "paid")[int(payment.id) % 2] if modern else "posted"
        state = {
            PaymentStatus.DRAFT: "draft",
            PaymentStatus.BOOKED: booked,
            PaymentStatus.CANCELLED: "canceled" if modern else "cancel",
        }[payment.status]
        invoices, bills = self.company.invoices, self.company.bills
        shape = "number=name partner=partner_id paid_on=date amount amount.currency=currency_id changed_at=write_date"
        row = self._told(payment, shape) | {
            "id": int(payment.id),
            "state": state,
            "partner_type": "supplier" if payment.partner_kind is PartnerKind.VENDOR else "customer",
            "payment_type": "inbound" if payment.direction is PaymentDirection.RECEIVED else "outbound",
            "journal_id": Many2One("account.journal", 1, payment.method),
            "reconciled_invoice_ids": [int(invoices[n].id) for n in payment.settles if n in invoices],
            "reconciled_bill_ids": [int(bills[n].id) for n in payment.settles if n in bills],
            "company_id": COMPANY,
        }
        return row if modern else row | {"is_internal_transfer": False}

    def _invoice(self, invoice: Invoice) -> Record:
        return self._move(invoice, invoice.customer)

    def _move(self, invoice: Invoice | Bill, partner: str) -> Record:
        state, payment = states.INVOICE[invoice.status][int(invoice.id) % len(states.INVOICE[invoice.status])]
        if payment == "blocked" and self.release < (18, 0):
            payment = "not_paid"
        shape = (
            "number=name total.currency=currency_id issued_on=invoice_date due_on=invoice_date_due "
            "order_number=invoice_origin changed_at=write_date"
        )
        return self._told(invoice, shape) | {
            "id": int(invoice.id),
            "move_type": "out_refund" if invoice.is_credit_note else "out_invoice",
            "state": state,
            "payment_state": payment,
            "partner_id": self._partner(partner),
            "amount_total": invoice.total and abs(invoice.total.amount),
            # Cancelled invoices keep their residual.
            "amount_residual": abs(states.residual(invoice)),
            "ref": None,
            "company_id": COMPANY,
        }

    def _bill(self, order: SalesOrder) -> Record:
        """Return the invoices of an order. The company does not relate orders to invoices, so a receipt is used."""
        return {
            "id": int(order.id) + _BILLS,
            "name": f"RCPT/{order.number}",
            "move_type": "out_receipt",
            "state": "posted",
            "payment_state": "not_paid" if order.payment is Progress.NONE else "paid",
            "partner_id": self._partner(order.customer),
            "company_id": COMPANY,
        }

    # Purchases and production

    def _purchase_orders(self) -> OdooModel:
        transfers = self._came_or_comes()
        rows = [self._purchase(order, transfers) for order in self.company.purchases.values()]
        return _model(rows, {"picking_ids": "stock.picking", "order_line": "purchase.order.line"})

    def _purchase(self, order: PurchaseOrder, transfers: Iterable[Record]) -> Record:
        approval = order.review.approval
        approved = order.status in {ReviewState.APPROVED, ReviewState.DONE}
        done = order.status is ReviewState.DONE
        shape = (
            "number=name vendor=partner_id total=amount_total total.currency=currency_id ordered_on=date_order "
            "due_on=date_planned buyer=user_id review.requester=create_uid review.changed_by=write_uid "
            "changed_at=write_date"
        )
        row = self._told(order, shape) | {
            "id": int(order.id),
            "state": states.PURCHASE[order.status],
            "date_approve": approval.decided_at if approval and approved else None,
            "invoice_status": "no",
            "order_line": states.line_ids(order),
            "picking_ids": [
                *states.picking_ids(order, "pending" if approved else None),
                *(row["id"] for row in transfers if int(order.id) in row["purchase_id"]),
            ],
            "company_id": COMPANY,
        }
        if self.release >= (16, 0):
            row["receipt_status"] = states.RECEIPT[order.received] if approved else None
        return self._locked(row, done, since=(18, 4))

    def _purchase_lines(self) -> OdooModel:
        rows = []
        for order in self.company.purchases.values():
            for key, line in zip(states.line_ids(order), order.lines, strict=True):
                own = {"product_qty": line.quantity, "qty_received": line.received, **self._line(key, line)}
                own["qty_received_method"] = "stock_moves"
                rows.append({**own, "order_id": Many2One("purchase.order", int(order.id), order.number)})
        return _model(rows)

    def _productions(self) -> OdooModel:
        return _model([self._production(order) for order in self.company.productions.values()])

    def _production(self, order: ProductionOrder) -> Record:
        state, reserved = states.PRODUCTION[order.status]
        ended = state in ("done", "cancel")
        ready = "available" if order.material_ready or reserved == "assigned" else "unavailable"
        start = "date_start" if self.release >= (17, 0) else "date_planned_start"
        shape = (
            "number=name sku=product_id planned=product_qty produced=qty_produced unit=product_uom_id "
            f"start_on={start} due_on=date_deadline changed_at=write_date"
        )
        return self._told(order, shape) | {
            "id": int(order.id),
            "state": state,
            # Of what is not finished releases from 17 on tell the planned end.
            "date_finished": states.moment(order.finished_on or (order.due_on if self.release >= (17, 0) else None)),
            "origin": order.sales_order or "OP/00017",
            "reservation_state": None if ended else reserved,
            "components_availability_state": None if ended else ready,
            "company_id": COMPANY,
        }

    # People

    def _res_users(self) -> OdooModel:
        rows = [
            {"id": key, "login": login, "name": self._names[login], "email": None, "share": False}
            for login, key in self.users.items()
        ]
        rows.append({"id": 99, "login": "customer", "name": "A customer", "email": "c@example.com", "share": True})
        return _model(rows)

    def _employees(self) -> OdooModel:
        number = "registration_number" if self.release >= (17, 0) else "barcode"
        rows = [
            {
                "id": 200 + self.users[user.id],
                "user_id": self.user(user.id),
                number: staff.job_number(user.id),
                "mobile_phone": staff.mobile(user.id),
                "work_email": staff.mail(user.id),
            }
            for user in self.company.users
        ]
        return _model(rows)

    def _res_companies(self) -> OdooModel:
        return _model([{"id": COMPANY.id, "name": COMPANY.name}, {"id": 2, "name": "Other company"}])

    def _res_languages(self) -> OdooModel:
        return _model([{"id": key, "code": code} for key, code in enumerate(sorted(LANGUAGES), 1)])

    def _res_partners(self) -> OdooModel:
        """Return customers and vendors, each with a record of its own; documents refer to the customer's by name."""
        customers = [
            self._contact(customer, self._partner(customer.name).id)
            | self._told(
                customer,
                "salesperson=user_id payment_terms=property_payment_term_id credit_limit receivable=credit "
                "receivable.currency=currency_id",
            )
            | {"customer_rank": 1, "use_partner_credit_limit": customer.credit_limit is not None}
            for customer in self.company.customers.values()
        ]
        vendors = [
            self._contact(vendor, self._partner(vendor.name).id + 1_000)
            | self._told(
                vendor,
                "buyer=buyer_id payment_terms=property_supplier_payment_term_id payable=debit "
                "payable.currency=currency_id",
            )
            | {"supplier_rank": 1}
            for vendor in self.company.vendors.values()
        ]
        return _model([*customers, *vendors])

    def _contact(self, partner: Customer | Supplier, key: int) -> Record:
        fixed = {"id": key, "parent_id": None, "customer_rank": 0, "supplier_rank": 0, "company_id": None}
        shape = "code=ref name phone email address=street is_active=active changed_at=write_date"
        return fixed | self._told(partner, shape)

    def _terms(self, name: str) -> Many2One | None:
        return Many2One("account.payment.term", 1, name) if name else None


_BILLS = 40_000
_BATCH = Decimal(4)
"""How much a bill of materials is for."""
_VENDORS, _CUSTOMERS, _TRANSIT = 4, 5, 6
_NO_RECEIPTS = 9_701
_RETURNS = 20_000
_MOMENTS = (
    *("date_order", "commitment_date", "date_planned", "scheduled_date", "date_done"),
    *("date_start", "date_planned_start", "date_deadline"),
)
"""Columns that tell a day as its midnight."""
_FIGURES = ("qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty")


def return_number(delivery: str) -> str:
    """Return the number of what came back of a delivery."""
    return f"RET-{delivery}"


def figures(parts: Iterable[Quantities]) -> Record:
    """Return a product's figures over several places, added up as binary floats."""
    shape = (
        "on_hand=qty_available available=free_qty forecast=virtual_available incoming=incoming_qty "
        "outgoing=outgoing_qty"
    )
    places = [named(part, shape) for part in parts]
    return {name: sum((float(place[name]) for place in places), 0.0) for name in _FIGURES}


def _spelled(value: Any) -> Any:
    match value:
        case Money():
            return value.amount
        case "":
            return None
        case _:
            return value


def _model(
    rows: list[Record],
    leads: Mapping[str, str] | None = None,
    *,
    extra: Iterable[str] = (),
    computed: Callable[[Record, Mapping[str, Any]], Record] | None = None,
    searchable: frozenset[str] = frozenset(),
) -> OdooModel:
    names = {name: None for row in rows for name in row} | dict.fromkeys(extra)
    return OdooModel({name: _type(name) for name in names}, rows, leads or {}, computed, searchable)


def _type(name: str) -> str:
    return next((type_ for part, type_ in _TYPES.items() if part in name), "char")
