"""Activate Tryton's modules in a new database and fill it: ``python fill.py CONFIG FILE EXPECTED MODULE...``.

Runs in Tryton's own environment, inside the server's process, and writes the server's report to EXPECTED. The database
is in memory and written to FILE at the end, because Tryton opens a file again for each of thousands of transactions.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

from documents import Documents
from groundwork import Groundwork
from proteus import config as proteus_config
from report import report
from trytond import commandline
from trytond import config as server_config

_MEMORY = ":memory:"


def fill(config_file: str, file: Path, expected: Path, modules: list[str]) -> None:
    server_config.update_etc(config_file)
    _spare()
    _activate(config_file, modules)
    config = proteus_config.set_trytond(_MEMORY, config_file=config_file)
    config.skip_warning = True
    # The server also uses the machine's present day for stock and overdue invoices.
    ground = Groundwork(config, dt.date.today())  # noqa: DTZ011
    ground.lay()
    documents = Documents(ground)
    documents.write()
    ground.want_two_users()
    _save(file)
    expected.write_text(json.dumps(report(documents), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _spare() -> None:
    """Skip work that takes half of the time and does not affect the database."""
    gc.disable()  # the process lives for half a minute, and garbage collection would take a twelfth of it
    import sparing  # noqa: F401
    from trytond.model import ModelStorage
    from trytond.modules.account_invoice.invoice import Invoice

    def trust(*_: Any, **__: Any) -> None:
        """Skip validation: the modules' own records are valid, and the report checks the result of ours."""

    def print_nothing(*_: Any, **__: Any) -> None:
        """Nobody reads the invoices on paper."""

    ModelStorage._validate = trust
    Invoice.print_invoice = print_nothing


def _activate(config_file: str, modules: list[str]) -> None:
    from trytond import admin
    from trytond.ir.translation import Translation

    options = ("-c", config_file, "-d", _MEMORY, "--email", "admin@example.com", "--activate-dependencies")
    # The records are in English; only translators need the English texts a second time.
    with patch.object(Translation, "set_ids"):
        admin.run(commandline.get_parser_admin().parse_args([*options, "-l", "zh_CN", "-u", *modules]))


def _save(file: Path) -> None:
    from trytond import backend

    with closing(sqlite3.connect(file)) as saved:
        backend.Database(_MEMORY).get_connection().backup(saved)


if __name__ == "__main__":
    fill(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
