"""The revisions of the database, and which versions of the bot can work on one at the same time.

A revision is named after the file of its migration. ``0047`` may change anything: older replicas have to end before it.
``0047r01`` follows it and only adds: what knows ``0047`` reads and writes on, so replicas of both versions work side by
side, and the version before can be started again.
"""

from __future__ import annotations

from pathlib import Path

from bot.store.errors import DatabaseIsNewer

MIGRATIONS = Path(__file__).parent / "migrations"

_ADDS = "r"


def known_revisions() -> frozenset[str]:
    """Return all revisions that this version makes: the files are named ``<revision>_<words>.py``."""
    return frozenset(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def latest_revision() -> str:
    """Return the newest revision that this version makes."""
    return max(known_revisions())


def only_adds(revision: str) -> bool:
    """Return whether versions that know what it follows can work with it."""
    return _ADDS in revision


def is_current(revision: str | None) -> bool:
    """Return whether this version finds all that it needs in a database of this revision."""
    latest = latest_revision()
    return revision is not None and _base(revision) == _base(latest) and revision >= latest


def stops_others(revision: str) -> bool:
    """Return whether the upgrade from a revision changes what older versions use."""
    return _base(revision) != _base(latest_revision())


def check_version(revision: str | None) -> None:
    """Check that this version can upgrade or use a database of this revision. Raises `DatabaseIsNewer`."""
    if revision is not None and revision not in known_revisions() and not is_current(revision):
        raise DatabaseIsNewer(
            f"a newer version of dingerp has used the database (it is at revision {revision}, this version knows up to "
            f"{latest_revision()}); install that version again, or restore a backup from before the upgrade"
        )


def _base(revision: str) -> str:
    return revision.partition(_ADDS)[0]
