"""The server's today is the day of its data, whatever day it is when a test asks."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from typing import Any

from tests.erp.tryton.real.conftest import READING
from tests.erp.tryton.real.plain_client import PlainClient
from tests.erp.tryton.server.installation import HERE, python
from tests.erp.tryton.server.server_process import TrytonServer

_TELL_TODAY = """
from sparing import stop_the_calendar
stop_the_calendar()
from trytond.ir.date import Date
print(Date.today())
"""


def test_a_run_that_lasts_over_midnight_stays_on_the_day_of_the_data(tryton_server: TrytonServer) -> None:
    told = subprocess.run(
        [python(), "-c", _TELL_TODAY],
        env={**os.environ, "PYTHONPATH": str(HERE), "TRYTON_TODAY": "2001-02-03"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == "2001-02-03"


def test_the_server_says_the_day_of_the_data(tryton_server: TrytonServer) -> None:
    told: dict[str, Any] = PlainClient(tryton_server.url, READING, "dingbot", "DingBot#2026").call("ir.date.today")
    assert date(told["year"], told["month"], told["day"]).isoformat() == tryton_server.expected["today"]
