"""``dingerp send``: sends events by hand through the same intake as webhooks, queues and polling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.inputs import read_choice
from bot.admin.output import as_json, count_noun, escape_invisible
from bot.alerts.event import CUSTOM
from bot.alerts.intake.batched_intake import BATCH, BatchedIntake
from bot.alerts.intake.port import Rejection, as_event
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.store.alerts.events import StoredEvents
from bot.words.errors import ConfigurationError
from bot.words.severity import Severity

_ORIGIN = "/dingerp/send"
_NAMED = 5
"""How many events are named in the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomEvent:
    """A custom event in an operator's words. ``resolved`` is None for news that never stays open."""

    title: str
    text: str = ""
    severity: str = ""
    type: str = "custom.note"
    subject: str = ""
    facts: Sequence[str] = ()
    link: str = ""
    resolved: bool | None = None
    id: str = ""


def build_event(note: CustomEvent, *, at: datetime, new_id: str) -> dict[str, object]:
    """Return the CloudEvent; ``new_id`` is used unless the note names one. Raises `ConfigurationError`."""
    if not note.type.startswith(CUSTOM):
        raise ConfigurationError(f"--type {note.type!r}: only custom types can be written by options, send a file")
    read_choice(Severity, "severity", note.severity)
    data: dict[str, object] = {"title": note.title, "text": note.text, "facts": dict(map(_fact, note.facts))}
    if note.link:
        data["link"] = note.link
    if note.resolved is not None:
        data["resolved"] = note.resolved
    attributes = {
        "specversion": "1.0",
        "id": note.id or new_id,
        "source": _ORIGIN,
        "type": note.type,
        "subject": note.subject,
        "severity": note.severity,
        "time": at.isoformat(timespec="milliseconds"),
    }
    return {name: value for name, value in attributes.items() if value} | {"data": data}


async def send_events(
    settings: Settings, events: Sequence[object], *, source: str, form: str
) -> tuple[bool, list[str]]:
    """Return whether all events were understood, and lines on their outcome, after the commit.

    ``form`` is ``text`` or ``json``. Raises `ConfigurationError` for an unknown source, or if the database cannot be
    used.
    """
    known = sorted({*settings.erp, *settings.hooks, *settings.queues})
    if source not in known:
        raise ConfigurationError(
            f"no source {source!r} is configured; there are: {', '.join(known) or 'none'} (--source)"
        )
    if not events:
        raise ConfigurationError("there is no event to send")
    accepted = duplicate = 0
    rejected: list[Rejection] = []
    zone = ZoneInfo(settings.zone)
    async with open_database(
        settings, OperatorAction(command="send", detail=f"{len(events)} from {source}")
    ) as database:
        store = StoredEvents(require_database(database))
        intake = BatchedIntake(store, metrics=Metrics(), now=lambda: datetime.now(zone))
        for start in range(0, len(events), BATCH):
            batch = [as_event(event) for event in events[start : start + BATCH]]
            receipt = await intake.accept(source, batch, via="send")
            accepted, duplicate = accepted + receipt.accepted, duplicate + receipt.duplicate
            rejected.extend(receipt.rejected)
    if form == "json":
        reasons = [{"id": rejection.id, "reason": rejection.reason} for rejection in rejected]
        return not rejected, [as_json({"accepted": accepted, "duplicate": duplicate, "rejected": reasons})]
    return not rejected, _lines(source, events, accepted, duplicate, rejected)


def _lines(
    source: str, events: Sequence[object], accepted: int, duplicate: int, rejected: Sequence[Rejection]
) -> list[str]:
    summary = f"{count_noun(accepted, 'event', 'events')} accepted, {duplicate} known already, {len(rejected)} rejected"
    wrong = {rejection.id for rejection in rejected}
    ids = [event.get("id") for event in events if isinstance(event, Mapping)]
    named = [escape_invisible(f"{source}/{id_}") for id_ in ids if id_ and id_ not in wrong][:_NAMED]
    return [
        summary,
        *(escape_invisible(f"rejected {rejection.id}: {rejection.reason}") for rejection in rejected),
        *(f"see `dingerp events show {name}`" for name in named),
    ]


def _fact(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise ConfigurationError(f"--fact {text!r}: a name and a value are expected, an example is temperature=7.4")
    return name.strip(), value.strip()
