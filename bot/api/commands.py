"""What the author of a command imports: how commands are declared, what they ask, what they return."""

from __future__ import annotations as annotations

from bot.access.people import Person as Person
from bot.access.policy import AccessPolicy as AccessPolicy
from bot.access.rules import AccessRule as AccessRule
from bot.cards.actions import Ask as Ask
from bot.cards.notices import Suggestion as Suggestion
from bot.cards.status_labels import status_label as status_label
from bot.cards.tables import Column as Column
from bot.cards.tables import Table as Table
from bot.cards.view import Button as Button
from bot.cards.view import Color as Color
from bot.cards.view import Label as Label
from bot.cards.view import ListView as ListView
from bot.cards.view import View as View
from bot.chat.arguments import DocumentNumber as DocumentNumber
from bot.chat.arguments import Keyword as Keyword
from bot.chat.arguments import PartnerTerm as PartnerTerm
from bot.chat.arguments import Sku as Sku
from bot.chat.arguments import Term as Term
from bot.chat.arguments import Warehouse as Warehouse
from bot.chat.arguments import Word as Word
from bot.chat.arguments import shortened as shortened
from bot.chat.context import QuestionContext as QuestionContext
from bot.chat.days import DayRange as DayRange
from bot.chat.days import Days as Days
from bot.chat.days import asked_days as asked_days
from bot.chat.errors import BadArgument as BadArgument
from bot.chat.errors import NothingFound as NothingFound
from bot.chat.parsing import command_line as command_line
from bot.chat.questions.first_questions import first_questions as first_questions
from bot.chat.records.linked_documents import LinkedDocuments as LinkedDocuments
from bot.chat.records.links import more_buttons as more_buttons
from bot.chat.records.links import offered as offered
from bot.chat.records.list_totals import ListAmounts as ListAmounts
from bot.chat.records.list_totals import sum_by_currency as sum_by_currency
from bot.chat.records.list_totals import total_of_list as total_of_list
from bot.chat.records.lookup import DocumentList as DocumentList
from bot.chat.records.lookup import DocumentLookup as DocumentLookup
from bot.chat.records.lookup import Numbered as Numbered
from bot.chat.records.lookup import OneDocument as OneDocument
from bot.chat.records.own_documents import OwnDocuments as OwnDocuments
from bot.chat.records.products import Picks as Picks
from bot.chat.records.products import ProductLookup as ProductLookup
from bot.chat.registry import Command as Command
from bot.chat.registry import Commands as Commands
from bot.chat.registry import command as command
from bot.chat.view_parts import DocumentListView as DocumentListView
from bot.chat.view_parts import DocumentView as DocumentView
from bot.chat.view_parts import Freshness as Freshness
from bot.chat.view_parts import ask_buttons as ask_buttons
from bot.chat.view_parts import erp_link_buttons as erp_link_buttons
from bot.chat.view_parts import export_buttons as export_buttons
from bot.chat.view_parts import freshness as freshness
from bot.chat.view_parts import freshness_of_all as freshness_of_all
from bot.chat.view_parts import table_of_lines as table_of_lines
from bot.chat.view_parts import table_of_one as table_of_one
from bot.disclosure import ALL_FIELDS as ALL_FIELDS
from bot.disclosure import HIDDEN as HIDDEN
from bot.disclosure import ClassedBy as ClassedBy
from bot.disclosure import FieldClass as FieldClass
from bot.disclosure import Stating as Stating
from bot.disclosure import cut as cut
from bot.erp.answer import Answer as Answer
from bot.erp.answer import SourceAnswer as SourceAnswer
from bot.erp.errors import ErpError as ErpError
from bot.erp.errors import NotFound as NotFound
from bot.erp.errors import NotPermitted as NotPermitted
from bot.erp.errors import Unavailable as Unavailable
from bot.erp.errors import Unsupported as Unsupported
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
from bot.erp.goods_port import ShortageQuery as ShortageQuery
from bot.erp.goods_port import WarehouseQuery as WarehouseQuery
from bot.erp.hub import ErpHub as ErpHub
from bot.erp.listing import BILLS as BILLS
from bot.erp.listing import INVOICES as INVOICES
from bot.erp.listing import PRODUCTION_ORDERS as PRODUCTION_ORDERS
from bot.erp.listing import PURCHASE_ORDERS as PURCHASE_ORDERS
from bot.erp.listing import SALES_ORDERS as SALES_ORDERS
from bot.erp.listing import Listing as Listing
from bot.erp.model import Approval as Approval
from bot.erp.model import Area as Area
from bot.erp.model import Bill as Bill
from bot.erp.model import ContactDetail as ContactDetail
from bot.erp.model import Cost as Cost
from bot.erp.model import Customer as Customer
from bot.erp.model import Invoice as Invoice
from bot.erp.model import InvoiceStatus as InvoiceStatus
from bot.erp.model import Money as Money
from bot.erp.model import OrderLine as OrderLine
from bot.erp.model import OrderStatus as OrderStatus
from bot.erp.model import PartnerKind as PartnerKind
from bot.erp.model import PartnerName as PartnerName
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
from bot.erp.model import Quantity as Quantity
from bot.erp.model import SalesAmount as SalesAmount
from bot.erp.model import SalesOrder as SalesOrder
from bot.erp.model import Slice as Slice
from bot.erp.model import StockLevel as StockLevel
from bot.erp.model import Supplier as Supplier
from bot.erp.model import WarehouseStock as WarehouseStock
from bot.erp.port import Capability as Capability
from bot.erp.port import Filter as Filter
from bot.erp.port import ListQuery as ListQuery
from bot.erp.port import Period as Period
from bot.errors import DingerpError as DingerpError
from bot.phrase import Phrase as Phrase
from bot.phrase import phrase as phrase
from bot.read_model.queries import ReadModel as ReadModel
from bot.spelling import other_spellings as other_spellings

__all__ = [
    "ALL_FIELDS",
    "BILLS",
    "HIDDEN",
    "INVOICES",
    "PRODUCTION_ORDERS",
    "PURCHASE_ORDERS",
    "SALES_ORDERS",
    "AccessPolicy",
    "AccessRule",
    "Answer",
    "Approval",
    "Area",
    "Arrival",
    "ArrivalKind",
    "ArrivalQuery",
    "Ask",
    "BadArgument",
    "Bill",
    "Button",
    "Capability",
    "ClassedBy",
    "Color",
    "Column",
    "Command",
    "Commands",
    "ComponentUse",
    "ContactDetail",
    "Cost",
    "Customer",
    "DayRange",
    "Days",
    "DeliveryLine",
    "DeliveryStatus",
    "DingerpError",
    "DocumentList",
    "DocumentListView",
    "DocumentLookup",
    "DocumentNumber",
    "DocumentView",
    "ErpError",
    "ErpHub",
    "FieldClass",
    "Filter",
    "Freshness",
    "GoodsDelivery",
    "Invoice",
    "InvoiceStatus",
    "Keyword",
    "Label",
    "LinkedDocuments",
    "ListAmounts",
    "ListQuery",
    "ListView",
    "Listing",
    "Money",
    "NotFound",
    "NotPermitted",
    "NothingFound",
    "Numbered",
    "OneDocument",
    "OrderLine",
    "OrderStatus",
    "OwnDocuments",
    "PartnerKind",
    "PartnerName",
    "PartnerTerm",
    "Payment",
    "PaymentDirection",
    "PaymentStatus",
    "Period",
    "Person",
    "Phrase",
    "Picks",
    "PriceKind",
    "PricePoint",
    "Prices",
    "Product",
    "ProductDetails",
    "ProductLookup",
    "ProductionOrder",
    "ProductionStatus",
    "Progress",
    "PurchaseLine",
    "PurchaseOrder",
    "PurchaseStatus",
    "Quantities",
    "Quantity",
    "QuestionContext",
    "ReadModel",
    "SalesAmount",
    "SalesOrder",
    "Shortage",
    "ShortageQuery",
    "Sku",
    "Slice",
    "SourceAnswer",
    "Stating",
    "StockLevel",
    "Suggestion",
    "Supplier",
    "Supply",
    "Table",
    "Term",
    "Unavailable",
    "Unsupported",
    "View",
    "Warehouse",
    "WarehouseContents",
    "WarehouseItem",
    "WarehouseQuery",
    "WarehouseStock",
    "Word",
    "ask_buttons",
    "asked_days",
    "command",
    "command_line",
    "cut",
    "erp_link_buttons",
    "export_buttons",
    "first_questions",
    "freshness",
    "freshness_of_all",
    "more_buttons",
    "offered",
    "other_spellings",
    "phrase",
    "shortened",
    "status_label",
    "sum_by_currency",
    "table_of_lines",
    "table_of_one",
    "total_of_list",
]
