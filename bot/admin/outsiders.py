"""Groups marked as having outsiders: listed for operators, and unmarked once these are gone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.admin.database import OperatorAction, open_database, record_action, require_database
from bot.admin.output import align_columns, format_second
from bot.settings import Settings
from bot.store.people import REFRESH_SECONDS, marked_groups, unmark_group
from bot.words.errors import ConfigurationError


async def list_outsider_groups(settings: Settings) -> list[str]:
    """Return a line for each group: its id, and when or how it was marked."""
    zone = ZoneInfo(settings.zone)
    async with open_database(settings, OperatorAction(command="access outsiders")) as database:
        seen = await require_database(database).run(marked_groups)
    rows = [(group, f"since {format_second(at, zone)}") for group, at in seen]
    rows += [(group, "by access.outsider_groups") for group in settings.access.outsider_groups]
    return align_columns(rows) if rows else ["no group with people from outside is known"]


async def unmark(settings: Settings, conversation_id: str, reason: str) -> list[str]:
    """Remove the mark from a group, until an outsider writes or taps there again. Raises `ConfigurationError`."""
    if not reason.strip():
        raise ConfigurationError("say why nobody from outside is there any more: --reason 'the carrier has left'")
    if conversation_id in settings.access.outsider_groups:
        raise ConfigurationError(f"{conversation_id} stands in access.outsider_groups; take it out there")
    async with open_database(settings, None) as database:
        ready = require_database(database)
        if not await ready.run(lambda connection: unmark_group(connection, conversation_id)):
            raise ConfigurationError(
                f"{conversation_id} is not marked; `dingerp access outsiders` lists those that are"
            )
        action = OperatorAction(command="access unmark", detail=f"{conversation_id}: {reason}")
        await record_action(settings, ready, action)
    return [
        f"unmarked; a running bot knows it within {REFRESH_SECONDS:.0f} s, and marks the group again when somebody"
        " from outside writes or taps there"
    ]
