"""The reference company in Kingdee's forms of bills, each with a header and entries of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.kinds import BILLS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
    Money,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    PaymentStatus,
    ProductionStatus,
    Quantities,
    Review,
    ReviewState,
    Supplier,
    Verdict,
)
from bot.erp.model.goods import DeliveryStatus, GoodsReceipt
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.reference_goods import order_of_line
from bot.kit.testing.reference_records import USERS
from tests.erp.fakes.shapes import named

ZONE = ZoneInfo("Asia/Shanghai")
ORG, OTHER_ORG = "100", "200"
PEOPLE = {user.id: str(100011 + n) for n, user in enumerate(USERS)}
"""Kingdee's numbers of the company's users."""
_WHO = {number: name for name, number in PEOPLE.items()}
_NAMES = {user.id: user.name for user in USERS}
_CURRENCIES = {"CNY": "人民币", "USD": "美元", "EUR": "欧元", "JPY": "日元"}
_APPROVED, _REJECTED = "审批通过", "打回发起人"


class NumberedCompany(ReferenceCompany):
    """The reference company, where people can also be named by their numbers."""

    def decide(
        self, number: str, verdict: Verdict, by: str, reason: str = "", *, kind: Kind[Any] = PURCHASE_ORDERS
    ) -> Any:
        """Like `ReferenceCompany.decide`."""
        return super().decide(number, verdict, _WHO.get(by, by), reason, kind=kind)


@dataclass(slots=True)
class KingdeeBill:
    """A record of a form: its header, and its entries by their keys; what tells its changes tells who made them."""

    header: dict[str, Any]
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "FModifyDate" in self.header:
            dora = {
                f"{user}{suffix}": value
                for user in ("FCreatorId", "FModifierId")
                for suffix, value in (("", int(PEOPLE["dora"])), (".FName", _NAMES["dora"]))
            }
            self.header = {**dora, **self.header}


Forms = dict[str, tuple[Area | None, Callable[[ReferenceCompany], Iterator[KingdeeBill]]]]


def local(moment: datetime | None) -> datetime | None:
    """Return a time in the server's zone without an offset, in milliseconds like its columns."""
    if moment is None:
        return None
    shown = moment.astimezone(ZONE).replace(tzinfo=None)
    return shown.replace(microsecond=shown.microsecond // 1000 * 1000)


def _money(key: str, money: Money | None) -> dict[str, Any]:
    currency = money.currency if money else ""
    return {f"{key}.FCode": currency, f"{key}.FName": _CURRENCIES.get(currency), f"{key}.FNumber": f"PRE-{currency}"}


def _told(record: Any, shape: str) -> dict[str, Any]:
    """Return what a form takes over of a record, as `named` spells it: an empty text is a blank."""
    return {name: _spelled(value) for name, value in named(record, shape).items()}


def _spelled(value: Any) -> Any:
    match value:
        case Money():
            return value.amount
        case datetime():
            return local(value)
        case "":
            return " "
        case _:
            return value


def _head(record: Any, shape: str, *, audited: datetime | None = None, is_void: bool = False) -> dict[str, Any]:
    """Return the header of a bill that was audited then, as far as that is told."""
    common = {"FID": int(record.id), "FApproveDate": audited, "FCancelStatus": "B" if is_void else "A"}
    return common | _told(record, f"number=FBillNo changed_at=FModifyDate {shape}")


def _lines(record: Any, entry: str, shape: str) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of a record's lines by the key of their list; each has a number of its own."""
    keys = ({f"{entry}_FEntryId": int(record.id) * 100 + n} for n in range(len(record.lines)))
    return {entry: [key | _told(line, shape) for key, line in zip(keys, record.lines, strict=True)]}


_MATERIAL = "sku=FMaterialId.FNumber name=FMaterialId.FName"


def materials(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the materials."""
    for item in company.products.values():
        reorder = company.stock[item.sku].reorder_point
        changed = company.changed_at(Area.PRODUCTS, item.sku)
        header = {
            "FForbidStatus": "A" if item.is_active else "B",
            "FDocumentStatus": "C",
            "FUseOrgId.FNumber": ORG,
            "FIsEnableReOrder": reorder is not None,
            "FReOrderGood": reorder or Decimal(0),
            "FIsEnableSafeStock": False,
            "FSafeStock": Decimal(0),
            "FModifyDate": local(changed),
            "FApproveDate": local(changed - timedelta(days=9)),
        }
        yield KingdeeBill(
            header
            | _told(
                item,
                "sku=FNumber name=FName spec=FSpecification unit=FBaseUnitId.FName unit=FStoreUnitID.FName "
                "category=FMaterialGroup.FName barcode=FBARCODE",
            )
        )


def organisations(_: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the one organisation."""
    yield KingdeeBill({"FNumber": ORG, "FName": "总公司"})


def warehouses(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the warehouses, with one that is not used any more."""
    for code, name in (*company.warehouses.items(), ("OLD", "旧仓")):
        yield KingdeeBill({"FNumber": code, "FName": name, "FUseOrgId.FNumber": ORG, "FForbidStatus": "A"})


def bills_of_material(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the bills of material, each after an old version with another component, and one that is not audited."""
    for n, (sku, parts) in enumerate(company.components.items()):
        head = {"FUseOrgId.FNumber": ORG, "FDocumentStatus": "C", "FForbidStatus": "A"}
        head |= _told(company.products[sku], "sku=FMATERIALID.FNumber name=FMATERIALID.FName unit=FUNITID.FName")
        lines = [_bom_line(company, part.sku, part.quantity, at) for at, part in enumerate(parts, 1)]
        old = [_bom_line(company, "SKU124", Decimal(9), 1)]
        substitute = _bom_line(company, "SKU126", Decimal(1), 1) | {"FMATERIALTYPE": "3"}
        yield KingdeeBill({**head, "FID": 8000 + 3 * n, "FNumber": f"{sku}_V1.0"}, {"FTreeEntity": old})
        yield KingdeeBill(
            {**head, "FID": 8001 + 3 * n, "FNumber": f"{sku}_V1.1"}, {"FTreeEntity": [*lines, substitute]}
        )
        draft = {**head, "FID": 8002 + 3 * n, "FNumber": f"{sku}_V1.2", "FDocumentStatus": "A"}
        yield KingdeeBill(draft, {"FTreeEntity": old})


def _bom_line(company: ReferenceCompany, sku: str, quantity: Decimal, at: int) -> dict[str, Any]:
    part = "sku=FMATERIALIDCHILD.FNumber name=FMATERIALIDCHILD.FName unit=FCHILDUNITID.FName"
    return _told(company.products[sku], part) | {
        "FNUMERATOR": quantity * 2,
        "FDENOMINATOR": Decimal(2),
        "FReplaceGroup": at,
        "FMATERIALTYPE": "1",
    }


def inventory(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield lines per lot: a place's stock is spread over two, and a place that is empty now keeps a line of zero."""
    number = 0
    for level in company.stock.values():
        item = level.product
        places = [(place.code, place.name, place.quantities) for place in level.per_warehouse]
        nothing = Quantities(on_hand=Decimal(0), reserved=Decimal(0), available=Decimal(0))
        places.append(("OLD", "旧仓", nothing))
        for code, name, figures in places:
            for lot in range(2):
                number += 1
                row = {
                    "FID": f"{number:08x}-inv",
                    "FStockId.FNumber": code,
                    "FStockId.FName": name,
                    "FStockOrgId.FNumber": ORG,
                    "FLot.FNumber": f"L{lot}",
                    "FBaseQty": _share(figures.on_hand, lot),
                    "FBaseAVBQty": _share(figures.available, lot),
                    "FBaseLockQty": _share(figures.reserved, lot),
                    "FUpdateTime": local(level.as_of - timedelta(days=lot * 3)),
                }
                yield KingdeeBill(row | _told(item, f"{_MATERIAL} unit=FBaseUnitId.FName"))


def _share(quantity: Decimal | None, lot: int) -> Decimal:
    total = quantity or Decimal(0)
    first = (total / 3).quantize(Decimal("0.000001"), ROUND_DOWN)
    return total - first if lot else first


def sales_orders(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the sales orders."""
    for order in company.orders.values():
        draft = order.status is OrderStatus.DRAFT
        audited = None if draft or order.changed_at is None else local(order.changed_at - timedelta(days=2))
        header = {
            "FDocumentStatus": "A" if draft else "C",
            "FCloseStatus": "B" if order.status is OrderStatus.CLOSED else "A",
            "FSaleOrgId.FNumber": ORG,
            **_money("FSettleCurrId", order.total),
        }
        head = _head(
            order,
            "ordered_on=FDate customer=FCustId.FName salesperson=FSalerId.FName total=FBillAllAmount",
            audited=audited,
            is_void=order.status is OrderStatus.CANCELLED,
        )
        shape = (
            f"{_MATERIAL} unit=FUnitID.FName quantity=FQty price=FTaxPrice amount=FAllAmount due_on=FDeliveryDate "
            "delivered=FStockOutQty invoiced=FInvoiceQty"
        )
        yield KingdeeBill(head | header | _reviewed(order), _lines(order, "FSaleOrderEntry", shape))


_STATES = {
    ReviewState.DRAFT: "A",
    ReviewState.WAITING: "B",
    ReviewState.REJECTED: "D",
    ReviewState.CANCELLED: "A",
}


def _reviewed(document: Any, status: str = "FDocumentStatus") -> dict[str, Any]:
    """Return what a header tells of a review. A decision in the workflow leaves the time of change and its user."""
    review = document.review
    if review is None:
        return {}
    approval, changed = review.progress, document.changed_at
    if approval.decided_at == changed:
        changed -= timedelta(hours=1)
    changed_by = review.requester if review.changed_by == approval.decided_by else review.changed_by
    approved = review.state in (ReviewState.APPROVED, ReviewState.DONE)
    return {
        status: _STATES.get(review.state, "C"),
        "FCreatorId": int(PEOPLE[review.requester]),
        "FCreatorId.FName": _NAMES[review.requester],
        "FModifierId": int(PEOPLE[changed_by]),
        "FModifierId.FName": _NAMES[changed_by],
        "FModifyDate": local(changed),
        "FApproveDate": local(approval.decided_at) if approved else None,
    }


def purchase_orders(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the purchase orders."""
    for order in company.purchases.values():
        approved = order.status in (ReviewState.APPROVED, ReviewState.DONE)
        header = {
            "FCloseStatus": "B" if order.status is ReviewState.DONE else "A",
            "FPurchaseOrgId.FNumber": ORG,
            "FApproverId.FName": _NAMES.get(order.review.progress.decided_by, " ") if approved else " ",
            **_money("FSettleCurrId", order.total),
        }
        head = _head(
            order,
            "ordered_on=FDate vendor=FSupplierId.FName buyer=FPurchaserId.FName total=FBillAllAmount",
            is_void=order.status is ReviewState.CANCELLED,
        )
        shape = f"{_MATERIAL} unit=FUnitId.FName quantity=FQty price=FTaxPrice amount=FAllAmount received=FStockInQty"
        lines = _lines(order, "FPOOrderEntry", shape)
        for line in lines["FPOOrderEntry"]:
            line["FDeliveryDate"] = order.due_on
        yield KingdeeBill(head | header | _reviewed(order), lines)


def receivables(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the receivables, each with two lines of its payment plan and its details."""
    return (_owed(each, "customer=FCUSTOMERID.FName", "FSourceBillNo") for each in company.invoices.values())


def payables(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the payables, each with two lines of its payment plan and its details."""
    for each in company.bills.values():
        bill = _owed(each, "vendor=FSUPPLIERID.FName", "FORDERNUMBER")
        yield KingdeeBill(bill.header | _reviewed(each, "FDOCUMENTSTATUS"), bill.entries)


def _owed(invoice: Invoice | Bill, partner: str, order: str) -> KingdeeBill:
    written_off = {InvoiceStatus.PART_PAID: "B", InvoiceStatus.PAID: "C"}
    total = invoice.total.amount if invoice.total else Decimal(0)
    header = {
        "FDOCUMENTSTATUS": "B" if invoice.status is InvoiceStatus.DRAFT else "C",
        "FWRITTENOFFSTATUS": written_off.get(invoice.status, "A"),
        "FSETTLEORGID.FNumber": ORG,
        **_money("FCURRENCYID", invoice.total),
        "FALLAMOUNTFOR": total,
    }
    head = _head(invoice, f"issued_on=FDATE due_on=FENDDATE_H {partner}", is_void=invoice.status is InvoiceStatus.VOID)
    source = _told(invoice, f"order_number={order}")
    details = [{"FEntityDetail_FEntryId": int(invoice.id) * 100 + n, **source} for n in range(2)]
    return KingdeeBill(head | header, {"FEntityPlan": list(_plan(invoice, total)), "FEntityDetail": details})


def shipments(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the delivery notes: what is only planned has none."""
    for delivery in company.deliveries.values():
        if delivery.status is DeliveryStatus.PLANNED:
            continue
        header = {
            # The day is mandatory.
            "FDate": delivery.day or company.today,
            "FDocumentStatus": "C" if delivery.status is DeliveryStatus.SHIPPED else "B",
            "FSaleOrgId.FNumber": ORG,
        }
        head = _head(
            delivery,
            "customer=FCustomerID.FName carrier=FCarrierID.FName tracking=FCarriageNO salesperson=FSalesManID.FName",
            is_void=delivery.status is DeliveryStatus.CANCELLED,
        )
        lines = _lines(delivery, "FEntity", f"{_MATERIAL} unit=FUnitID.FName quantity=FRealQty")
        for line in lines["FEntity"]:
            line |= _told(delivery, "warehouse=FStockID.FName order_number=FSoorDerno")
        yield KingdeeBill(head | header, lines)


def goods_in(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield what came in; a bill that nobody audited yet and a void one come last."""
    found = [each for each in company.receipts.values() if not each.is_return]
    for receipt in found:
        yield _goods_bill(company, receipt, "FInStockEntry", "FRealQty", "FPOOrderNo")
    for n, states in enumerate(({"FDocumentStatus": "B"}, {"FCancelStatus": "B"})):
        bill = _goods_bill(company, found[0], "FInStockEntry", "FRealQty", "FPOOrderNo")
        yield KingdeeBill(bill.header | states | {"FID": 9_900 + n, "FBillNo": f"GRN-99{n}"}, bill.entries)


def goods_back(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield what went back to vendors; what failed its inspection was never in stock."""
    for receipt in company.receipts.values():
        if receipt.is_return:
            bill = _goods_bill(company, receipt, "FPURMRBENTRY", "FRMREALQTY", "FORDERNO")
            yield KingdeeBill(bill.header | {"FMRTYPE": "B"}, bill.entries)
            rejected = {"FMRTYPE": "A", "FID": 9_950, "FBillNo": "MRB-995"}
            yield KingdeeBill(bill.header | rejected, bill.entries)


def _goods_bill(company: ReferenceCompany, receipt: GoodsReceipt, entry: str, quantity: str, order: str) -> KingdeeBill:
    header = {"FDocumentStatus": "C", "FPurchaseOrgId.FNumber": ORG}
    lines = _lines(receipt, entry, f"{_MATERIAL} unit=FUnitID.FName lot=FLot.FNumber")
    for row, line in zip(lines[entry], receipt.lines, strict=True):
        row |= _told(receipt, "warehouse=FStockId.FName")
        row |= {quantity: abs(line.quantity), order: order_of_line(receipt, line, company.purchases).number}
    return KingdeeBill(_head(receipt, "received_on=FDate vendor=FSupplierId.FName") | header, lines)


def receipts(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield what was received, as two lines of which the second is nothing."""
    return _payments(
        company, PaymentDirection.RECEIVED, "FRECEIVEBILLENTRY", ("FRECTOTALAMOUNTFOR", "FREALRECAMOUNTFOR_D")
    )


def outgoing(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield what was spent, as two lines of which the second is nothing."""
    amounts = ("FPAYTOTALAMOUNTFOR", "FREALPAYAMOUNTFOR_D")
    return _payments(company, PaymentDirection.SPENT, "FPAYBILLENTRY", amounts)


def _payments(
    company: ReferenceCompany, direction: PaymentDirection, entry: str, keys: tuple[str, str]
) -> Iterator[KingdeeBill]:
    for payment in company.payments.values():
        if payment.direction is not direction:
            continue
        amount = payment.amount.amount if payment.amount else Decimal(0)
        header = {
            "FDOCUMENTSTATUS": "A" if payment.status is PaymentStatus.DRAFT else "C",
            "FCONTACTUNITTYPE": "BD_Supplier" if payment.partner_kind is PartnerKind.VENDOR else "BD_Customer",
            "FPAYORGID.FNumber": ORG,
            **_money("FCURRENCYID", payment.amount),
        }
        head = _head(
            payment, "paid_on=FDATE partner=FCONTACTUNIT.FName", is_void=payment.status is PaymentStatus.CANCELLED
        )
        method = _told(payment, "method=FSETTLETYPEID.FName")
        lines = [
            {f"{entry}_FEntryId": int(payment.id) * 100 + n, **method, **dict.fromkeys(keys, part)}
            for n, part in enumerate((amount, Decimal(0)))
        ]
        yield KingdeeBill(head | header, {entry: lines})


def customers(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the customers."""
    shape = "phone=FTEL email=FEmail address=FADDRESS salesperson=FSELLER.FName payment_terms=FRECCONDITIONID.FName"
    for customer in company.customers.values():
        yield KingdeeBill(_partner(customer, shape) | {"FMobile": " "})


def suppliers(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the vendors."""
    for vendor in company.vendors.values():
        yield KingdeeBill(_partner(vendor, "address=FAddress payment_terms=FPayCondition.FName"))


def _partner(partner: Customer | Supplier, shape: str) -> dict[str, Any]:
    fixed = {"FForbidStatus": "A" if partner.is_active else "B", "FUseOrgId.FNumber": ORG, "FApproveDate": None}
    return fixed | _told(partner, f"code=FNumber name=FName changed_at=FModifyDate {shape}")


def _plan(invoice: Invoice | Bill, total: Decimal) -> Iterator[dict[str, Any]]:
    rest = invoice.open_amount.amount if invoice.open_amount else Decimal(0)
    if invoice.status is InvoiceStatus.VOID:
        rest = total
    for n, (part, left) in enumerate(((Decimal(0), Decimal(0)), (total, rest))):
        yield {
            "FEntityPlan_FEntryId": int(invoice.id) * 100 + 50 + n,
            "FENDDATE": invoice.due_on,
            "FPAYAMOUNTFOR": part,
            "FWRITTENOFFAMOUNT": part - left,
            "FNOTVERIFICATEAMOUNT": left,
        }


def production_orders(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the production orders, a bill of one line each."""
    states = {ProductionStatus.RELEASED: "3", ProductionStatus.RUNNING: "4", ProductionStatus.DONE: "6"}
    for order in company.productions.values():
        planned = order.status is ProductionStatus.PLANNED
        audited = None if planned or order.changed_at is None else local(order.changed_at - timedelta(days=1))
        header = {"FDocumentStatus": "C", "FPrdOrgId.FNumber": ORG}
        head = _head(order, "start_on=FDate", audited=audited, is_void=order.status is ProductionStatus.CANCELLED)
        line = {
            "FTreeEntity_FEntryId": int(order.id) * 100,
            "FTreeEntity_FSeq": 1,
            "FStatus": states.get(order.status, "1"),
            **_told(
                order,
                f"{_MATERIAL} unit=FUnitId.FName planned=FQty start_on=FPlanStartDate due_on=FPlanFinishDate "
                "finished_on=FFinishDate produced=FStockInQuaQty scrapped=FScrapQty sales_order=FSaleOrderNo",
            ),
        }
        yield KingdeeBill(head | header, {"FTreeEntity": [line]})


def running_tasks(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the tasks of workflows in progress: open ones, and those of completed nodes."""
    return _tasks(company, running=True)


def past_tasks(company: ReferenceCompany) -> Iterator[KingdeeBill]:
    """Yield the tasks of workflows that ended."""
    return _tasks(company, running=False)


DECIDED: Mapping[str, Kind[Any]] = {
    "PUR_PurchaseOrder": PURCHASE_ORDERS,
    "SAL_SaleOrder": SALES_ORDERS,
    "AP_Payable": BILLS,
}
"""The kinds that workflows decide, by form."""


def _tasks(company: ReferenceCompany, *, running: bool) -> Iterator[KingdeeBill]:
    for form, kind in DECIDED.items():
        for document in company.documents(kind).values():
            review = document.review
            if review is None or review.approval is None or review.waits is not running:
                continue
            if review.approval.decided_by not in ("", *PEOPLE):
                # Audited by hand, without a workflow.
                continue
            for n, task in enumerate(_nodes(document, review), 1):
                header = {
                    "FReceiverItem_FRECEIVERITEMID": f"{document.id}-{n}",
                    "FInstCode": f"WF{document.id}",
                    "FInstStatus": "2" if running else "3",
                    "FBILLNUMBER": document.number,
                    "FObjectTypeId": form.upper(),
                    "FBasePost": 0,
                    **task,
                }
                yield KingdeeBill(header)


def _nodes(document: Any, review: Review) -> Iterator[dict[str, Any]]:
    """Yield the receivers' tasks, node by node."""
    approval = review.progress
    begun = document.changed_at - timedelta(days=2)
    passed = approval.level - 1 if review.state is not ReviewState.REJECTED else 0
    for level in range(1, passed + 1):
        last = review.waits and level == passed
        by = approval.decided_by if last else "anna"
        yield _task(document.id, level, by, begun, (approval.decided_at if last else begun, _APPROVED, " "))
        # Another possible approver: the task ended without a result.
        yield _task(document.id, level, "guest", begun, (None, " ", " "))
    if review.waits:
        for person in approval.pending_for:
            yield _task(document.id, approval.level, person, begun + timedelta(hours=1), None)
    else:
        result = _REJECTED if review.state is ReviewState.REJECTED else _APPROVED
        done = (approval.decided_at, result, approval.reason or " ")
        yield _task(document.id, approval.level, approval.decided_by, begun + timedelta(hours=1), done)


def _task(
    of: str, level: int, person: str, created: datetime, done: tuple[datetime | None, str, str] | None
) -> dict[str, Any]:
    at, result, opinion = done or (None, " ", " ")
    status = "0" if done is None else "1" if at is not None else "2"
    return {
        "FAssignId": f"{of}-node-{level}",
        "FASSIGNNAME": f"第{level}级审批",
        "FActivityStatus": "0" if done is None else "1",
        "FReceiverId": int(PEOPLE[person]),
        "FReceiverId.FName": _NAMES[person],
        "FStatus": status,
        "FResultName": result,
        "FDisposition": opinion,
        "FCreateTime": local(created),
        "FCompletedTime": local(at),
    }


FORMS: Forms = {
    "ORG_Organizations": (None, organisations),
    "BD_MATERIAL": (Area.PRODUCTS, materials),
    "STK_Inventory": (Area.STOCK, inventory),
    "ENG_BOM": (Area.PRODUCTS, bills_of_material),
    "BD_STOCK": (Area.STOCK, warehouses),
    "SAL_SaleOrder": (Area.SALES, sales_orders),
    "PUR_PurchaseOrder": (Area.PURCHASING, purchase_orders),
    "AR_receivable": (Area.FINANCE, receivables),
    "PRD_MO": (Area.PRODUCTION, production_orders),
    "SAL_OUTSTOCK": (Area.SALES, shipments),
    "STK_InStock": (Area.PURCHASING, goods_in),
    "PUR_MRB": (Area.PURCHASING, goods_back),
    "AP_Payable": (Area.PURCHASING, payables),
    "AR_RECEIVEBILL": (Area.FINANCE, receipts),
    "AP_PAYBILL": (Area.FINANCE, outgoing),
    "BD_Customer": (Area.SALES, customers),
    "BD_Supplier": (Area.PURCHASING, suppliers),
    "WF_AssignmentBill_ProcManage": (None, running_tasks),
    "WF_AssignmentHisBill_ProcManage": (None, past_tasks),
}


def columns(bills: Iterable[KingdeeBill]) -> tuple[set[str], dict[str, set[str]]]:
    """Return the fields of headers, and of lines by their entry."""
    header: set[str] = set()
    entries: dict[str, set[str]] = {}
    for bill in bills:
        header |= bill.header.keys()
        for entry, lines in bill.entries.items():
            entries.setdefault(entry, set()).update(*lines)
    return header, entries


def wire(value: Any) -> Any:
    """Return a value in the server's format: days as midnight, times without a zone, numbers with ten decimals."""
    match value:
        case bool():
            return value
        case datetime():
            return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        case date():
            return f"{value.isoformat()}T00:00:00"
        case Decimal():
            return value.quantize(Decimal("0.0000000001")) if value.adjusted() < 15 else value
        case _:
            return value


def as_kingdee(record: Any) -> Any:
    """Return a user's id, or the text itself."""
    return PEOPLE.get(record, record)
