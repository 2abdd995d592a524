"""Installs and fills, and prints the location: ``python -m tests.erp.tryton.server``."""

from tests.erp.tryton.server.installation import prepare

if __name__ == "__main__":
    print(prepare().folder, flush=True)
