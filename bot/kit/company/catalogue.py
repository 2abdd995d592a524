"""The demo company's products, materials and purchases: a maker of fasteners, hand tools and fans.

Names are deliberately awkward in places: markdown, quotes, angle brackets, braces, an emoji and a very long one, to
exercise everything that shows them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter

from bot.erp.model import Product, PurchaseOrder, ReviewState
from bot.erp.model.goods import ComponentUse, Supply


@dataclass(frozen=True, slots=True)
class Family:
    """Products with the same name and different ``sizes``; ``price`` is that of the smallest, in CNY.

    ``initials`` are the first letters of the pinyin of the name's Chinese characters; alternative readings are
    separated by blanks. They are written down because the pinyin library costs 55 MB of memory; a test compares them
    with it. ``step`` is the smallest stock unit.
    """

    prefix: str
    start: int
    name: str
    initials: str
    category: str
    unit: str
    price: str
    sizes: str
    material: str = ""
    made: bool = False
    step: str = "1"


@dataclass(frozen=True, slots=True)
class Article:
    """A product with its data for the generator; ``price`` in CNY."""

    product: Product
    initials: str
    price: Decimal
    step: Decimal
    made: bool


_FASTENERS, _TOOLS, _FANS, _MATERIALS = "紧固件", "手动工具", "电风扇", "原材料"

FAMILIES = (
    Family("SKU", 100, "螺丝 十字盘头", "lsszpt", _FASTENERS, "千个", "18.5",
           "M2×6 M2.5×8 M3×6 M3×10 M3×16 M4×8 M4×12 M4×20 M5×10 M5×16 M5×25 M6×12", "304不锈钢", made=True),
    Family("SKU", 112, "螺丝 沉头自攻", "lsctzg", _FASTENERS, "千个", "21.2",
           "ST2.9×13 ST2.9×19 ST3.5×13 ST3.5×25 ST3.9×16 ST3.9×32 ST4.2×19 ST4.2×38 ST4.8×25 ST4.8×50",
           "镀锌", made=True),
    Family("SKU", 122, "螺丝 内六角", "lsnlj", _FASTENERS, "个", "0.085",
           "M3×8 M6×20 M4×10 M5×20 M6×16 M6×30 M8×25 M8×40 M10×30 M10×50 M12×60", "12.9级 socket cap screw",
           made=True),
    Family("SKU", 133, "螺栓 外六角", "lswlj", _FASTENERS, "个", "0.24",
           "M6×20 M6×40 M8×20 M8×50 M10×40 M10×80 M12×50 M12×100 M16×60 M16×120 M20×80", "8.8级 hex bolt", made=True),
    Family("SKU", 144, "螺母 六角", "lmlj", _FASTENERS, "千个", "9.6", "M2 M2.5 M3 M4 M5 M6 M8 M10 M12 M16 M20",
           "304不锈钢 hex nut", made=True),
    Family("SKU", 155, "平垫圈", "pdq pdj", _FASTENERS, "千个", "3.2", "M3 M4 M5 M6 M8 M10 M12 M16", "镀锌"),
    Family("SKU", 163, "弹簧垫圈", "thdq thdj", _FASTENERS, "千个", "4.1", "M3 M4 M5 M6 M8 M10 M12 M16",
           "65Mn"),
    Family("SKU", 171, "膨胀螺栓", "pzls", _FASTENERS, "套", "0.62", "M6×60 M8×80 M10×100 M12×120 M16×150", "镀彩锌",
           made=True),
    Family("SKU", 176, "抽芯铆钉", "cxmd", _FASTENERS, "千个", "26", "3.2×8 3.2×10 4×10 4×12 4.8×12 4.8×16", "铝"),
    Family("SKU", 182, "钻尾螺丝", "zwls", _FASTENERS, "千个", "58", "4.2×13 4.2×25 4.8×19 4.8×32 5.5×25 5.5×50",
           "410不锈钢", made=True),
    Family("SKU", 188, "吊环螺钉", "dhld", _FASTENERS, "个", "2.8", "M8 M10 M12 M16", "DIN 580"),
    Family("HT-", 101, "活动扳手", "hdbs", _TOOLS, "把", "16.9", "6寸 8寸 10寸 12寸 15寸", "铬钒钢", made=True),
    Family("HT-", 106, "梅花扳手", "mhbs", _TOOLS, "把", "9.5", "8-10 10-12 12-14 14-17 17-19 22-24", "铬钒钢",
           made=True),
    Family("HT-", 112, "两用扳手", "lybs", _TOOLS, "把", "7.8", "8mm 10mm 12mm 13mm 14mm 17mm 19mm 22mm 24mm",
           "combination wrench", made=True),
    Family("HT-", 121, "钢丝钳", "gsq", _TOOLS, "把", "21.5", "6寸 7寸 8寸", "高碳钢", made=True),
    Family("HT-", 124, "尖嘴钳", "jzq", _TOOLS, "把", "19.8", "5寸 6寸 8寸", "高碳钢", made=True),
    Family("HT-", 127, "斜口钳", "xkq", _TOOLS, "把", "18.6", "5寸 6寸 7寸", "高碳钢", made=True),
    Family("HT-", 130, "羊角锤", "yjc", _TOOLS, "把", "24.5", "8oz 12oz 16oz 20oz", "玻纤柄", made=True),
    Family("HT-", 134, "十字螺丝刀", "szlsd", _TOOLS, "把", "5.6", "PH0×75 PH1×100 PH2×100 PH2×150 PH3×200",
           "S2钢", made=True),
    Family("HT-", 139, "一字螺丝刀", "yzlsd", _TOOLS, "把", "5.4", "3×75 5×100 6×100 6×150 8×200", "S2钢",
           made=True),
    Family("HT-", 144, "钢卷尺", "gjc", _TOOLS, "把", "8.2", "3米 5米 7.5米 10米", "tape measure"),
    Family("HT-", 148, "管钳", "gq", _TOOLS, "把", "32", "10寸 12寸 14寸 18寸 24寸", "球墨铸铁", made=True),
    Family("HT-", 153, "内六角扳手套装", "nljbstz", _TOOLS, "套", "14.9", "7件 9件 13件", "hex key set", made=True),
    Family("HT-", 156, "美工刀", "mgd", _TOOLS, "把", "6.5", "9mm 18mm 25mm", "SK5"),
    Family("HT-", 159, "水平尺", "spc", _TOOLS, "把", "22", "300mm 400mm 600mm 1000mm", "铝合金"),
    Family("HT-", 163, "棘轮扳手", "jlbs", _TOOLS, "把", "38", "1/4寸 3/8寸 1/2寸 3/4寸", "72齿", made=True),
    Family("HT-", 167, "大力钳", "dlq", _TOOLS, "把", "26", "5寸 7寸 10寸", "locking pliers", made=True),
    Family("HT-", 170, "压线钳", "yxq", _TOOLS, "把", "42", "0.5-6mm² 6-16mm² 16-50mm²", "crimping tool", made=True),
    Family("HT-", 173, "钢锯架", "gjj", _TOOLS, "把", "17.5", "10寸 12寸", "可调", made=True),
    Family("FAN-", 10, "台式电风扇", "tsdfs", _FANS, "台", "79", "9寸 10寸 12寸 14寸", "220V 45W desk fan", made=True),
    Family("FAN-", 20, "落地电风扇", "lddfs", _FANS, "台", "129", "14寸 16寸 18寸 20寸",
           "220V 60W floor fan", made=True),
    Family("FAN-", 30, "工业壁扇", "gybs", _FANS, "台", "268", "500mm 650mm 750mm", "220V 180W", made=True),
    Family("FAN-", 40, "空气循环扇", "kqxhs", _FANS, "台", "199", "8寸 9寸 10寸", "DC 24W", made=True),
    Family("FAN-", 50, "USB小风扇", "usbxfs", _FANS, "台", "25.9", "4寸 5寸 6寸", "5V 3W", made=True),
    Family("RM-", 1, "冷镦钢线材", "ldgxc", _MATERIALS, "千克", "5.365", "Φ3.5 Φ5.5 Φ6.5 Φ8.0 Φ10.0", "SWRCH35K",
           step="0.001"),
    Family("RM-", 11, "不锈钢盘条", "bxgpt", _MATERIALS, "千克", "14.82", "Φ5.5 Φ6.5 Φ8.0", "304",
           step="0.001"),
    Family("RM-", 21, "锌锭", "xd", _MATERIALS, "千克", "22.415", "0# 1#", "99.995%", step="0.01"),
    Family("RM-", 31, "电源线", "dyx", _MATERIALS, "米", "1.275", "2×0.5 2×0.75 3×0.75", "RVV",
           step="0.1"),
    Family("RM-", 41, "风扇电机", "fsdj", _MATERIALS, "台", "31.5", "45W 60W 180W", "铜线"),
    Family("RM-", 51, "包装纸箱", "bzzx", _MATERIALS, "只", "2.15", "3号 5号 8号", "五层瓦楞"),
)  # fmt: skip

MADE_TO_ORDER = "ODD-5"
"""SKU of the one product without stock and documents."""

_ODD = (
    ("A|B-01", "加强型*管钳*", "jqxgq", "<加厚>", "把", "45.5"),
    ("A_B_02", "_静音_ 无叶风扇", "jywyfs", "`静音` | 遥控", "台", "368"),
    ("ODD#3", '3" 平口虎钳 "重型"', "pkhqzx", "jaw 3\" / 75mm", "台", "156"),
    ("ODD-4", "🔧 家用工具箱", "jygjx", "[点此](https://example.com) 32件", "套", "138"),
    ("ODD-5", "{{ 7 * 7 }} 定制铭牌", "dzmp", "{% raw %}", "块", "3.3333"),
    ("ODD-6", "O'Brien's <b>bit</b> holder", "", "1/4\" & 1/2\"", "个", "4.2"),
    ("ODD-7", "非标定制大型数控机床专用高强度耐腐蚀加长型双头不锈钢螺柱组件（含配套六角螺母、平垫圈，按图纸加工）",
     "", "按图纸 DWG-2024-0731-REV-C", "套", "86.6"),
)  # fmt: skip


def articles() -> Iterator[Article]:
    """Yield every product, always in the same order."""
    number = 0
    for family in FAMILIES:
        for place, size in enumerate(family.sizes.split()):
            number += 1
            product = Product(
                sku=f"{family.prefix}{family.start + place:02d}",
                name=family.name,
                spec=f"{size} {family.material}".strip(),
                unit=family.unit,
                category=family.category,
                barcode=_barcode(number),
            )
            price = (Decimal(family.price) * (4 + place) / 4).quantize(Decimal("0.0001"))
            yield Article(product, family.initials, price, Decimal(family.step), family.made)
    for sku, name, initials, spec, unit, odd_price in _ODD:
        product = Product(sku=sku, name=name, spec=spec, unit=unit, category="其他")
        yield Article(product, initials, Decimal(odd_price), Decimal(1), made=True)


def _barcode(number: int) -> str:
    """Return an EAN-13 code of a Chinese maker (prefix 690) with its check digit."""
    body = f"6901234{number:05d}"
    return body + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


_BOUGHT = {ReviewState.APPROVED, ReviewState.DONE}

_WIRE, _STEEL, _MOTOR, _CORD, _BOX = "RM-01", "RM-11", "RM-41", "RM-31", "RM-52"
_RECIPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "紧固件": ((_WIRE, "0.012"),),
    "手动工具": ((_STEEL, "0.35"), (_BOX, "0.02")),
    "电风扇": ((_MOTOR, "1"), (_CORD, "1.8"), (_BOX, "1")),
}
"""Category → components of one unit of its products."""


def make_components(articles: Sequence[Article]) -> dict[str, tuple[ComponentUse, ...]]:
    """Return the components of each product, by its code."""
    known = {article.product.sku: article.product for article in articles}
    return {
        article.product.sku: tuple(
            ComponentUse(sku=sku, name=known[sku].name, unit=known[sku].unit, quantity=Decimal(quantity))
            for sku, quantity in _RECIPES[article.product.category]
        )
        for article in articles
        if article.made and article.product.category in _RECIPES
    }


def make_supplies(purchases: Sequence[PurchaseOrder]) -> dict[str, tuple[Supply, ...]]:
    """Return the vendors of each product by its code, the latest first."""
    found: defaultdict[str, dict[str, Supply]] = defaultdict(dict)
    for order in sorted(purchases, key=attrgetter("ordered_on"), reverse=True):
        if order.status not in _BOUGHT:
            continue
        for line in order.lines:
            supply = Supply(vendor=order.vendor, lead_days=_days(order.ordered_on, order.due_on))
            found[line.sku].setdefault(order.vendor, supply)
    return {sku: tuple(supplies.values()) for sku, supplies in found.items()}


def _days(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first and last else None
