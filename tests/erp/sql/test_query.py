"""Which queries are run at all: those that read, with the parameters that there are."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql

from bot.erp.sql.query import Statement, check_list_query, check_view, checked, with_views
from tests.rows import each_row

READS = [
    "SELECT 1",
    "  select a from b;  ",
    "-- what is owed\nSELECT a FROM b /* all of it */",
    "WITH late AS (SELECT a FROM b) SELECT * FROM late",
    "SELECT 'INSERT INTO x; DELETE' AS said, \"update\", `delete`, [into] FROM t",
    "SELECT $$ DELETE; $$, $a$ INTO $a$ FROM t",
    "SELECT updated, inserted_at, deletes, replace(a, 'x', 'y') FROM t",
    "SELECT 'it''s; fine' FROM t",
]

WRITES = [
    "INSERT INTO a VALUES (1)",
    "UPDATE a SET b = 1",
    "DELETE FROM a",
    "DROP TABLE a",
    "PRAGMA query_only = OFF",
    "ATTACH 'x' AS y",
    "CALL something()",
    "EXPLAIN SELECT 1",
    "VALUES (1)",
    "",
    "   ;",
    "SELECT 1; DELETE FROM a",
    "SELECT 1;\n-- harmless\nDROP TABLE a",
    "SELECT 1 /* ; */ ; DROP TABLE a",
    "SELECT * INTO copy FROM a",
    "WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone",
    "WITH new AS (INSERT/**/INTO a VALUES (1) RETURNING *) SELECT * FROM new",
    "with x as (MeRgE into a using b on c when matched then update set d = 1 returning *) select * from x",
    "SELECT * FROM a FOR UPDATE",
    # A quote that one database takes for an end and another does not would hide what follows.
    r"SELECT 'a\' ; DELETE FROM a; --'",
    "SELECT 'never closed",
    'SELECT "never closed',
    "SELECT 1 /* never closed",
    # SQL Server needs no semicolon between statements.
    "SELECT 1 EXEC sp_configure",
    "SELECT 1 TRUNCATE TABLE a",
    "SELECT 1 DROP TABLE a",
    "SELECT 1 WAITFOR DELAY '1:00'",
    "SELECT * FROM OPENQUERY(other, 'DELETE FROM a')",
]


@each_row("sql", READS)
def test_queries_that_read_are_taken(sql: str) -> None:
    assert Statement.parse(sql).parameters == frozenset()


@each_row("sql", WRITES)
def test_everything_else_is_refused_before_anything_is_connected(sql: str) -> None:
    with pytest.raises(ValueError, match=r"only queries|semicolon|writes|not closed|backslash"):
        Statement.parse(sql)


def test_parameters_are_found_and_nothing_else_is_taken_for_one() -> None:
    statement = Statement.parse(
        "SELECT to_char(x, 'HH24:MI:SS'), y::numeric, \"a:b\", z[1:2] /* :no */ FROM t WHERE a = :sku -- :neither\n"
        "AND b = :sku AND '::' <> ':limit'"
    )
    assert statement.parameters == {"sku"}
    compiled = str(text(statement.sql).compile(dialect=postgresql.dialect(paramstyle="pyformat")))  # type: ignore[no-untyped-call]
    assert "'HH24:MI:SS'" in compiled
    assert "y::numeric" in compiled
    assert '"a:b"' in compiled
    assert "z[1:2]" in compiled
    assert "'::' <> ':limit'" in compiled
    assert compiled.count("%(sku)s") == 2


def test_a_colon_or_percent_in_a_literal_arrives_as_it_stands() -> None:
    statement = Statement.parse(r"SELECT '12:30' AS a, '%d%%' AS b, ':x' AS c, '::' AS d, '\:' AS e, :n AS n")
    with create_engine("sqlite://").connect() as connection:
        row = connection.execute(text(statement.sql), {"n": "it's :n"}).one()
    assert tuple(row) == ("12:30", "%d%%", ":x", "::", r"\:", "it's :n")


def test_a_parameter_that_is_not_given_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="unknown parameter :numbr; it can use :number"):
        checked("number")("SELECT * FROM a WHERE n = :numbr")


def test_a_parameter_that_is_needed_is_named_with_an_example() -> None:
    with pytest.raises(ValueError, match=r"does not use :number; an example: WHERE lower\(number\) = lower\(:number\)"):
        checked("number")("SELECT * FROM a")


@each_row(
    ("sql", "complaint"),
    [
        ("SELECT a FROM b LIMIT :limit", "uses one of :limit and :offset"),
        ("SELECT a FROM b ORDER BY a LIMIT :limit OFFSET :offset", "no column all_rows"),
        ("SELECT a, count(*) OVER () AS all_rows FROM b LIMIT :limit OFFSET :offset", "no ORDER BY"),
    ],
)
def test_a_list_that_pages_must_page_wholly(sql: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_list_query(sql)


VIEWS = {
    "sums": "SELECT id, SUM(x) AS total FROM rows GROUP BY id;",
    "orders": "SELECT o.*, s.total, '7:30' AS at FROM o JOIN sums s ON s.id = o.id -- the head\n",
    "other": "SELECT 1 AS one",
}


def test_a_query_brings_the_views_that_it_reads_and_those_that_they_read() -> None:
    assert with_views("SELECT * FROM Orders WHERE no = :number", VIEWS) == (
        "WITH sums AS (SELECT id, SUM(x) AS total FROM rows GROUP BY id), "
        "orders AS (SELECT o.*, s.total, '7:30' AS at FROM o JOIN sums s ON s.id = o.id) "
        "SELECT * FROM Orders WHERE no = :number"
    )
    assert with_views("SELECT * FROM other", VIEWS) == "WITH other AS (SELECT 1 AS one) SELECT * FROM other"
    assert with_views("SELECT * FROM orders_of_old", VIEWS) == "SELECT * FROM orders_of_old"


def test_a_query_keeps_the_parts_that_it_names_itself() -> None:
    found = with_views("WITH late AS (SELECT * FROM other) SELECT * FROM late", VIEWS)
    assert found == "WITH other AS (SELECT 1 AS one),  late AS (SELECT * FROM other) SELECT * FROM late"
    assert Statement.parse(found).parameters == frozenset()


def test_a_view_has_no_parameters_and_is_one_select() -> None:
    assert check_view(VIEWS["orders"]) == VIEWS["orders"]
    with pytest.raises(ValueError, match="uses :number"):
        check_view("SELECT * FROM a WHERE b = :number")
    with pytest.raises(ValueError, match="begins with WITH"):
        check_view("WITH a AS (SELECT 1) SELECT * FROM a")
    with pytest.raises(ValueError, match="writes"):
        check_view("SELECT 1 DELETE FROM a")
