"""Words in other characters of the same sound."""

from __future__ import annotations

from bot.understanding.scanning.misspellings import Homophones, SameSound
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row

WORDS = ("库存", "发票", "采购", "采购单", "订单")


@each_row(
    ("typed", "meant"),
    [
        ("库村", "库存"),
        ("宏达的发漂", "宏达的发票"),
        ("采够单1001", "采购单1001"),
        ("丁单", "订单"),
        ("库存", "库存"),
        ("ku cun", "ku cun"),
        ("", ""),
    ],
)
def test_the_word_that_was_meant(typed: str, meant: str, vocabulary: Vocabulary) -> None:
    mended = Homophones(WORDS, SameSound.of(vocabulary.readings)).mend(typed, lambda piece: False)
    assert mended == meant
    assert len(mended) == len(typed)


def test_what_is_known_as_it_was_written_stays(vocabulary: Vocabulary) -> None:
    assert (
        Homophones(WORDS, SameSound.of(vocabulary.readings)).mend("定单和库村", lambda piece: piece == "定单")
        == "定单和库存"
    )


def test_without_readings_nothing_is_found() -> None:
    assert Homophones(WORDS, SameSound.of({})).mend("库村", lambda piece: False) == "库村"


@each_row(
    ("typed", "meant"), [("李那的订单", "李娜的订单"), ("孙月", "孙悦"), ("里那批货", "里那批货"), ("陈立", "陈立")]
)
def test_a_person_is_heard_whose_surname_is_written_so(typed: str, meant: str, vocabulary: Vocabulary) -> None:
    people = Homophones(["李娜", "孙悦", "陈立"], SameSound.of(vocabulary.readings), kept_signs=1)
    assert people.mend(typed, lambda piece: False) == meant
