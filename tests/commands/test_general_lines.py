"""Lines that many may ask: keywords and words of time alone, from which nobody learns of anything or anybody."""

from __future__ import annotations

from tests.commands.conftest import Ask
from tests.rows import each_row


@each_row(
    "line, general",
    [
        ("/report", "/report"),
        ("/日报", "/report day"),
        ("/report 昨天", "/report 昨天"),
        ("/invoice 逾期", "/invoice overdue"),
        ("/invoice overdue last week", '/invoice "last week" overdue'),
        ("/invoice overdue 2026-11-01", ""),
        ("/invoice overdue >一万", ""),
        ("/invoice 宏达", ""),
        ("/order SO-1001", ""),
        ("/order by:李销", ""),
        ("/stock SKU123", ""),
    ],
)
async def test_a_line_is_general_if_it_names_nothing(ask: Ask, line: str, general: str) -> None:
    assert (await ask(line)).general == general
