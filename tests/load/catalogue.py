"""Products of a hardware trade as in an ERP's catalogue: any number, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from bot.erp.model import Product

_SEED = 20_261_124
_FINISHES = ("", "不锈钢", "镀锌", "碳钢", "黄铜", "尼龙", "铝合金", "304", "316L", "发黑", "高强度", "加厚", "食品级")
_SHAPES = (
    *("", "内六角", "外六角", "十字", "平头", "沉头", "圆头", "自攻", "法兰面", "单向", "双向", "快插", "直角", "三通"),
    *("重型", "轻型", "微型", "长柄", "可调", "防水", "耐高温", "角接触", "深沟球", "圆锥滚子", "气动", "手动"),
)
_THINGS = (
    *("螺丝", "螺栓", "螺母", "螺柱", "垫圈", "弹簧", "轴承", "法兰", "接头", "弯头", "球阀", "蝶阀", "截止阀", "软管"),
    *("电缆", "开关", "继电器", "接触器", "传感器", "电机", "减速机", "皮带轮", "链条", "齿轮", "联轴器", "密封圈"),
    *("油封", "扳手", "钻头", "砂轮片", "焊条", "锯条", "手套", "胶带", "纸箱", "托盘", "标签", "油漆", "润滑脂"),
    *("清洗剂", "行程开关"),
)
_EXTRAS = ("", "", "", "(加长)", " 左旋", " 右旋", " 细牙", " 带垫", " 套装", "（出口装）", " 银色", " 黑色", " 乐清产")
_GROUPS = ("JG", "LJ", "FM", "DQ", "CD", "GJ", "BZ", "HG")
_UNITS = ("个", "件", "套", "米", "箱", "千克")


def generate_products(count: int) -> Iterator[Product]:
    """Yield ``count`` products, in the order of their codes."""
    dice = Random(_SEED)
    for number in range(count):
        group = _GROUPS[number * len(_GROUPS) // count]
        size, length = dice.choice((3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 30)), dice.randrange(5, 301, 5)
        yield Product(
            sku=f"{group}-{number:07d}",
            name=dice.choice(_FINISHES) + dice.choice(_SHAPES) + dice.choice(_THINGS) + dice.choice(_EXTRAS),
            spec=f"M{size}×{length}" if dice.random() < 0.7 else f"DN{size * 5} PN{length}",
            unit=dice.choice(_UNITS),
            category=group,
            barcode=f"69{dice.randrange(10**11):011d}" if dice.random() < 0.8 else "",
        )


def generate_queries(count: int) -> Iterator[str]:
    """Yield typed queries: names and parts of them, pinyin, codes, specs, barcodes, several words, and typos."""
    dice = Random(_SEED + 1)
    kinds = (
        lambda: dice.choice(_THINGS),
        lambda: dice.choice(_FINISHES[1:]) + dice.choice(_SHAPES[1:]) + dice.choice(_THINGS),
        lambda: f"{dice.choice(_THINGS)} M{dice.choice((4, 6, 8))}×{dice.randrange(5, 301, 5)}",
        lambda: dice.choice(("ls", "bxg", "nljls", "zc", "jdq", "xckg", "luosi", "zhoucheng", "buxiugang")),
        lambda: f"{dice.choice(_GROUPS)}-{dice.randrange(10**5):07d}",
        lambda: f"m{dice.choice((4, 6, 8))}*{dice.randrange(5, 301, 5)}",
        lambda: f"69{dice.randrange(10**4):04d}",
        lambda: dice.choice(_THINGS)[0],
        lambda: dice.choice(("螺司", "zzzz", "轴成", "no such thing")),
    )
    for number in range(count):
        yield kinds[number % len(kinds)]()
