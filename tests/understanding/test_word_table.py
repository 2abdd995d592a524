"""Words kept close together mean what they do in a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.word_table import KnownWords, Meanings, WordTable

WORDS = st.text("采购单abc ", min_size=1, max_size=6)


@given(st.dictionaries(WORDS, st.integers(0, 9)), st.lists(WORDS))
def test_a_table_holds_what_a_dictionary_does(words: dict[str, int], others: list[str]) -> None:
    table = WordTable(words)
    assert dict(table) == words
    assert len(table) == len(words)
    assert table.longest == max(map(len, words), default=0)
    for word in (*words, *others):
        assert (word in table, table.get(word)) == (word in words, words.get(word))


@given(st.sets(WORDS), st.text("采购单abc ", min_size=1), st.data())
def test_the_words_that_begin_at_a_place_end_where_they_do_in_a_set(
    words: set[str], text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(start + 1, len(text)))
    ends = WordTable(dict.fromkeys(words)).ends(text, start, last)
    assert list(ends) == [end for end in range(last, start, -1) if text[start:end] in words]


def test_more_values_than_one_byte_counts() -> None:
    words = {f"word{number}": (number,) for number in range(1_000)}
    assert dict(WordTable(words)) == words


def test_what_means_the_same_is_one_object() -> None:
    meanings = Meanings[str]()
    meanings.add(("发票", "开票"), "invoice")
    meanings.add(("开票", "订单", "采购"), "order")
    meanings.add(("订单",), "order")
    assert meanings.of == {
        "发票": ("invoice",),
        "开票": ("invoice", "order"),
        "订单": ("order", "order"),
        "采购": ("order",),
    }
    meanings.add(("单据", "票据"), "document")
    assert meanings.of["单据"] is meanings.of["票据"]


def test_known_words_are_those_of_the_table_and_others() -> None:
    known = KnownWords(WordTable({"发票": 1}), frozenset({"的"}))
    assert [word in known for word in ("发票", "的", "订单", "")] == [True, True, False, False]
