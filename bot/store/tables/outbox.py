"""Tables of the outbox: deliveries, their steps, and their budget use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table, partial_index

_IN_TURN = "state = 'queued' AND kind = 'event'"
"""Events for programs (`bot.store.outbox.happenings`)."""


class DeliveryRow(StoreTable, table=True):
    """A delivery to a place: one row for each card (see `bot.outbox.delivery`)."""

    __tablename__ = "delivery"
    __table_args__ = (
        partial_index("ix_delivery_queued", "urgency", "due_ms", where="state = 'queued'"),
        partial_index("ix_delivery_receiver", "place", "due_ms", where=_IN_TURN),
        partial_index("ix_delivery_subject", "fact", "place", "due_ms", where=_IN_TURN),
    )

    card: str = Field(primary_key=True)
    place: str
    """See `bot.outbox.place.Place`."""
    kind: str
    """Selects the composer."""
    ref: str
    """The composer's name for the card."""
    fact: str
    """The last event, as ``source/id``, for which the card was queued; of an event for a program its subject."""
    urgency: int
    state: str
    """See `bot.outbox.delivery.DeliveryState`."""
    via: str
    """See `bot.outbox.delivery.DeliveryFormat`."""
    wanted: int
    """The minimum revision to show."""
    shown: int
    """The revision at the place, 0 for none."""
    doubt: int
    """The revision of an attempt to create the card with an unknown outcome, 0 for none."""
    tries: int
    due_ms: int = Field(sa_type=BigInteger)
    next_ms: int = Field(sa_type=BigInteger)
    """The time of the next attempt: ``due_ms`` or later."""
    lease: str
    """The worker that holds the row, empty for none."""
    lease_ms: int = Field(sa_type=BigInteger)
    """When the lease ends."""
    made_as: str
    """The name of the card at its creation."""
    making: int
    """How often the card was restarted after it was given up unseen."""
    track: str = Field(index=True)
    """The card's ``outTrackId``."""
    changed_ms: int = Field(sa_type=BigInteger, index=True)
    reason: str = Field(sa_type=Text)
    """Why the last attempt failed."""
    also: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    """Further places of the same card, one per line."""
    standing: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    """The existing marker, as its keeper describes it."""
    trouble: str = Field(sa_column_kwargs={"server_default": ""})
    """The kind of the last failure (see `bot.outbox.ports.SendFailureKind`), empty if there was none."""


class DeliveryStepRow(StoreTable, table=True):
    """One step in a delivery's history (see `bot.outbox.delivery.DeliveryStepKind`)."""

    __tablename__ = "delivery_step"

    id: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    card: str = Field(index=True)
    at_ms: int = Field(sa_type=BigInteger, index=True)
    what: str
    revision: int
    late_ms: int = Field(sa_type=BigInteger)
    """Milliseconds between the time it was due and this step."""
    detail: str = Field(sa_type=Text)


class DeliverySpendRow(StoreTable, table=True):
    """One call's use of a budget (see `bot.outbox.budgets`)."""

    __tablename__ = "delivery_spend"

    id: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    bucket: str = Field(index=True)
    """The budget."""
    card: str
    worker: str = Field(index=True)
    """The worker of a call in progress; empty afterwards."""
    window_ms: int = Field(sa_type=BigInteger)
    """Length of the budget's window."""
    until_ms: int = Field(sa_type=BigInteger)
    """When it expires: one window after the call ended."""


DELIVERY = core_table(DeliveryRow)
DELIVERY_STEP = core_table(DeliveryStepRow)
DELIVERY_SPEND = core_table(DeliverySpendRow)
