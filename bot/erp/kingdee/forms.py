"""The forms that are read, and their fields (ERP sheet, 1.7). What not every installation has is optional."""

from __future__ import annotations

from bot.erp.kingdee.client import Form

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
