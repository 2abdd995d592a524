"""What is asked of the WebAPI: text inside a FilterString, forms and their fields, lists.

Docs: platform/erp/kingdee.md#queries, #forms
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Generic

from bot.erp.errors import Invalid
from bot.erp.kingdee.client import Form, KingdeeClient, Row, literal
from bot.erp.kingdee.mapping import ValueReader, code, text
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery

LONGEST = 100
"""Characters of a code or number at most; the ERP's own are shorter."""
_LONGEST_PATTERN = 200


def one_of(field: str, texts: Iterable[object]) -> str:
    """Return the condition that a field is one of these."""
    return f"{field} in ({','.join(literal(str(text)) for text in texts)})"


def is_code(text: str) -> bool:
    """Return whether what somebody typed can be a code or number at all: not empty, not long, no control characters."""
    return 0 < len(text) <= LONGEST and text.isprintable() and not text.isspace()


def spelled(field: str, *codes: str) -> str:
    """Return the condition that a field is one of these codes in some case; a database may tell cases apart."""
    return one_of(field, dict.fromkeys(form for code in codes for form in (code, code.upper(), code.lower())))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that holds wherever a field contains a text, and perhaps elsewhere: filter again."""
    pattern = "%" + "%".join(re.findall(r"[^\W_]+", text)) + "%"
    wanted = literal(pattern[:_LONGEST_PATTERN].rstrip("%") + "%")
    return "(" + " or ".join(f"{field} like {wanted}" for field in fields) + ")"


def all_of(*conditions: str) -> str:
    """Return a condition that all of these hold; empty ones are left out."""
    return " and ".join(filter(None, conditions))


def day_text(day: date) -> str:
    """Return a day as a literal."""
    return literal(day.isoformat())


def time_text(moment: datetime) -> str:
    """Return a time of the server's zone as a literal, cut off to the second."""
    return literal(f"{moment:%Y-%m-%d %H:%M:%S}")


MATERIALS = Form(
    "BD_MATERIAL",
    keys=(
        "FNumber",
        "FName",
        "FSpecification",
        "FBaseUnitId.FName",
        "FForbidStatus",
        "FMaterialGroup.FName",
        "FBARCODE",
        "FStoreUnitID.FName",
        "FIsEnableReOrder",
        "FReOrderGood",
        "FIsEnableSafeStock",
        "FSafeStock",
    ),
    optional=frozenset(
        {
            "FMaterialGroup.FName",
            "FBARCODE",
            "FStoreUnitID.FName",
            "FIsEnableReOrder",
            "FReOrderGood",
            "FIsEnableSafeStock",
            "FSafeStock",
            "FApproveDate",
        }
    ),
    order="FNumber,FUseOrgId.FNumber",
    org="FUseOrgId.FNumber",
)

INVENTORY = Form(
    "STK_Inventory",
    keys=(
        "FMaterialId.FNumber",
        "FStockId.FNumber",
        "FStockId.FName",
        "FStockOrgId.FNumber",
        "FBaseQty",
        "FBaseAVBQty",
        "FBaseLockQty",
        "FBaseUnitId.FName",
    ),
    optional=frozenset({"FBaseAVBQty", "FBaseLockQty"}),
    order="FStockId.FNumber,FID",
    org="FStockOrgId.FNumber",
)

_HEADER = ("FID", "FBillNo", "FDate", "FDocumentStatus", "FCloseStatus", "FCancelStatus", "FModifyDate", "FApproveDate")
_MONEY = ("FSettleCurrId.FCode", "FSettleCurrId.FName", "FBillAllAmount")
_LINE = ("FMaterialId.FNumber", "FMaterialId.FName", "FQty", "FTaxPrice", "FAllAmount", "FDeliveryDate")
_APPROVED = frozenset({"FApproveDate"})
_PEOPLE = ("FCreatorId", "FCreatorId.FName", "FModifierId", "FModifierId.FName")
"""Who made an order and who changed it last: the number of the user, as decisions name them, and their name."""

SALES = Form(
    "SAL_SaleOrder",
    keys=(
        *_HEADER,
        "FCustId.FName",
        "FSalerId.FName",
        *_MONEY,
        "FSaleOrderEntry_FEntryId",
        *_LINE,
        "FUnitID.FName",
        "FStockOutQty",
        "FInvoiceQty",
    ),
    optional=_APPROVED | {"FInvoiceQty", "FSalerId.FName"},
    order="FID,FSaleOrderEntry_FEntryId",
    org="FSaleOrgId.FNumber",
)

PURCHASES = Form(
    "PUR_PurchaseOrder",
    keys=(
        *_HEADER,
        "FApproverId.FName",
        "FSupplierId.FName",
        "FPurchaserId.FName",
        *_PEOPLE,
        *_MONEY,
        "FPOOrderEntry_FEntryId",
        *_LINE,
        "FUnitId.FName",
        "FStockInQty",
    ),
    optional=_APPROVED | {"FApproverId.FName", "FPurchaserId.FName", *_PEOPLE},
    order="FID,FPOOrderEntry_FEntryId",
    org="FPurchaseOrgId.FNumber",
)

RECEIVABLES = Form(
    "AR_receivable",
    keys=(
        "FID",
        "FBillNo",
        "FDATE",
        "FDOCUMENTSTATUS",
        "FCancelStatus",
        "FWRITTENOFFSTATUS",
        "FCUSTOMERID.FName",
        "FCURRENCYID.FCode",
        "FCURRENCYID.FName",
        "FALLAMOUNTFOR",
        "FENDDATE_H",
        "FModifyDate",
        "FApproveDate",
        "FEntityPlan_FEntryId",
        "FENDDATE",
        "FPAYAMOUNTFOR",
        "FWRITTENOFFAMOUNT",
        "FNOTVERIFICATEAMOUNT",
    ),
    optional=_APPROVED | {"FCancelStatus", "FENDDATE", "FPAYAMOUNTFOR", "FWRITTENOFFAMOUNT", "FNOTVERIFICATEAMOUNT"},
    order="FID,FEntityPlan_FEntryId",
    org="FSETTLEORGID.FNumber",
)
# Two entries of one bill in one query give every pair of their lines: what stands in the details is asked apart.
RECEIVABLE_SOURCES = Form(
    "AR_receivable",
    keys=("FID", "FEntityDetail_FEntryId", "FSourceBillNo", "FSourceType"),
    optional=frozenset({"FSourceBillNo", "FSourceType"}),
    order="FID,FEntityDetail_FEntryId",
    org="FSETTLEORGID.FNumber",
)

PRODUCTION = Form(
    "PRD_MO",
    keys=(
        "FID",
        "FBillNo",
        "FDate",
        "FDocumentStatus",
        "FCancelStatus",
        "FModifyDate",
        "FApproveDate",
        "FTreeEntity_FEntryId",
        "FTreeEntity_FSeq",
        "FMaterialId.FNumber",
        "FMaterialId.FName",
        "FUnitId.FName",
        "FQty",
        "FStatus",
        "FPlanStartDate",
        "FPlanFinishDate",
        "FStockInQuaQty",
        "FScrapQty",
        "FSaleOrderNo",
    ),
    optional=_APPROVED | {"FCancelStatus", "FStockInQuaQty", "FScrapQty", "FSaleOrderNo"},
    order="FID,FTreeEntity_FSeq",
    org="FPrdOrgId.FNumber",
)

TASK_KEYS = (
    "FAssignId",
    "FReceiverItem_FRECEIVERITEMID",
    "FInstCode",
    "FBILLNUMBER",
    "FASSIGNNAME",
    "FActivityStatus",
    "FInstStatus",
    "FReceiverId",
    "FReceiverId.FName",
    "FStatus",
    "FDisposition",
    "FResultName",
    "FBasePost",
    "FCompletedTime",
    "FCreateTime",
)
TASK_ORDER = "FCreateTime,FAssignId,FReceiverItem_FRECEIVERITEMID"
RUNNING_TASKS = Form("WF_AssignmentBill_ProcManage", keys=TASK_KEYS, order=TASK_ORDER)
"""Tasks of workflows that run, those done included."""
PAST_TASKS = Form("WF_AssignmentHisBill_ProcManage", keys=TASK_KEYS, order=TASK_ORDER)
"""Tasks of workflows that ended."""


def bill_number(row: Row) -> str:
    """Return the number of the bill that a line belongs to."""
    return code(row["FBillNo"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec(Generic[D]):
    """How one kind of document is listed."""

    form: Form
    listing: Listing[D]
    read: Callable[[Sequence[str]], Awaitable[Sequence[D]]]
    """Reads documents by their keys, in any order."""
    texts: tuple[str, ...]
    """What is searched, besides the number."""
    day: str = "FDate"
    """The day by which the list is ordered."""
    dated: str = "FDate"
    """The day that every document has, by which old ones are left out."""
    key: str = "FID"
    also: tuple[str, ...] = ()
    number: Callable[[Row], str] = bill_number
    narrow: Mapping[Filter, str] = field(default_factory=dict)
    """Conditions that leave all that a filter wants, and perhaps more."""


class DocumentLister:
    """Answers `ListQuery`; raises what `KingdeeClient.query` raises."""

    def __init__(self, client: KingdeeClient, values: ValueReader, *, days: int) -> None:
        self._client = client
        self._values = values
        self._days = days

    async def pick(self, listed: ListSpec[D], query: ListQuery, today: date) -> Slice[D]:
        """Return part of a list.

        What a filter leaves is read whole and picked from. A list of everything is not: first its numbers and days,
        which give order and total, then the documents of the part that is asked for.
        """
        if query.filter is not Filter.ALL:
            return await self._picked(listed, query, today)
        rows = await self._keys(listed, query, today)
        keys = [code(row[listed.key]) for row in rows[query.offset : query.offset + query.limit]]
        documents = await listed.read(keys) if keys else ()
        places = {number: place for place, number in enumerate(map(listed.number, rows))}
        # A document may have gone, or changed its number, between the two questions.
        found = [document for document in documents if document.number in places]
        return Slice(items=tuple(sorted(found, key=lambda each: places[each.number])), total=len(rows))

    async def _picked(self, listed: ListSpec[D], query: ListQuery, today: date) -> Slice[D]:
        where = listed.narrow.get(query.filter)
        if where is None:
            return listed.listing.pick((), query, today)
        rows = await self._client.query(listed.form, where, keys=(listed.key,), order=listed.key)
        keys = list(dict.fromkeys(code(row[listed.key]) for row in rows))
        return listed.listing.pick(await listed.read(keys) if keys else (), query, today)

    async def _keys(self, listed: ListSpec[Any], query: ListQuery, today: date) -> list[Row]:
        """Return a line per document that a query for everything matches, in the port's order."""
        since = f"{listed.dated}>={day_text(today - timedelta(days=self._days))}"
        matching = contains(("FBillNo", *listed.texts), query.text) if query.text else ""
        keys = dict.fromkeys(("FID", listed.key, "FBillNo", *listed.also, listed.day, *listed.texts))
        rows = await self._client.query(
            listed.form, all_of(since, matching), keys=list(keys), order=",".join({"FID": 0, listed.key: 0})
        )
        wanted = query.text.casefold()
        found = []
        for row in rows:
            parts = (listed.number(row), *(text(row[key]) for key in listed.texts))
            if any(wanted in part.casefold() for part in parts):
                found.append((self._day(row[listed.day]), listed.number(row), row))
        found.sort(key=lambda hit: hit[1])
        found.sort(key=lambda hit: hit[0], reverse=True)
        return [row for _, _, row in found]

    def _day(self, value: Any) -> date:
        try:
            return self._values.day(value) or date.min
        except ValueError as error:
            raise Invalid(f"a day that is none in an answer: {error}", source=self._client.source) from error
