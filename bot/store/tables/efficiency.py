"""Tables of the figures of efficiency: a row for each decision and each alert, counts of questions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, false
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table


class DecisionWaitRow(StoreTable, table=True):
    """A decision and how long it was waited for (see `bot.efficiency.waits.DecisionWait`).

    The time begins its key, so that no index of its own is needed: each would be as large as the table.
    """

    __tablename__ = "decision_wait"
    __table_args__ = ({"sqlite_with_rowid": False},)

    at_ms: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    case_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    waited_s: int
    worked_s: int
    level: int
    rule: str = Field(sa_type=Text)
    currency: str
    size: int | None
    way: str
    in_time: bool | None
    approved: bool
    changed: bool
    kind: str
    """The command of the document's kind."""
    asked: bool = Field(sa_column_kwargs={"server_default": false()})


class AlertWaitRow(StoreTable, table=True):
    """What became of an alert (see `bot.efficiency.waits.AlertWait`)."""

    __tablename__ = "alert_wait"

    number: int = Field(primary_key=True, sa_type=ROW_NUMBER, sa_column_kwargs={"autoincrement": False})
    """The number of the alert."""
    person: str
    at_ms: int = Field(sa_type=BigInteger, index=True)
    rule: str = Field(sa_type=Text)
    acknowledged_s: int | None
    resolved_s: int | None
    ignored: bool
    repeated: bool


class QuestionDayRow(StoreTable, table=True):
    """How often a department asked a command on a day, and how many people those were; of a month that is over, the
    most of one day (see `bot.efficiency.questions.QuestionCount`).
    """

    __tablename__ = "question_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: str = Field(primary_key=True)
    """As ``2026-11-24``, in the company's zone; of a month as ``2026-11``."""
    command: str = Field(primary_key=True)
    department: str = Field(primary_key=True)
    """Its id; empty if it is not known."""
    number: int
    people: int


class QuestionHourRow(StoreTable, table=True):
    """How many asked the same line by hand in an hour (see `bot.efficiency.questions.QuestionHour`)."""

    __tablename__ = "question_hour"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: str = Field(primary_key=True)
    """As ``2026-11-24``, in the company's zone."""
    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    line: str = Field(primary_key=True)
    """It names nothing and nobody."""
    number: int
    people: int


class SpeedDayRow(StoreTable, table=True):
    """How many answers or calls of a day fell into a class of time (see `bot.efficiency.speeds.TimeCount`); of a month
    that is over, of the month.
    """

    __tablename__ = "speed_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: str = Field(primary_key=True)
    """As ``2026-11-24``, in the company's zone; of a month as ``2026-11``."""
    timed: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    within_ms: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """0: longer than all classes, or without one."""
    number: int


class UnreadSentenceRow(StoreTable, table=True):
    """How often somebody asked a sentence that was not understood, in a week (see `bot.store.unread_sentences`)."""

    __tablename__ = "unread_sentence"
    __table_args__ = ({"sqlite_with_rowid": False},)

    form: str = Field(primary_key=True)
    """A keyed digest of the sentence's general form."""
    week: str = Field(primary_key=True)
    """Its Monday, as ``2026-11-23``, in the company's zone."""
    asker: str = Field(primary_key=True)
    """A keyed digest of the form and the person: no two sentences tell that the same person asked them."""
    number: int
    text: str = Field(sa_type=Sealed("unread_sentence.text"))
    """The form; empty while too few people have asked it."""


class PredictionRow(StoreTable, table=True):
    """What was rehearsed of a changed rule, and what was counted after it (see `bot.efficiency.predictions`)."""

    __tablename__ = "prediction"

    sha256: str = Field(primary_key=True)
    """Of the rule file's text, as its version has it."""
    topic: str
    subject: str = Field(sa_type=Text)
    """The rule, as its figures name it."""
    level: int
    kinds: str
    """A JSON list of commands."""
    what: str = Field(sa_type=Sealed("prediction.what"))
    """The change in words, as JSON: it may hold amounts."""
    before: str
    """Cases in a week, as exact text."""
    after: str
    made_ms: int = Field(sa_type=BigInteger)
    begins_ms: int | None = Field(sa_type=BigInteger)
    cases: int | None
    all_cases: int | None


class EfficiencyMarkRow(StoreTable, table=True):
    """How far the records of one kind have been read for the figures."""

    __tablename__ = "efficiency_mark"

    records: str = Field(primary_key=True)
    reached: int = Field(sa_type=BigInteger)
    """A number or a time, by the kind of the records."""


DECISION_WAIT = core_table(DecisionWaitRow)
ALERT_WAIT = core_table(AlertWaitRow)
QUESTION_DAY = core_table(QuestionDayRow)
PREDICTION = core_table(PredictionRow)
QUESTION_HOUR = core_table(QuestionHourRow)
SPEED_DAY = core_table(SpeedDayRow)
UNREAD_SENTENCE = core_table(UnreadSentenceRow)
EFFICIENCY_MARK = core_table(EfficiencyMarkRow)
