"""Queries to the WebAPI: text inside a FilterString, forms and their fields.

Docs: platform/erp/kingdee.md#queries, #forms
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.erp.conditions import all_of, literal
from bot.erp.keys import spellings
from bot.erp.kingdee.mapping import Row, code
from bot.erp.port import Period

_LONGEST_PATTERN = 200


def one_of(field: str, texts: Iterable[object]) -> str:
    """Return the condition that a field has one of these values."""
    return f"{field} in ({','.join(literal(str(text)) for text in texts)})"


def spelled(field: str, *codes: str) -> str:
    """Return the condition that a field has one of these codes in any case; databases may be case-sensitive."""
    return one_of(field, spellings(*codes))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that matches at least the rows whose field contains a text."""
    pattern = "%" + "%".join(re.findall(r"[^\W_]+", text)) + "%"
    quoted = literal(pattern[:_LONGEST_PATTERN].rstrip("%") + "%")
    return "(" + " or ".join(f"{field} like {quoted}" for field in fields) + ")"


def before(field: str, day: date) -> str:
    """Return the condition that a field is before a day."""
    return f"{field}<{literal(day.isoformat())}"


def within(field: str, period: Period) -> str:
    """Return the condition that a field lies in a period."""
    return all_of(since(field, period.first), before(field, period.last + timedelta(days=1)))


def since(field: str, moment: date | datetime) -> str:
    """Return the condition that a field is not before a day, or a time in the server's zone truncated to the second."""
    start = f"{moment:%Y-%m-%d %H:%M:%S}" if isinstance(moment, datetime) else moment.isoformat()
    return f"{field}>={literal(start)}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form to query: its documented keys, those that may be missing, and the order of lines."""

    id: str
    keys: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    order: str = "FID"
    org: str = ""
    """The key with the number of the organisation that a record belongs to."""
    key: str = "FID"
    """The key that identifies a document."""
    line: str = ""
    """The key of a line's position, for forms where each line of a bill is a document."""
    number_key: str = "FBillNo"
    """The key with the number that people use."""
    only: str = ""
    """The condition that a record is a document of this kind, if not all are."""
    texts: tuple[str, ...] = ()
    """The searched keys besides the number."""
    partner: str = ""
    """The key with the partner's name; empty if there is none."""
    day: str = "FDate"
    """The day that lists are ordered by; empty if there is none."""
    dated: str = "FDate"
    """The day that every document has, by which lists leave out old documents; empty if there is none."""
    status: str = "FDocumentStatus"
    """The key that tells how far a bill is on its way through its approval."""
    due: tuple[str, ...] = ()
    """The keys of days, one of which is the day when the document is due."""

    @property
    def head(self) -> tuple[str, ...]:
        """Return the keys by which documents are listed and searched."""
        found = (*self.head_order, self.number_key, self.line, self.day, *self.texts, self.partner)
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def head_order(self) -> tuple[str, ...]:
        """Return the keys that order what `head` reads."""
        return (self.key,) if self.key == self.number_key else tuple(dict.fromkeys(("FID", self.key)))

    def spelled(self, number: str) -> str:
        """Return the condition for the bill that contains the document with a number."""
        bill = (number.rpartition("#")[0] or number,) if self.line else ()
        return all_of(spelled(self.number_key, number, *bill), self.only)

    def of_partner(self, name: str) -> str:
        """Return a condition that matches at least the documents of a partner with this name."""
        is_sent = self.partner and name.isprintable() and 0 < len(name) <= _LONGEST_PATTERN
        return spelled(self.partner, name) if is_sent else ""

    def number(self, row: Row) -> str:
        """Return a document's number: its bill's, followed by the line's position from the second line on."""
        bill, line = code(row[self.number_key]), code(row[self.line]) if self.line else ""
        return bill if line in ("", "0", "1") else f"{bill}#{line}"


ORGANISATIONS = Form("ORG_Organizations", keys=("FNumber", "FName"), order="FNumber")
"""The organisations of the data centre; no documented key says which of them an account sees."""

MATERIALS = Form(
    "BD_MATERIAL",
    keys=(
        "FNumber", "FName", "FSpecification", "FBaseUnitId.FName", "FForbidStatus", "FMaterialGroup.FName", "FBARCODE",
        "FStoreUnitID.FName", "FIsEnableReOrder", "FReOrderGood", "FIsEnableSafeStock", "FSafeStock",
    ),
    optional=frozenset({
        "FMaterialGroup.FName", "FBARCODE", "FStoreUnitID.FName", "FIsEnableReOrder", "FReOrderGood",
        "FIsEnableSafeStock", "FSafeStock", "FApproveDate",
    }),
    order="FNumber,FUseOrgId.FNumber",
    org="FUseOrgId.FNumber",
)  # fmt: skip

INVENTORY = Form(
    "STK_Inventory",
    keys=(
        "FMaterialId.FNumber", "FStockId.FNumber", "FStockId.FName", "FStockOrgId.FNumber", "FBaseQty", "FBaseAVBQty",
        "FBaseLockQty", "FBaseUnitId.FName",
    ),
    optional=frozenset({"FBaseAVBQty", "FBaseLockQty"}),
    order="FStockId.FNumber,FID",
    org="FStockOrgId.FNumber",
)  # fmt: skip

WAREHOUSES = Form(
    "BD_STOCK",
    keys=("FNumber", "FName", "FUseOrgId.FNumber"),
    order="FNumber,FUseOrgId.FNumber",
    org="FUseOrgId.FNumber",
)

_VERSIONS = "FNumber,FReplaceGroup"
BOMS = Form(
    "ENG_BOM",
    keys=(
        "FNumber", "FMATERIALID.FNumber", "FMATERIALID.FName", "FUNITID.FName", "FMATERIALIDCHILD.FNumber",
        "FMATERIALIDCHILD.FName", "FCHILDUNITID.FName", "FNUMERATOR", "FDENOMINATOR", "FReplaceGroup",
    ),
    only="FDocumentStatus='C' and FForbidStatus='A' and FMATERIALTYPE='1'",
    order=_VERSIONS,
    org="FUseOrgId.FNumber",
)  # fmt: skip
"""Bills of material, line by line, of what is used and neither a substitute nor given back."""

ORIGIN = ("FModifyDate", "FApproveDate", "FCreatorId", "FCreatorId.FName")
"""When a record was changed, and who created it: the user's number, which decisions use as account, and name."""
_ORIGIN_OPTIONAL = frozenset(ORIGIN[1:])
_HEADER = ("FID", "FBillNo", "FDate", "FDocumentStatus", "FCloseStatus", "FCancelStatus", *ORIGIN)
_MONEY = ("FSettleCurrId.FCode", "FSettleCurrId.FName", "FBillAllAmount")
_LINE = ("FMaterialId.FNumber", "FMaterialId.FName", "FQty", "FTaxPrice", "FAllAmount", "FDeliveryDate")
_MODIFIER = ("FModifierId", "FModifierId.FName")

SALES = Form(
    "SAL_SaleOrder",
    keys=(
        *_HEADER, *_MODIFIER, "FCustId.FName", "FSalerId.FName", *_MONEY, "FSaleOrderEntry_FEntryId", *_LINE,
        "FUnitID.FName", "FStockOutQty", "FInvoiceQty",
    ),
    optional=_ORIGIN_OPTIONAL | {"FInvoiceQty", "FSalerId.FName", *_MODIFIER},
    order="FID,FSaleOrderEntry_FEntryId",
    org="FSaleOrgId.FNumber",
    texts=("FCustId.FName",),
    partner="FCustId.FName",
    due=("FDeliveryDate",),
)  # fmt: skip

PURCHASES = Form(
    "PUR_PurchaseOrder",
    keys=(
        *_HEADER, "FApproverId.FName", "FSupplierId.FName", "FPurchaserId.FName", *_MODIFIER, *_MONEY,
        "FPOOrderEntry_FEntryId", *_LINE, "FUnitId.FName", "FStockInQty",
    ),
    optional=_ORIGIN_OPTIONAL | {"FApproverId.FName", "FPurchaserId.FName", *_MODIFIER},
    order="FID,FPOOrderEntry_FEntryId",
    org="FPurchaseOrgId.FNumber",
    texts=("FSupplierId.FName",),
    partner="FSupplierId.FName",
    due=("FDeliveryDate",),
)  # fmt: skip


def _planned(form: str, partner: str) -> Form:
    """Return the form of a bill with a payment plan: a receivable or a payable."""
    return Form(
        form,
        keys=(
            "FID", "FBillNo", "FDATE", "FDOCUMENTSTATUS", "FCancelStatus", "FWRITTENOFFSTATUS", partner,
            "FCURRENCYID.FCode", "FCURRENCYID.FName", "FALLAMOUNTFOR", "FENDDATE_H", *ORIGIN, *_MODIFIER,
            "FEntityPlan_FEntryId", "FENDDATE", "FPAYAMOUNTFOR", "FWRITTENOFFAMOUNT", "FNOTVERIFICATEAMOUNT",
        ),
        optional=_ORIGIN_OPTIONAL | {
            "FCancelStatus", "FENDDATE", "FPAYAMOUNTFOR", "FWRITTENOFFAMOUNT", "FNOTVERIFICATEAMOUNT", *_MODIFIER,
        },
        order="FID,FEntityPlan_FEntryId",
        org="FSETTLEORGID.FNumber",
        texts=(partner,),
        partner=partner,
        day="FDATE",
        dated="FDATE",
        status="FDOCUMENTSTATUS",
        # There may be several instalments: an earlier one may be due before the last.
        due=("FENDDATE_H", "FENDDATE"),
    )  # fmt: skip


RECEIVABLES = _planned("AR_receivable", "FCUSTOMERID.FName")
PAYABLES = _planned("AP_Payable", "FSUPPLIERID.FName")
# A query over two entries of one bill returns every pair of their lines, so the details are queried separately.
RECEIVABLE_SOURCES = Form(
    "AR_receivable",
    keys=("FID", "FEntityDetail_FEntryId", "FSourceBillNo", "FSourceType"),
    optional=frozenset({"FSourceBillNo", "FSourceType"}),
    order="FID,FEntityDetail_FEntryId",
    org="FSETTLEORGID.FNumber",
)

PAYABLE_SOURCES = Form(
    "AP_Payable",
    keys=("FID", "FEntityDetail_FEntryId", "FORDERNUMBER"),
    optional=frozenset({"FORDERNUMBER"}),
    order="FID,FEntityDetail_FEntryId",
    org="FSETTLEORGID.FNumber",
)

_PAYMENT = (
    "FID", "FBillNo", "FDATE", "FDOCUMENTSTATUS", "FCancelStatus", "FCONTACTUNITTYPE", "FCONTACTUNIT.FName",
    "FCURRENCYID.FCode", "FCURRENCYID.FName", *ORIGIN, "FSETTLETYPEID.FName",
)  # fmt: skip
OF_CUSTOMER, OF_VENDOR = "BD_Customer", "BD_Supplier"


def _payment(form: str, entry: str, total: str, real: str) -> Form:
    return Form(
        form,
        keys=(*_PAYMENT, entry, total, real),
        optional=_ORIGIN_OPTIONAL | {"FCancelStatus", "FSETTLETYPEID.FName", real},
        order=f"FID,{entry}",
        org="FPAYORGID.FNumber",
        only=one_of("FCONTACTUNITTYPE", (OF_CUSTOMER, OF_VENDOR)),
        texts=("FCONTACTUNIT.FName",),
        partner="FCONTACTUNIT.FName",
        day="FDATE",
        dated="FDATE",
    )


RECEIPTS = _payment("AR_RECEIVEBILL", "FRECEIVEBILLENTRY_FEntryId", "FRECTOTALAMOUNTFOR", "FREALRECAMOUNTFOR_D")
OUTGOING = _payment("AP_PAYBILL", "FPAYBILLENTRY_FEntryId", "FPAYTOTALAMOUNTFOR", "FREALPAYAMOUNTFOR_D")

_SHIPMENT_MORE = ("FCarrierID.FName", "FCarriageNO", "FSalesManID.FName", "FStockID.FName")
SHIPMENTS = Form(
    "SAL_OUTSTOCK",
    keys=(
        "FID", "FBillNo", "FDate", "FDocumentStatus", "FCancelStatus", "FCustomerID.FName", *_SHIPMENT_MORE,
        *ORIGIN, "FEntity_FEntryId", "FMaterialId.FNumber", "FMaterialId.FName", "FUnitID.FName",
        "FRealQty", "FSoorDerno",
    ),
    optional=_ORIGIN_OPTIONAL | {*_SHIPMENT_MORE},
    order="FID,FEntity_FEntryId",
    org="FSaleOrgId.FNumber",
    due=("FDate",),
    # Each line names its order, so that a search finds the notes of an order as well.
    texts=("FCustomerID.FName", "FSoorDerno"),
    partner="FCustomerID.FName",
)  # fmt: skip

_IN_FORCE = "FDocumentStatus='C' and FCancelStatus='A'"


def _received(form: str, entry: str, quantity: str, order: str, only: str) -> Form:
    """Return the form of what came in from vendors, or went back to them: audited, as goods move with the audit."""
    more = ("FStockId.FName", "FLot.FNumber")
    return Form(
        form,
        keys=(
            "FID", "FBillNo", "FDate", "FSupplierId.FName", *ORIGIN, entry, "FMaterialId.FNumber",
            "FMaterialId.FName", "FUnitID.FName", quantity, order, *more,
        ),
        optional=_ORIGIN_OPTIONAL | {*more},
        order=f"FID,{entry}",
        org="FPurchaseOrgId.FNumber",
        only=only,
        # Each line names its order: a vendor brings those of several at once.
        texts=("FSupplierId.FName", order),
        partner="FSupplierId.FName",
    )  # fmt: skip


GOODS_IN = _received("STK_InStock", "FInStockEntry_FEntryId", "FRealQty", "FPOOrderNo", _IN_FORCE)
# What failed the inspection (A) goes back before it was ever in stock.
GOODS_BACK = _received("PUR_MRB", "FPURMRBENTRY_FEntryId", "FRMREALQTY", "FORDERNO", f"{_IN_FORCE} and FMRTYPE='B'")
ORDER_OF_GOODS = {GOODS_IN: "FPOOrderNo", GOODS_BACK: "FORDERNO", SHIPMENTS: "FSoorDerno"}
"""The key with the number of the order that a line's goods are of."""


def _partner(form: str, *more: str) -> Form:
    more = (*more, *ORIGIN)
    return Form(
        form,
        keys=("FNumber", "FName", "FForbidStatus", *more),
        optional=frozenset(more),
        order="FNumber,FUseOrgId.FNumber",
        org="FUseOrgId.FNumber",
        key="FNumber",
        number_key="FNumber",
        texts=("FName",),
        partner="FName",
        day="",
        dated="",
    )


BUYERS = _partner("BD_Customer", "FTEL", "FMobile", "FEmail", "FADDRESS", "FSELLER.FName", "FRECCONDITIONID.FName")
SUPPLIERS = _partner("BD_Supplier", "FAddress", "FPayCondition.FName")

FINISHED = "FFinishDate"
"""The day on which a line of a production order was finished."""
PRODUCTION = Form(
    "PRD_MO",
    keys=(
        "FID", "FBillNo", "FDate", "FDocumentStatus", "FCancelStatus", *ORIGIN,
        "FTreeEntity_FEntryId", "FTreeEntity_FSeq", "FMaterialId.FNumber", "FMaterialId.FName", "FUnitId.FName", "FQty",
        "FStatus", "FPlanStartDate", "FPlanFinishDate", "FStockInQuaQty", "FScrapQty", "FSaleOrderNo",
        FINISHED,
    ),
    optional=_ORIGIN_OPTIONAL | {"FCancelStatus", "FStockInQuaQty", "FScrapQty", "FSaleOrderNo", FINISHED},
    order="FID,FTreeEntity_FSeq",
    org="FPrdOrgId.FNumber",
    key="FTreeEntity_FEntryId",
    line="FTreeEntity_FSeq",
    texts=("FMaterialId.FNumber", "FMaterialId.FName"),
    day="FPlanStartDate",
    due=("FPlanFinishDate",),
)  # fmt: skip

_TASK = (
    "FAssignId", "FReceiverItem_FRECEIVERITEMID", "FInstCode", "FBILLNUMBER", "FASSIGNNAME", "FActivityStatus",
    "FInstStatus", "FReceiverId", "FReceiverId.FName", "FStatus", "FDisposition", "FResultName", "FBasePost",
    "FCompletedTime", "FCreateTime",
)  # fmt: skip
_TASK_ORDER = "FCreateTime,FAssignId,FReceiverItem_FRECEIVERITEMID"
RUNNING_TASKS = Form("WF_AssignmentBill_ProcManage", keys=_TASK, order=_TASK_ORDER)
"""Tasks of workflows in progress, including those already done."""
PAST_TASKS = Form("WF_AssignmentHisBill_ProcManage", keys=_TASK, order=_TASK_ORDER)
"""Tasks of workflows that ended."""
