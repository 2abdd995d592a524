"""Sizes as people say them find the goods that have them, and take no day and no quantity for a size."""

from __future__ import annotations

from bot.understanding.grammar import Grammar
from bot.understanding.scanning.sizes import Sizes, sizes_of
from tests.rows import each_row

SIZES = Sizes(
    sizes_of(
        [
            ("活动扳手", "12寸 铬钒钢"),
            ("工业壁扇", "650mm 220V 180W"),
            ("钢卷尺", "5米 tape measure"),
            ("包装纸箱", "5号 五层瓦楞"),
            ("锌锭", "1# 99.995%"),
            ("不锈钢盘条", "Φ5.5 304"),
        ]
    ),
    known=lambda text: text.casefold() in {"4×12", "m8"},
)


@each_row(
    ("said", "written"),
    [
        ("十二寸的活动扳手", "12寸的活动扳手"),
        ("12 inch wrench", "12寸 wrench"),
        ("七寸的", "7寸的"),
        ("180瓦的壁扇", "180W的壁扇"),
        ("四乘十二", "4×12"),
        ("4*12", "4×12"),
        ("4 by 12", "4×12"),
        ("三乘五", "3×5"),
        ("3*5", "3*5"),
        ("m八螺母", "M8螺母"),
        ("650的工业壁扇", "650mm的工业壁扇"),
        ("工业壁扇650的", "工业壁扇650mm的"),
        ("5.5的盘条", "Φ5.5的盘条"),
        ("650的订单", "650的订单"),
        ("12寸活动扳手", "12寸 活动扳手"),
        ("五号纸箱", "5号纸箱"),
        ("五号的订单", "五号的订单"),
        ("一号锌锭", "1#锌锭"),
        ("五米的钢卷尺", "5米的钢卷尺"),
        ("电源线五米", "电源线五米"),
        ("5 inch nails", "5 inch nails"),
        ("一件不留", "一件不留"),
    ],
)
def test_a_size_is_written_as_the_goods_have_it(said: str, written: str) -> None:
    assert SIZES.mend(said) == written


@each_row(
    ("sentence", "line"),
    [
        ("十字盘头M4*12还有多少", '/stock "十字盘头 M4×12"'),
        ("落地扇十六寸的仓库里还有几台", '/stock "落地电风扇 16寸"'),
        ("650的工业壁扇六十台有没有啊", '/stock "工业壁扇 650mm" ×60台'),
        ("650工业壁扇多少钱", '/price "工业壁扇 650mm"'),
        ("两用扳手13的还有吗", '/stock "两用扳手 13mm"'),
        ("650台工业壁扇有吗", "/stock 工业壁扇 ×650台"),
        ("工业壁扇650够吗", "/stock 工业壁扇 ×650"),
        ("电源线三米够吗", "/stock 电源线 ×3米"),
        ("要30米电源线", "/stock 电源线 ×30米"),
        ("5号要到货的", "/arrivals 5号"),
        ("五号发货的订单", "/delivery 五号"),
    ],
)
def test_sizes_quantities_and_days_in_sentences(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line
