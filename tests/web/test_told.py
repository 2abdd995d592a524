"""What a model is told of an answer."""

from __future__ import annotations

from typing import Any

from bot.web.mcp.told import MOST_CHARACTERS, is_refused, tell


def _body(text: str, **view: Any) -> dict[str, Any]:
    return {"asked": "/order late", "text": text, "view": view}


def test_the_chat_s_text_stands_between_marks_without_its_buttons() -> None:
    text = "#### Late\n\n**SO-1**  \n  3 days\n\n▸ SO-1: /order SO-1  \n  ▸ Approve: /approve PO-1\n\nAs of 09:17"
    assert tell(_body(text), lambda: "w").split("\n") == [
        "Asked: /order late",
        "BEGIN DATA w",
        "#### Late",
        "",
        "**SO-1**  ",
        "  3 days",
        "",
        "As of 09:17",
        "END DATA w",
    ]


def test_the_word_of_the_marks_is_another_each_time() -> None:
    assert tell(_body("x")) != tell(_body("x"))


def test_a_long_answer_is_cut_at_a_line_and_says_so() -> None:
    text = "\n".join(f"line {number} {'x' * 90}" for number in range(200))
    told = tell(_body(text), lambda: "w")
    data = told.partition("BEGIN DATA w\n")[2].partition("\nEND DATA w")[0]
    assert len(data) <= MOST_CHARACTERS
    assert text.startswith(f"{data}\nline ")
    assert "This is a part" in told
    assert "This is a part" not in tell(_body("x" * MOST_CHARACTERS))
    assert len(tell(_body("x" * 3 * MOST_CHARACTERS))) < MOST_CHARACTERS + 300


def test_what_follows_is_named_where_the_rows_are_known() -> None:
    assert "Rows 3 to 4 of 9: the same with offset=4" in tell(_body("x", rows=[1, 2], total=9, offset=2))
    assert "offset" not in tell(_body("x", rows=[1, 2], total=4, offset=2))
    assert "offset" not in tell(_body("x", rows={"hidden": "amount"}, total={"hidden": "amount"}, offset=0))


def test_a_problem_is_told_in_the_chat_s_words_with_its_rule() -> None:
    body = {"detail": "You may not see orders.", "rule": "keepers", "errors": [{"parameter": "days", "detail": "no"}]}
    assert is_refused(body)
    assert tell(body) == "You may not see orders.\nRule: keepers\ndays: no"
