"""What the author of an ERP adapter imports: the port, its records and errors, and the bricks of an adapter."""

from __future__ import annotations as annotations

from bot.erp.concurrency import gather_or_cancel as gather_or_cancel
from bot.erp.cursor import TimeCursor as TimeCursor
from bot.erp.decider_keys import DeciderKeys as DeciderKeys
from bot.erp.decider_keys import KeyOwners as KeyOwners
from bot.erp.deciding import decide as decide
from bot.erp.document_erp import DocumentErp as DocumentErp
from bot.erp.errors import AuthExpired as AuthExpired
from bot.erp.errors import AuthFailed as AuthFailed
from bot.erp.errors import Conflict as Conflict
from bot.erp.errors import ErpError as ErpError
from bot.erp.errors import Invalid as Invalid
from bot.erp.errors import NotFound as NotFound
from bot.erp.errors import NotPermitted as NotPermitted
from bot.erp.errors import RateLimited as RateLimited
from bot.erp.errors import Unavailable as Unavailable
from bot.erp.errors import UnknownOutcome as UnknownOutcome
from bot.erp.errors import Unsupported as Unsupported
from bot.erp.following import StreamPage as StreamPage
from bot.erp.following import follow as follow
from bot.erp.goods import Arrival as Arrival
from bot.erp.goods import ArrivalKind as ArrivalKind
from bot.erp.goods import ComponentUse as ComponentUse
from bot.erp.goods import DeliveryLine as DeliveryLine
from bot.erp.goods import DeliveryStatus as DeliveryStatus
from bot.erp.goods import GoodsDelivery as GoodsDelivery
from bot.erp.goods import PriceKind as PriceKind
from bot.erp.goods import PricePoint as PricePoint
from bot.erp.goods import Prices as Prices
from bot.erp.goods import ProductDetails as ProductDetails
from bot.erp.goods import Shortage as Shortage
from bot.erp.goods import Supply as Supply
from bot.erp.goods import WarehouseContents as WarehouseContents
from bot.erp.goods import WarehouseItem as WarehouseItem
from bot.erp.goods_port import ArrivalQuery as ArrivalQuery
from bot.erp.goods_port import GoodsReader as GoodsReader
from bot.erp.goods_port import ShortageQuery as ShortageQuery
from bot.erp.goods_port import WarehouseQuery as WarehouseQuery
from bot.erp.goods_sorting import by_arrival as by_arrival
from bot.erp.goods_sorting import by_leaving as by_leaving
from bot.erp.goods_sorting import by_price_day as by_price_day
from bot.erp.goods_sorting import by_urgency as by_urgency
from bot.erp.http import Http as Http
from bot.erp.http import HttpOptions as HttpOptions
from bot.erp.http import HttpResponse as HttpResponse
from bot.erp.http import refusal as refusal
from bot.erp.keys import checked_key as checked_key
from bot.erp.keys import fingerprint as fingerprint
from bot.erp.keys import pick_by_key as pick_by_key
from bot.erp.listing import BILLS as BILLS
from bot.erp.listing import CUSTOMERS as CUSTOMERS
from bot.erp.listing import DELIVERIES as DELIVERIES
from bot.erp.listing import INVOICES as INVOICES
from bot.erp.listing import PAYMENTS as PAYMENTS
from bot.erp.listing import PRODUCTION_ORDERS as PRODUCTION_ORDERS
from bot.erp.listing import PURCHASE_ORDERS as PURCHASE_ORDERS
from bot.erp.listing import SALES_ORDERS as SALES_ORDERS
from bot.erp.listing import VENDORS as VENDORS
from bot.erp.listing import Listing as Listing
from bot.erp.listing import find_products as find_products
from bot.erp.listing import read_page as read_page
from bot.erp.model import Approval as Approval
from bot.erp.model import Area as Area
from bot.erp.model import Bill as Bill
from bot.erp.model import Change as Change
from bot.erp.model import Changes as Changes
from bot.erp.model import Customer as Customer
from bot.erp.model import Decision as Decision
from bot.erp.model import DecisionOutcome as DecisionOutcome
from bot.erp.model import DecisionResult as DecisionResult
from bot.erp.model import ErpUser as ErpUser
from bot.erp.model import Feed as Feed
from bot.erp.model import Invoice as Invoice
from bot.erp.model import InvoiceStatus as InvoiceStatus
from bot.erp.model import Money as Money
from bot.erp.model import OrderLine as OrderLine
from bot.erp.model import OrderStatus as OrderStatus
from bot.erp.model import PartnerKind as PartnerKind
from bot.erp.model import Payment as Payment
from bot.erp.model import PaymentDirection as PaymentDirection
from bot.erp.model import PaymentStatus as PaymentStatus
from bot.erp.model import Product as Product
from bot.erp.model import ProductionOrder as ProductionOrder
from bot.erp.model import ProductionStatus as ProductionStatus
from bot.erp.model import Progress as Progress
from bot.erp.model import PurchaseLine as PurchaseLine
from bot.erp.model import PurchaseOrder as PurchaseOrder
from bot.erp.model import PurchaseStatus as PurchaseStatus
from bot.erp.model import Quantities as Quantities
from bot.erp.model import SalesOrder as SalesOrder
from bot.erp.model import Slice as Slice
from bot.erp.model import StockLevel as StockLevel
from bot.erp.model import Supplier as Supplier
from bot.erp.model import Verdict as Verdict
from bot.erp.model import WarehouseStock as WarehouseStock
from bot.erp.port import GOODS as GOODS
from bot.erp.port import Capability as Capability
from bot.erp.port import DocumentBatches as DocumentBatches
from bot.erp.port import Erp as Erp
from bot.erp.port import ErpUsers as ErpUsers
from bot.erp.port import FeedReader as FeedReader
from bot.erp.port import Filter as Filter
from bot.erp.port import ListQuery as ListQuery
from bot.erp.port import ProductBatches as ProductBatches
from bot.erp.refusing import RefusingErp as RefusingErp
from bot.erp.relogin import Relogin as Relogin
from bot.erp.values import LocalValues as LocalValues
from bot.erp.values import Zone as Zone
from bot.erp.values import amount_of as amount_of
from bot.erp.values import code as code
from bot.erp.values import is_true as is_true
from bot.erp.values import malformed_is_invalid as malformed_is_invalid
from bot.erp.values import money as money
from bot.erp.values import number as number
from bot.erp.values import progress as progress
from bot.erp.values import text as text
from bot.erp.vendors import AdapterContext as AdapterContext
from bot.erp.vendors import Vendor as Vendor
from bot.erp.warehouses import pick_warehouse as pick_warehouse
from bot.errors import ConfigurationError as ConfigurationError

__all__ = [
    "BILLS",
    "CUSTOMERS",
    "DELIVERIES",
    "GOODS",
    "INVOICES",
    "PAYMENTS",
    "PRODUCTION_ORDERS",
    "PURCHASE_ORDERS",
    "SALES_ORDERS",
    "VENDORS",
    "AdapterContext",
    "Approval",
    "Area",
    "Arrival",
    "ArrivalKind",
    "ArrivalQuery",
    "AuthExpired",
    "AuthFailed",
    "Bill",
    "Capability",
    "Change",
    "Changes",
    "ComponentUse",
    "ConfigurationError",
    "Conflict",
    "Customer",
    "DeciderKeys",
    "Decision",
    "DecisionOutcome",
    "DecisionResult",
    "DeliveryLine",
    "DeliveryStatus",
    "DocumentBatches",
    "DocumentErp",
    "Erp",
    "ErpError",
    "ErpUser",
    "ErpUsers",
    "Feed",
    "FeedReader",
    "Filter",
    "GoodsDelivery",
    "GoodsReader",
    "Http",
    "HttpOptions",
    "HttpResponse",
    "Invalid",
    "Invoice",
    "InvoiceStatus",
    "KeyOwners",
    "ListQuery",
    "Listing",
    "LocalValues",
    "Money",
    "NotFound",
    "NotPermitted",
    "OrderLine",
    "OrderStatus",
    "PartnerKind",
    "Payment",
    "PaymentDirection",
    "PaymentStatus",
    "PriceKind",
    "PricePoint",
    "Prices",
    "Product",
    "ProductBatches",
    "ProductDetails",
    "ProductionOrder",
    "ProductionStatus",
    "Progress",
    "PurchaseLine",
    "PurchaseOrder",
    "PurchaseStatus",
    "Quantities",
    "RateLimited",
    "RefusingErp",
    "Relogin",
    "SalesOrder",
    "Shortage",
    "ShortageQuery",
    "Slice",
    "StockLevel",
    "StreamPage",
    "Supplier",
    "Supply",
    "TimeCursor",
    "Unavailable",
    "UnknownOutcome",
    "Unsupported",
    "Vendor",
    "Verdict",
    "WarehouseContents",
    "WarehouseItem",
    "WarehouseQuery",
    "WarehouseStock",
    "Zone",
    "amount_of",
    "by_arrival",
    "by_leaving",
    "by_price_day",
    "by_urgency",
    "checked_key",
    "code",
    "decide",
    "find_products",
    "fingerprint",
    "follow",
    "gather_or_cancel",
    "is_true",
    "malformed_is_invalid",
    "money",
    "number",
    "pick_by_key",
    "pick_warehouse",
    "progress",
    "read_page",
    "refusal",
    "text",
]
