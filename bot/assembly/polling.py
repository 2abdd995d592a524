"""The polling of the ERPs, and of what people watch."""

from __future__ import annotations

from bot.alerts.intake.polled import Manner
from bot.alerts.intake.polling import Poller, keep
from bot.alerts.intake.watched import WatchPoller
from bot.assembly.alerts import AlertRooms
from bot.assembly.base import Base
from bot.erp.hub import ErpHub
from bot.settings import Settings
from bot.store.polls import StoredPolls


async def poll(base: Base, hub: ErpHub, alerts: AlertRooms) -> None:
    """Begin to poll every source, if the settings say so."""
    if not base.settings.poll.enabled:
        return
    store, manner = StoredPolls(base.database), manner_of(base.settings)
    pollers = {
        source: Poller(hub.at(source), store, alerts.intake, manner=manner, metrics=base.metrics, now=base.now).run
        for source in hub.sources
    }
    watches = WatchPoller(hub, alerts.study, store, manner=manner, now=base.now)
    await base.keep(keep({**pollers, "watches": watches.run}), "poll")


def manner_of(settings: Settings) -> Manner:
    """Return how sources are polled, as the settings say."""
    wanted = settings.poll
    return Manner(
        areas=wanted.areas,
        seconds=wanted.seconds,
        lists=wanted.list_seconds,
        calls=wanted.calls,
        backlog=wanted.backlog,
    )
