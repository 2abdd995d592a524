"""Records of a company in one vocabulary for every ERP (docs: platform/erp/records.md#records, #states).

Amounts are `Decimal` with an ISO currency code, quantities `Decimal` with the unit as the ERP spells it, times are
timezone-aware. ``None`` means that the ERP does not provide the value, which always differs from zero.
"""

from __future__ import annotations

from bot.erp.model.areas import Area as Area
from bot.erp.model.areas import Change as Change
from bot.erp.model.areas import Changes as Changes
from bot.erp.model.areas import Feed as Feed
from bot.erp.model.areas import Followed as Followed
from bot.erp.model.areas import parse_followed as parse_followed
from bot.erp.model.creating import DocumentDraft as DocumentDraft
from bot.erp.model.creating import DraftLine as DraftLine
from bot.erp.model.deciding import Approval as Approval
from bot.erp.model.deciding import Decision as Decision
from bot.erp.model.deciding import DecisionOutcome as DecisionOutcome
from bot.erp.model.deciding import DecisionResult as DecisionResult
from bot.erp.model.deciding import Review as Review
from bot.erp.model.deciding import ReviewState as ReviewState
from bot.erp.model.deciding import Verdict as Verdict
from bot.erp.model.finance import Bill as Bill
from bot.erp.model.finance import Invoice as Invoice
from bot.erp.model.finance import InvoiceRecord as InvoiceRecord
from bot.erp.model.finance import InvoiceStatus as InvoiceStatus
from bot.erp.model.finance import PartnerKind as PartnerKind
from bot.erp.model.finance import Payment as Payment
from bot.erp.model.finance import PaymentDirection as PaymentDirection
from bot.erp.model.finance import PaymentStatus as PaymentStatus
from bot.erp.model.partners import Customer as Customer
from bot.erp.model.partners import ErpUser as ErpUser
from bot.erp.model.partners import PartnerRecord as PartnerRecord
from bot.erp.model.partners import Supplier as Supplier
from bot.erp.model.production import ProductionOrder as ProductionOrder
from bot.erp.model.production import ProductionStatus as ProductionStatus
from bot.erp.model.purchasing import PurchaseLine as PurchaseLine
from bot.erp.model.purchasing import PurchaseOrder as PurchaseOrder
from bot.erp.model.sales import OrderLine as OrderLine
from bot.erp.model.sales import OrderStatus as OrderStatus
from bot.erp.model.sales import SalesOrder as SalesOrder
from bot.erp.model.stock import Lot as Lot
from bot.erp.model.stock import Product as Product
from bot.erp.model.stock import Quantities as Quantities
from bot.erp.model.stock import StockLevel as StockLevel
from bot.erp.model.stock import WarehouseStock as WarehouseStock
from bot.erp.model.stock import by_expiry as by_expiry
from bot.erp.model.values import ContactDetail as ContactDetail
from bot.erp.model.values import Cost as Cost
from bot.erp.model.values import Currency as Currency
from bot.erp.model.values import DocumentRef as DocumentRef
from bot.erp.model.values import ErpRecord as ErpRecord
from bot.erp.model.values import ExtraFields as ExtraFields
from bot.erp.model.values import Money as Money
from bot.erp.model.values import PartnerName as PartnerName
from bot.erp.model.values import Progress as Progress
from bot.erp.model.values import Quantity as Quantity
from bot.erp.model.values import SalesAmount as SalesAmount
from bot.erp.model.values import Slice as Slice
