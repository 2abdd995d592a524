"""Records in addition to the reference company's."""

from __future__ import annotations

from itertools import islice
from typing import Any

from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, OTHER_ORG, KingdeeBill

_ORG_KEYS = {
    "BD_MATERIAL": "FUseOrgId.FNumber",
    "ENG_BOM": "FUseOrgId.FNumber",
    "BD_STOCK": "FUseOrgId.FNumber",
    "STK_Inventory": "FStockOrgId.FNumber",
    "SAL_SaleOrder": "FSaleOrgId.FNumber",
    "PUR_PurchaseOrder": "FPurchaseOrgId.FNumber",
    "AR_receivable": "FSETTLEORGID.FNumber",
    "PRD_MO": "FPrdOrgId.FNumber",
    "SAL_OUTSTOCK": "FSaleOrgId.FNumber",
    "STK_InStock": "FPurchaseOrgId.FNumber",
    "PUR_MRB": "FPurchaseOrgId.FNumber",
    "AP_Payable": "FSETTLEORGID.FNumber",
    "AR_RECEIVEBILL": "FPAYORGID.FNumber",
    "AP_PAYBILL": "FPAYORGID.FNumber",
    "BD_Customer": "FUseOrgId.FNumber",
    "BD_Supplier": "FUseOrgId.FNumber",
}


def other_organisation(server: FakeKingdee) -> None:
    """Add a second organisation with the same codes and numbers to the server."""
    server.more["ORG_Organizations"] = [KingdeeBill({"FNumber": OTHER_ORG, "FName": "深圳公司"})]
    for form, key in _ORG_KEYS.items():
        bills = islice(FORMS[form][1](server.company), 9)
        server.more[form] = [KingdeeBill(_moved(bill.header, key), bill.entries) for bill in bills]


def _moved(header: dict[str, Any], key: str) -> dict[str, Any]:
    moved = header | {key: OTHER_ORG}
    match header.get("FID"):
        case int(number):
            moved["FID"] = number + 9_000_000
        case str(text):
            moved["FID"] = f"9{text}"
    return moved
