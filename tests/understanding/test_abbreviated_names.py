"""Partners and goods are found by what people make of their names."""

from __future__ import annotations

from bot.understanding.vocabulary import JoinedTexts, Vocabulary
from tests.rows import each_row

NAMES = ("东莞市长安镇恒兴五金厂", "慈溪市风扇配件厂", "O'Neil Hardware", "宁波港汇五金", "宁波恒港五金")
KNOWN = Vocabulary(partners=NAMES, goods=("落地电风扇", "USB小风扇", "台式电风扇"))


@each_row(
    ("said", "name"),
    [("长安恒兴", NAMES[0]), ("东莞恒兴", NAMES[0]), ("恒兴长安", None), ("恒兴", None), ("宁波五金", None)],
)
def test_two_parts_of_one_name_mean_it(said: str, name: str | None) -> None:
    assert KNOWN.abbreviated_partner(said) == name


@each_row(("said", "name"), [("落地扇", "落地电风扇"), ("电风机", None), ("风扇", None), ("USB风扇", "usb小风扇")])
def test_goods_are_called_by_less(said: str, name: str | None) -> None:
    assert KNOWN.abbreviated_goods(said) == name


def test_apostrophes_are_left_out_when_typing() -> None:
    assert KNOWN.partner("oneil") == "O'Neil"


def test_two_parts_beside_each_other_are_one_name() -> None:
    assert KNOWN.partner_with("慈溪", "风扇配件厂") == NAMES[1]
    assert KNOWN.partner_with("宁波", "五金") is None


@each_row("piece", ["a", "ab", "bc\n", "cd", "d", "abc", "ca", "", "bcd"])
def test_a_piece_is_found_wherever_it_stands(piece: str) -> None:
    texts = JoinedTexts.of(["abc", "cd", "bcd"])
    assert texts.hold(piece) is (piece in "\nabc\ncd\nbcd\n")
