"""Fill an empty Tryton database with the demo company: ``python fill.py CONFIG DATABASE EXPECTED``.

Runs in Tryton's own environment, inside the server's process space, and writes to EXPECTED what the server then says.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import sys
from pathlib import Path

from documents import Documents
from groundwork import Groundwork
from proteus import config as proteus_config
from report import report


def fill(config_file: str, database: str, expected: Path) -> None:
    config = proteus_config.set_trytond(database, config_file=config_file)
    config.skip_warning = True
    # The server too goes by the day that the machine has, for what is in stock and what is overdue.
    ground = Groundwork(config, dt.date.today())  # noqa: DTZ011
    ground.lay()
    documents = Documents(ground)
    documents.write()
    ground.want_two_users()
    expected.write_text(json.dumps(report(documents), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    gc.disable()  # it lives for a minute, and looking for garbage would be a twelfth of that
    fill(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
