"""The commands in docs/how-to/send-events.md work as they are."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.alerts.intake.signed_requests import SECRET

from .hook_server import hook_server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "send-events.md"


async def test_the_example_in_the_shell(tmp_path: Path) -> None:
    missing = [name for name in ("curl", "openssl", "base64", "od") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the example needs {', '.join(missing)}")
    (script,) = (
        each for each in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "curl" in each
    )
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    async with hook_server(database) as server:
        server.clock.at = datetime.now(UTC)  # the shell signs with the machine's own clock
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            script.replace("127.0.0.1:8788", f"127.0.0.1:{server.port}"),
            env={**os.environ, "DINGERP_HOOKS__MAIN__SECRET": SECRET, "no_proxy": "*"},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 20)
        (kept,) = await server.kept()
    await database.close()

    assert json.loads(output) == {"accepted": 1, "duplicate": 0, "rejected": []}
    assert (kept.type, kept.subject) == ("stock.low", "SKU123")
