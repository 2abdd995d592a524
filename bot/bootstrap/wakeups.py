"""What a replica hears of the others' work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.replicas import Replica
from bot.mechanisms.background import Runs
from bot.mechanisms.health import PartHealth, PartStatus
from bot.mechanisms.wakeup import WakeupsByOthers
from bot.store.engines import is_pooled
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)


async def listen_to_others(base: Infrastructure, replica: Replica | None) -> Callable[[], Mapping[str, PartHealth]]:
    """Have workers woken by what other replicas store; returns the state of that, where there are others."""
    if replica is None or not replica.is_one_of_several:
        return dict
    replica.others_ended = base.wakeups.call_all
    if is_pooled(base.settings.database):
        log.info("announcements.not_heard", error="a pooler hands the connection around: others' work is looked for")
    else:
        # Imported where there is PostgreSQL: the driver is an extra.
        from bot.store.announcement_listener import AnnouncementListener

        listener = AnnouncementListener(base.settings.database, base.wakeups, process=replica.id, metrics=base.metrics)
        await base.run_in_background(listener.run, "announcements", Runs.EVERYWHERE)
    return lambda: {"work of others": _state(base.wakeups)}


def _state(wakeups: WakeupsByOthers) -> PartHealth:
    seconds = round(wakeups.look_every().total_seconds())
    if wakeups.are_on:
        words = phrase("told at once, and looked for every %(seconds)d s", seconds=seconds)
    else:
        words = phrase("looked for every %(seconds)d s", seconds=seconds)
    return PartHealth(PartStatus.OK, words)
