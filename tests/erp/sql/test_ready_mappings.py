"""The mappings that are shipped: each is a source, is T-SQL to the last word, and says what was never tried."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.erp.errors import Invalid
from bot.erp.sql.options import SqlOptions
from bot.erp.sql.query import Statement, with_views
from tests.erp.fakes.grasp import Grasp
from tests.erp.fakes.tsql import parsed, queries
from tests.erp.sql.mapping_contract import MAPPINGS, shipped_options, translated_mapping
from tests.erp.sql.minimal_source import Open
from tests.erp.sql.postgres_server import Postgres
from tests.rows import each_row

NAMES = sorted(folder.name for folder in MAPPINGS.iterdir() if (folder / "mapping.toml").is_file())
ADDRESS = "mssql+pymssql://reader:secret@server/company"


def complete_queries(options: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the queries as they are sent: with the views that they read."""
    views = options.get("views", {})
    return [(place, with_views(query, views)) for place, query in queries(options) if not place.startswith("views.")]


def test_there_are_four() -> None:
    assert NAMES == ["chanjet-tplus", "grasp", "kingdee-k3-wise", "yonyou-u8"]


@each_row("name", NAMES)
def test_a_mapping_is_a_source(name: str) -> None:
    assert SqlOptions.model_validate(shipped_options(name) | {"url": ADDRESS}).views


@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_transact_sql_without_a_warning(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="sqlglot")
    for place, query in complete_queries(shipped_options(name)):
        assert parsed(query).sql("tsql"), place
        assert Statement.parse(query).sql, place
    assert caplog.records == []


@each_row("name", NAMES)
def test_no_query_reads_what_others_have_not_committed(name: str) -> None:
    for place, query in queries(shipped_options(name)):
        assert "NOLOCK" not in query.upper(), place
        assert "READUNCOMMITTED" not in query.upper(), place


@each_row("name", NAMES)
def test_its_page_says_what_was_never_tried(name: str) -> None:
    page = (MAPPINGS / name / "README.md").read_text(encoding="utf-8")
    for heading in ("## Never tried", "## Check it in ten minutes", "## Sources"):
        assert heading in page
    assert "dingerp erp check" in page


async def test_check_names_the_query_and_the_column_that_is_missing(
    grasp: Grasp, postgres: Postgres, open_erp: Open
) -> None:
    options = translated_mapping("grasp") | {"url": postgres.reader_url}
    sales = options["sales"]["lines"]
    query = sales["query"].replace("d.ToQty", "d.DoneQty")
    broken = options | {"sales": options["sales"] | {"lines": sales | {"query": query}}}
    with pytest.raises(Invalid, match=r"sales\.lines: column d\.doneqty does not exist"):
        await open_erp(**broken).check()
