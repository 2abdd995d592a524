"""Queries that an administrator names only read the company's own tables; whatever else a text does is refused."""

from __future__ import annotations

import pytest

from bot.erp.sql.query import Statement
from bot.erp.sql.reading_proof import prove_reading
from tests.rows import each_row


def _prove(database: str, text: str, columns: str = "no", functions: frozenset[str] = frozenset()) -> None:
    Statement.parse(text)
    prove_reading(text, dict.fromkeys(columns.split()), database, functions)


@each_row(
    "database, text",
    [
        # Writes
        ("postgresql", "DELETE FROM orders"),
        ("postgresql", "WITH gone AS (DELETE FROM orders RETURNING no) SELECT no FROM gone ORDER BY no"),
        ("postgresql", "WITH w AS (INSERT INTO t VALUES (1) RETURNING no) SELECT no FROM w ORDER BY no"),
        ("postgresql", "WITH w AS (UPDATE t SET a = 1 RETURNING no) SELECT no FROM w ORDER BY no"),
        (
            "postgresql",
            "WITH w AS (MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE) SELECT no FROM w ORDER BY no",
        ),
        ("postgresql", "SELECT no INTO stolen FROM orders ORDER BY no"),
        ("mssql", "SELECT no INTO stolen FROM orders ORDER BY no"),
        ("mysql", "SELECT no FROM orders ORDER BY no INTO OUTFILE '/tmp/x'"),
        ("postgresql", "COPY (SELECT no FROM orders) TO PROGRAM 'id'"),
        ("postgresql", "EXPLAIN ANALYZE DELETE FROM orders"),
        ("sqlite", "PRAGMA query_only = OFF"),
        ("sqlite", "ATTACH '/tmp/x' AS x"),
        ("postgresql", "DO $$ BEGIN DELETE FROM orders; END $$"),
        ("postgresql", "CALL forget_orders()"),
        ("postgresql", "SET TRANSACTION READ WRITE"),
        ("postgresql", "TABLE orders"),
        ("postgresql", "VALUES (1)"),
        # Several statements
        ("postgresql", "SELECT no FROM orders ORDER BY no; DELETE FROM orders"),
        ("mssql", "SELECT no FROM orders ORDER BY no DELETE FROM orders"),
        ("mssql", "SELECT no FROM orders ORDER BY no EXEC xp_cmdshell 'id'"),
        ("mssql", "SELECT no FROM orders ORDER BY no WAITFOR DELAY '0:0:9'"),
        ("postgresql", "SELECT no FROM orders ORDER BY no;--\nDELETE FROM orders"),
        ("mysql", "SELECT no FROM orders /*! INTO OUTFILE '/tmp/x' */ WHERE 'a' = 'b\\' ORDER BY no"),
        ("postgresql", "SELECT no FROM orders WHERE a = 'x ORDER BY no"),
        # Locks
        ("postgresql", "SELECT no FROM orders ORDER BY no FOR UPDATE"),
        ("postgresql", "SELECT no FROM orders ORDER BY no FOR SHARE"),
        ("mysql", "SELECT no FROM orders ORDER BY no LOCK IN SHARE MODE"),
        ("mssql", "SELECT no FROM orders WITH (TABLOCKX) ORDER BY no"),
        ("mssql", "SELECT no FROM orders WITH (UPDLOCK, HOLDLOCK) ORDER BY no"),
        ("postgresql", "SELECT no FROM (SELECT no FROM orders FOR UPDATE) o ORDER BY no"),
        # Functions
        ("postgresql", "SELECT pg_sleep(60) AS no ORDER BY no"),
        ("postgresql", "SELECT pg_read_file('/etc/passwd') AS no ORDER BY no"),
        ("postgresql", "SELECT no FROM pg_read_file('/etc/passwd') AS f(no) ORDER BY no"),
        ("postgresql", "SELECT lo_import('/etc/passwd') AS no ORDER BY no"),
        ("postgresql", "SELECT nextval('numbers') AS no ORDER BY no"),
        ("postgresql", "SELECT pg_catalog.pg_terminate_backend(1) AS no ORDER BY no"),
        ("postgresql", "SELECT no FROM dblink('host=x', 'SELECT 1') AS d(no text) ORDER BY no"),
        ("postgresql", "SELECT query_to_xml('SELECT 1', true, true, '') AS no ORDER BY no"),
        ("postgresql", "SELECT set_config('transaction_read_only', 'off', false) AS no ORDER BY no"),
        ("postgresql", "SELECT pg_advisory_lock(1) AS no ORDER BY no"),
        ("postgresql", "SELECT no FROM orders ORDER BY pg_sleep(9), no"),
        ("postgresql", "SELECT no FROM orders WHERE EXISTS (SELECT forget(no)) ORDER BY no"),
        ("sqlite", "SELECT load_extension('x') AS no ORDER BY no"),
        ("sqlite", "SELECT writefile('/tmp/x', 'y') AS no ORDER BY no"),
        ("sqlite", "SELECT name AS no FROM pragma_table_list ORDER BY no"),
        ("mysql", "SELECT SLEEP(60) AS no ORDER BY no"),
        ("mysql", "SELECT LOAD_FILE('/etc/passwd') AS no ORDER BY no"),
        ("mysql", "SELECT BENCHMARK(1000000000, 1) AS no ORDER BY no"),
        ("mysql", "SELECT GET_LOCK('x', 60) AS no ORDER BY no"),
        ("mysql", "SELECT @x := no AS no FROM orders ORDER BY no"),
        ("mssql", "SELECT no FROM OPENROWSET('SQLNCLI', 'x', 'SELECT 1') AS o ORDER BY no"),
        ("mssql", "SELECT dbo.forget(no) AS no FROM orders ORDER BY no"),
        # The database's own tables
        ("postgresql", "SELECT rolpassword AS no FROM pg_authid ORDER BY no"),
        ("postgresql", "SELECT query AS no FROM pg_catalog.pg_stat_activity ORDER BY no"),
        ("postgresql", "SELECT table_name AS no FROM information_schema.tables ORDER BY no"),
        ("sqlite", "SELECT sql AS no FROM sqlite_master ORDER BY no"),
        ("mysql", "SELECT authentication_string AS no FROM mysql.user ORDER BY no"),
        ("mssql", "SELECT password_hash AS no FROM sys.sql_logins ORDER BY no"),
        # No answer that can be shown
        ("postgresql", "SELECT no FROM orders"),
        ("postgresql", "SELECT number FROM orders ORDER BY number"),
        ("postgresql", "SELECT no, other AS no FROM orders ORDER BY 1"),
        ("postgresql", "SELECT no FROM (orders ORDER BY no"),
    ],
)
def test_refuses_what_does_more_than_read(database: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        _prove(database, text)


@each_row(
    "database, text",
    [
        ("postgresql", "SELECT no, sum(total) AS total FROM orders WHERE day >= :day_from GROUP BY no ORDER BY total"),
        ("postgresql", "WITH o AS (SELECT no FROM orders) SELECT no FROM o UNION ALL SELECT no FROM old ORDER BY no"),
        ("postgresql", "SELECT name->>'zh_CN' AS no, day::date, age(now(), day) FROM p ORDER BY no LIMIT 5"),
        ("postgresql", "SELECT no FROM a JOIN LATERAL (SELECT 1) b ON true WHERE no ILIKE :text ORDER BY no"),
        ("sqlite", "SELECT no, julianday('now') - julianday(day) AS days, strftime('%Y', day) FROM o ORDER BY no"),
        ("sqlite", "SELECT no, 'a:b' AS said, 'it''s; DELETE' AS text FROM orders ORDER BY no"),
        ("mssql", "SELECT no, ISNULL(total, 0), DATEDIFF(day, d, GETDATE()) FROM o WITH (NOLOCK) ORDER BY no"),
        ("mysql", "SELECT no, IFNULL(total, 0), DATE_FORMAT(d, '%Y-%m'), DATEDIFF(CURDATE(), d) FROM o ORDER BY no"),
        ("mssql", 'SELECT no, "update" FROM o ORDER BY no OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY'),
    ],
)
def test_takes_the_usual_queries(database: str, text: str) -> None:
    _prove(database, text)


def test_an_administrator_may_name_functions_of_the_company() -> None:
    text = "SELECT dbo.short(no) AS no FROM orders ORDER BY no"
    with pytest.raises(ValueError, match=r'functions = \["dbo.short"\]'):
        _prove("mssql", text)
    _prove("mssql", text, functions=frozenset({"dbo.short"}))
    with pytest.raises(ValueError, match="does more than read"):
        _prove("postgresql", "SELECT pg_sleep(9) AS no ORDER BY no", functions=frozenset({"pg_sleep"}))
