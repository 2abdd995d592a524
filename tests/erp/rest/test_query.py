"""Values in paths, parameters and bodies, and paths into JSON."""

from __future__ import annotations

from typing import Any

from bot.erp.rest.query import fill, fill_params, fill_path, look, places
from tests.rows import each_row


@each_row(
    ("number", "path"),
    [
        ("SO-1", "/orders/SO-1/x"),
        ("a/b", "/orders/a%2Fb/x"),
        ("../x?y=1#z", "/orders/..%2Fx%3Fy%3D1%23z/x"),
        ("50% {number}", "/orders/50%25%20%7Bnumber%7D/x"),
        ("零件", "/orders/%E9%9B%B6%E4%BB%B6/x"),
    ],
)
def test_a_value_is_one_step_of_a_path(number: str, path: str) -> None:
    assert fill_path("/orders/{number}/x", {"number": number}) == path


def test_parameters_that_are_only_an_empty_place_are_left_out() -> None:
    template = {"q": "{text}", "cursor": "{cursor}", "filter": "name:{text}", "fixed": ""}
    assert fill_params(template, {"text": "", "cursor": None}) == {"filter": "name:", "fixed": ""}
    assert fill_params(template, {"text": "a&b", "cursor": 0}) == {
        "q": "a&b", "cursor": "0", "filter": "name:a&b", "fixed": "",
    }  # fmt: skip


def test_a_body_takes_values_as_they_are() -> None:
    template = {"limit": "{limit}", "where": [{"like": "%{text}%"}, 7, None, True], "text": "{text}"}
    text = 'x", "limit": 0, "{limit}'
    assert fill(template, {"limit": 5, "text": text}) == {
        "limit": 5,
        "where": [{"like": f"%{text}%"}, 7, None, True],
        "text": text,
    }
    assert places(template) == {"limit", "text"}


DATA: Any = {"a": {"b": [{"c": 1}, {"c": 2}]}, "x.y": {"/": 3}, "n": None, "0": "zero"}


@each_row(
    ("path", "found"),
    [
        ("", DATA),
        ("a.b.1.c", 2),
        ("/a/b/0/c", 1),
        ("/x.y/~1", 3),
        ("x.y", None),
        ("a.b.2.c", None),
        ("a.b.-1", None),
        ("a.b.c", None),
        ("n.x", None),
        ("0", "zero"),
    ],
)
def test_paths_into_json(path: str, found: Any) -> None:
    assert look(DATA, path) == found
