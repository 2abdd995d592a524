"""The demo company as plain data: a small factory, its products, partners and documents.

Days are counted from the day on which the database is filled. A document's position in its list determines its number,
so append new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

COMPANY = "杭州启明智能制造有限公司"
SECOND_COMPANY = "苏州启明贸易有限公司"
"""Has the same products and warehouses, and numbers its documents from the same first numbers on."""
CURRENCY = "CNY"
VAT_RATE = "0.13"

# The default payment terms: name, days after the invoice date.
TERMS = {"预付": 0, "月结15天": 15, "月结30天": 30, "月结60天": 60}

WAREHOUSES = {"WH-SH": "上海总仓", "WH-SZ": "深圳分仓"}

# Purchases of this total (tax included) or more require confirmation by two users.
DOUBLE_CONFIRM_FROM = 100000

# login: (name, password, groups, read only)
USERS = {
    "dingbot": ("钉钉机器人", "DingBot#2026", ["sale", "purchase", "stock", "production", "account"], False),
    "readonly": ("只读查询", "ReadOnly#2026", [], True),
    "buyer": ("采购员 李娜", "BuyerLi#2026", ["purchase"], False),
    "manager": ("采购经理 王强", "Manager#2026", ["purchase", "purchase_admin"], False),
    "warehouse": ("仓管员 赵敏", "StockZhao#2026", ["stock"], False),
    "both": ("集团查询", "Both#2026", ["sale", "purchase", "stock", "production", "account"], False),
}
# Of both companies: this account is shown documents of both at once, the bot's those of its current one.
SHOWN_BOTH = "both"

CUSTOMERS = {
    "C001": "上海华联商贸有限公司",
    "C002": "北京中科创新科技有限公司",
    "C003": "深圳市宏达电子有限公司",
    "C004": "广州南方贸易集团",
    "C005": "成都锦程办公用品有限公司",
}
SUPPLIERS = {
    "V001": "宁波永固紧固件厂",
    "V002": "东莞精密电机有限公司",
    "V003": "苏州联创电子材料有限公司",
    "V004": "山东钢铁贸易有限公司",
}


@dataclass(frozen=True)
class StoredLot:
    """A lot: ``stock`` at the opening by warehouse, days until it expires and until it may no longer be sold."""

    number: str
    stock: dict[str, float]
    expires_in: int | None = None
    sold_for: int | None = None


@dataclass(frozen=True)
class Item:
    """A product: ``stock`` at the opening and ``reorder`` (minimum, target) by warehouse; ``lots`` if it is in any."""

    name: str
    unit: str
    price: str
    cost: str
    stock: dict[str, float]
    reorder: dict[str, tuple[int, int]] = field(default_factory=dict)
    made: bool = False
    supplier: str | None = None
    bought: bool = True
    sold: bool = True
    lots: tuple[StoredLot, ...] = ()


PRODUCTS = {
    "SKU123": Item(
        "不锈钢六角螺栓 M8×30",
        "Unit",
        "1.20",
        "0.65",
        {"WH-SH": 3200, "WH-SZ": 800},
        reorder={"WH-SH": (5000, 12000), "WH-SZ": (500, 2000)},
        supplier="V001",
    ),
    "SKU-1001": Item(
        "不锈钢保温杯 500ml",
        "Unit",
        "89.00",
        "42.00",
        {"WH-SH": 420, "WH-SZ": 160},
        reorder={"WH-SH": (100, 400)},
        supplier="V003",
    ),
    "SKU-1002": Item(
        "蓝牙耳机 Pro",
        "Unit",
        "299.00",
        "168.00",
        {"WH-SH": 150, "WH-SZ": 35},
        reorder={"WH-SH": (60, 200), "WH-SZ": (40, 100)},
        supplier="V003",
    ),
    "SKU-1003": Item("机械键盘 87键", "Unit", "399.00", "230.00", {"WH-SH": 90, "WH-SZ": 48}, supplier="V003"),
    "SKU-1004": Item(
        "机械键盘 104键", "Unit", "459.00", "262.00", {"WH-SH": 75}, reorder={"WH-SH": (20, 80)}, supplier="V003"
    ),
    "SKU-1005": Item(
        "27寸显示器 4K",
        "Unit",
        "1499.00",
        "1020.00",
        {"WH-SH": 64, "WH-SZ": 12},
        reorder={"WH-SZ": (15, 40)},
        supplier="V003",
    ),
    "SKU-1006": Item("USB-C 扩展坞", "Unit", "259.00", "140.00", {}, reorder={"WH-SH": (30, 120)}, supplier="V003"),
    "SKU-1007": Item(
        "电动升降桌 1.4m",
        "Unit",
        "1899.00",
        "940.00",
        {"WH-SH": 26, "WH-SZ": 4},
        reorder={"WH-SH": (20, 40)},
        made=True,
        bought=False,
    ),
    "SKU-1008": Item("控制器总成 CT-8", "Unit", "460.00", "265.00", {"WH-SH": 40}, made=True, bought=False),
    "RM-2001": Item(
        "冷轧钢板 2mm",
        "Kilogram",
        "8.50",
        "6.20",
        {"WH-SH": 1860.5},
        reorder={"WH-SH": (2000, 5000)},
        supplier="V004",
        sold=False,
    ),
    "RM-2002": Item(
        "铝型材 4040", "Meter", "32.00", "21.00", {"WH-SH": 640.25, "WH-SZ": 80}, supplier="V004", sold=False
    ),
    "RM-2003": Item(
        "直流电机 24V",
        "Unit",
        "145.00",
        "96.00",
        {"WH-SH": 130},
        reorder={"WH-SH": (150, 300)},
        supplier="V002",
        sold=False,
    ),
    "RM-2004": Item("控制板 PCB-A2", "Unit", "88.00", "52.00", {"WH-SH": 210}, supplier="V003", sold=False),
    # Codes with blanks and with signs of query languages, and one that sells below zero
    "M8 30 A2": Item("不锈钢螺栓 盒装", "Unit", "36.00", "21.00", {"WH-SH": 48}, supplier="V001"),
    "M8 30 A2 加长": Item("不锈钢螺栓 加长 盒装", "Unit", "42.00", "25.00", {"WH-SZ": 6}, supplier="V001"),
    "A/B 100%_x": Item("标签 A/B 对", "Unit", "0.30", "0.12", {"WH-SH": 900}, supplier="V003"),
    "SKU-1009": Item("无线鼠标 M2", "Unit", "79.00", "33.00", {"WH-SZ": 3}, supplier="V003"),
    # Kept in lots
    "CH-3001": Item(
        "环氧胶 AB 500g",
        "Unit",
        "58.00",
        "31.00",
        {},
        supplier="V003",
        lots=(
            StoredLot("L-2511", {"WH-SH": 60}, expires_in=-9),
            StoredLot("L-2603", {"WH-SH": 800, "WH-SZ": 45}, expires_in=128),
            StoredLot("散装 A", {"WH-SZ": 5}),
            StoredLot("L-2401", {}, expires_in=-300),
        ),
    ),
    "CH-3002": Item(
        "螺纹锁固剂 50ml",
        "Unit",
        "26.00",
        "11.50",
        {"WH-SH": 12},
        lots=(StoredLot("B7", {"WH-SH": 30}, expires_in=90, sold_for=30),),
    ),
}

# product code: [(component, quantity for one)]
BOMS = {
    "SKU-1008": [("RM-2004", 1), ("SKU123", 8)],
    "SKU-1007": [("RM-2001", 18.5), ("RM-2002", 6.2), ("RM-2003", 2), ("SKU-1008", 1), ("SKU123", 24)],
}


@dataclass(frozen=True)
class Sale:
    """A sale made ``day`` days ago and brought to ``state``.

    ``ship`` is the state of its shipment: assigned, picked, packed, shipped, done, cancelled, or partly delivered
    quantities; ``forced`` without looking whether anything lies there. ``bill`` is the state of its invoice, dated the
    day after: posted, part (half paid), paid or cancelled. ``waits``: confirmed but left to the queue.
    """

    customer: str
    day: int
    lines: list[tuple[str, float]]
    state: str
    warehouse: str = "WH-SH"
    term: str = "月结30天"
    ship: str | dict[str, float] | None = None
    bill: str | None = None
    ref: str | None = None
    waits: bool = False
    forced: bool = False


SALES = [
    # Finished business
    Sale("C001", 95, [("SKU-1001", 60), ("SKU-1002", 10)], "done", ship="done", bill="paid", ref="HL-PO-8801"),
    Sale(
        "C003",
        80,
        [("SKU-1003", 12), ("SKU-1002", 5)],
        "done",
        warehouse="WH-SZ",
        ship="done",
        bill="paid",
        ref="HD20260315",
    ),
    # Delivered, the invoice overdue
    Sale("C004", 70, [("SKU-1001", 100)], "processing", ship="done", bill="posted"),
    Sale("C001", 61, [("SKU-1004", 8), ("SKU-1003", 5)], "processing", ship="done", bill="part", ref="HL-PO-8864"),
    # Delivered or on the way, the invoice not due yet
    Sale("C002", 26, [("SKU-1005", 10), ("SKU-1003", 10)], "processing", ship="done", bill="posted", term="月结60天"),
    Sale("C003", 18, [("SKU-1001", 30)], "processing", warehouse="WH-SZ", ship="shipped", bill="posted"),
    Sale("C005", 14, [("SKU-1007", 2), ("SKU-1004", 2)], "processing", ship="packed", bill="posted"),
    Sale("C001", 11, [("SKU-1001", 80)], "processing", ship={"SKU-1001": 50}, bill="posted", ref="HL-PO-8890"),
    Sale("C002", 9, [("SKU-1002", 15)], "processing", ship="picked"),
    # Waiting for stock or for the warehouse
    Sale("C003", 7, [("SKU-1006", 40)], "processing"),
    Sale("C004", 6, [("SKU-1005", 5), ("SKU-1002", 8)], "processing", ship="assigned"),
    Sale("C005", 5, [("SKU123", 600), ("SKU-1008", 3)], "processing"),
    # Confirmed, not processed yet
    Sale("C001", 3, [("SKU-1003", 6)], "confirmed", waits=True, ref="HL-PO-8902"),
    # Quotations, drafts and a cancelled order
    Sale("C002", 2, [("SKU-1007", 10)], "quotation"),
    Sale("C003", 2, [("SKU-1001", 25), ("SKU-1004", 3)], "quotation", warehouse="WH-SZ"),
    Sale("C004", 20, [("SKU-1003", 50)], "cancelled"),
    Sale("C005", 1, [("SKU-1002", 2)], "draft", ref="询价-锦程-01"),
    Sale("C001", 0, [("SKU-1005", 1), ("SKU-1006", 2)], "draft"),
    # Sold below zero, an invoice and a shipment that were cancelled, lots that leave
    Sale("C004", 6, [("SKU-1009", 8)], "processing", warehouse="WH-SZ", ship="done", bill="posted", forced=True),
    Sale("C002", 5, [("M8 30 A2", 4)], "done", ship="done", bill="cancelled"),
    Sale("C003", 4, [("A/B 100%_x", 100)], "processing", ship="cancelled"),
]


# Sales and purchases of the second company: partner, product, quantity, price; all quotations, a sale without a price.
SECOND_SALES = [("C002", "SKU123", 70, "1.15"), ("C005", "SKU-1001", 2, None)]
SECOND_PURCHASES = [("V001", "SKU123", 900, "0.60")]
# What the second company owns in the warehouses of both, counted at the opening.
SECOND_STOCK = {"SKU123": {"WH-SH": 77, "WH-SZ": 11}}


@dataclass(frozen=True)
class Purchase:
    """A purchase like `Sale`; lines have a price, ``receive`` is done or quantities, ``due_in`` is days from today.

    ``receive`` is ``kept`` for goods that nobody put away yet; ``returned`` went back to the vendor.
    """

    supplier: str
    day: int
    lines: list[tuple[str, float, str]]
    state: str
    warehouse: str = "WH-SH"
    term: str = "月结30天"
    receive: str | dict[str, float] | None = None
    returned: dict[str, float] | None = None
    bill: str | None = None
    ref: str | None = None
    due_in: int = 10
    waits: bool = False


PURCHASES = [
    Purchase(
        "V003", 100, [("SKU-1001", 200, "41.50")], "done", receive="done", bill="paid", ref="LC-2026-118", due_in=-90
    ),
    Purchase("V002", 64, [("RM-2003", 60, "95.00")], "done", receive="done", bill="paid", due_in=-50),
    Purchase(
        "V004",
        52,
        [("RM-2001", 800, "6.10"), ("RM-2002", 120, "20.80")],
        "processing",
        receive="done",
        bill="posted",
        due_in=-40,
    ),
    Purchase(
        "V003", 15, [("SKU-1006", 100, "138.00")], "processing", receive={"SKU-1006": 24}, due_in=5, ref="LC-2026-205"
    ),
    Purchase("V001", 8, [("SKU123", 8000, "0.62")], "processing", due_in=4),
    Purchase("V002", 4, [("RM-2003", 100, "96.00")], "confirmed", waits=True, due_in=12),
    # Waiting for a decision
    Purchase("V003", 3, [("SKU-1002", 120, "165.00")], "quotation", due_in=14),
    Purchase("V001", 2, [("SKU123", 5000, "0.63")], "quotation", warehouse="WH-SZ", due_in=9),
    Purchase("V004", 2, [("RM-2001", 3000, "6.15")], "quotation", due_in=15),
    Purchase("V003", 1, [("SKU-1005", 100, "1010.00")], "quotation", due_in=20, ref="大额采购-需两人确认"),
    Purchase("V002", 12, [("RM-2003", 20, "99.00")], "cancelled"),
    Purchase("V003", 0, [("RM-2004", 150, "51.00")], "draft", due_in=11),
    # Came in and is not put away; some of it went back
    Purchase(
        "V004",
        6,
        [("RM-2002", 30, "20.90"), ("RM-2001", 50, "6.20")],
        "processing",
        receive="kept",
        returned={"RM-2001": 2},
        due_in=-1,
    ),
]


# product, quantity, state, start and end (days from the reference day)
PRODUCTIONS = [
    ("SKU-1008", 20, "done", -40, -38),
    ("SKU-1007", 6, "done", -30, -27),
    ("SKU-1008", 10, "running", -2, 1),
    ("SKU-1007", 5, "assigned", 1, 4),
    ("SKU-1007", 8, "waiting", 3, 8),
    ("SKU-1008", 500, "waiting", 5, 20),
    ("SKU-1007", 3, "cancelled", -10, -8),
    ("SKU-1008", 12, "draft", 10, 12),
]
