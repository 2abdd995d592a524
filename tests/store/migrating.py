"""Databases as migrations leave them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine

from bot.store.revisions import MIGRATIONS


def migrate_to(file: Path, revision: str) -> None:
    """Make an empty database, or an older one, what this revision makes of it."""
    from alembic import command
    from alembic.config import Config

    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
