"""The commands in docs/how-to/send-events.md work as they are."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.alerts.intake.signed_requests import SECRET

from .frappe_sender import render_body, send
from .hook_server import TOKEN, HookServer, hook_server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "send-events.md"
ACCEPTED = {"accepted": 1, "duplicate": 0, "rejected": []}
BODIES = re.findall(r"```jinja\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
"""The bodies that administrators of ERPNext copy: of documents in general, and of Bins."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[HookServer]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    async with hook_server(database) as running:
        yield running
    await database.close()


async def test_the_example_in_the_shell(server: HookServer) -> None:
    missing = [name for name in ("curl", "openssl", "base64", "od") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the example needs {', '.join(missing)}")
    (script,) = (
        each for each in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "curl" in each
    )
    server.clock.at = datetime.now(UTC)  # the shell signs with the machine's own clock
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        script.replace("127.0.0.1:8788", f"127.0.0.1:{server.port}"),
        env={**os.environ, "DINGERP_HOOKS__MAIN__SECRET": SECRET, "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    (kept,) = await server.kept()

    assert json.loads(output) == ACCEPTED
    assert (kept.type, kept.subject) == ("stock.low", "SKU123")


async def test_a_document_of_erpnext(server: HookServer) -> None:
    order = {
        "doctype": "Sales Order", "name": "SAL-ORD-2026-00001", "docstatus": 1, "customer_name": "A&B <上海> \"机械\"",
        "grand_total": 56000.5, "currency": "CNY", "status": "To Deliver and Bill", "modified": "2026-11-24 03:00:00.1",
        "items": [{"item_code": "SKU123", "qty": 2.0}], "advance_paid": None,
    }  # fmt: skip
    body = render_body(BODIES[0], order)
    assert await send(server.client, server.url("erpnext"), body, TOKEN) == (202, ACCEPTED)
    (kept,) = await server.kept()
    assert (kept.type, kept.subject) == ("order.created", "SAL-ORD-2026-00001")
    assert json.loads(kept.raw)["data"]["customer"] == order["customer_name"]


async def test_a_bin_of_erpnext(server: HookServer) -> None:
    bin_ = {"doctype": "Bin", "name": "b1", "item_code": "SKU123", "warehouse": "成品仓 - C1", "actual_qty": 12.0}
    body = render_body(BODIES[1], bin_)
    assert await send(server.client, server.url("erpnext"), body, TOKEN) == (202, ACCEPTED)
    (kept,) = await server.kept()
    assert (kept.type, kept.subject) == ("stock.low", "SKU123")


def test_a_document_in_a_body_of_erpnext_has_no_methods() -> None:
    with pytest.raises(TypeError, match="not callable"):
        render_body('{"doc": {{ doc.as_json() }}}', {"doctype": "Sales Order"})
