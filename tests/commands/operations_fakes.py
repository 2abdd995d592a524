"""Fakes of what administrators look after: an outbox in memory, and reads with fixed answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.cards.notices import QuotaReport, QuotaShare
from bot.chat.operations import Operations, SourceState
from bot.mechanisms.health import WELL, HealthReport, degraded
from bot.mechanisms.tracing import Trace, TracedLine, TraceStep
from bot.outbox.delivery import (
    DeliveryFormat,
    DeliveryRecord,
    DeliveryState,
    DeliveryStep,
    DeliveryStepKind,
    Urgency,
)
from bot.outbox.place import Place, PlaceKind
from bot.words.phrase import phrase

AT = datetime(2026, 11, 5, 8, tzinfo=UTC)
DEAD, SENT = "alert:1:group:cidGone==", "alert:2:person:manager01"


def _record(card: str, place: Place, state: DeliveryState, reason: str = "") -> DeliveryRecord:
    return DeliveryRecord(
        card=card,
        place=place,
        kind="alert",
        state=state,
        via=DeliveryFormat.CARD,
        urgency=Urgency.NOW,
        wanted=1,
        shown=0,
        tries=3,
        due_at=AT,
        next_at=AT,
        changed_at=AT,
        fact="main/E-1",
        reason=reason,
    )


@dataclass
class MemoryDesk:
    """Implements `bot.outbox.ports.DeliveryDesk`."""

    records: dict[str, DeliveryRecord] = field(
        default_factory=lambda: {
            DEAD: _record(DEAD, Place(PlaceKind.GROUP, "cidGone=="), DeliveryState.DEAD, "the robot is not there"),
            SENT: _record(SENT, Place(PlaceKind.PERSON, "manager01"), DeliveryState.DONE),
        }
    )
    replayed: list[str] = field(default_factory=list)

    async def search(
        self, *, card: str = "", state: DeliveryState | None = None, limit: int = 50
    ) -> Sequence[DeliveryRecord]:
        found = [each for each in self.records.values() if card in {"", each.card} and state in {None, each.state}]
        return found[:limit]

    async def steps_of(self, card: str) -> Sequence[DeliveryStep]:
        kinds = (DeliveryStepKind.QUEUED, DeliveryStepKind.DEAD, *([DeliveryStepKind.REPLAYED] * len(self.replayed)))
        return [
            DeliveryStep(at=AT, card=card, what=kind, revision=1, late=timedelta(minutes=5), detail="main/E-1")
            for kind in kinds
        ]

    async def caused_by(self, fact: str) -> Sequence[str]:
        return [card for card, each in self.records.items() if each.fact == fact]

    async def replay(self, now: datetime, cards: Collection[str] | None = None) -> Sequence[str]:
        begun = [
            card
            for card, each in self.records.items()
            if each.state is DeliveryState.DEAD and (cards is None or card in cards)
        ]
        for card in begun:
            self.records[card] = replace(self.records[card], state=DeliveryState.QUEUED, reason="")
        self.replayed += begun
        return begun


def operations(desk: MemoryDesk, poked: list[str]) -> Operations:
    """Return reads of a bot of which one ERP does not answer."""

    async def health() -> HealthReport:
        return HealthReport({"stream": WELL, "database": WELL, "ERP main": degraded(phrase("no answer"))})

    async def sources() -> Sequence[SourceState]:
        state = SourceState(
            name="main",
            vendor="demo",
            trouble="Unavailable",
            calls=12,
            failed=2,
            milliseconds=84,
            rejected=1,
            synced_at=AT,
        )
        return [state]

    async def quotas() -> Sequence[QuotaReport]:
        shares = (QuotaShare("question", 40),)
        return [
            QuotaReport(
                quota=name,
                used=40,
                limit=limit,
                forecast=90,
                purposes=shares,
                groups=(),
                edition="standard",
                packs=0,
                calls=5000,
                uses=3000,
            )
            for name, limit in (("calls", 5000), ("uses", 3000))
        ]

    async def trace(reference: str) -> Trace | None:
        if reference != "7K0M1QX9":
            return None
        found = Trace(AT, "question", reference, command="po", outcome="erp_down", rule="purchasing")
        found.add_line(TracedLine(AT, "PO-1055 批了没有", "/po PO-1055", "po", "erp_down", "purchasing"))
        found.steps += [TraceStep("erp get_order", "main", "timeout", 4, 4000), TraceStep("answer", "", "ok", 3, 4007)]
        found.took = 4212
        return found

    return Operations(
        health=health,
        sources=sources,
        quotas=quotas,
        misread=lambda: (2, 30),
        deliveries=desk,
        owed=lambda: poked.append("owed"),
        trace=trace,
        group_name=lambda group: "仓库群" if group == "cidGone==" else "",
    )
