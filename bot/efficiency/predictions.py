"""What a rehearsal predicted of a rule that was changed because of a finding, and whether it came true.

The figure that was rehearsed is counted again four weeks after the change: cards of an alert rule, or documents that an
approval rule decides, in a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum

from bot.efficiency.findings import FOUR_WEEKS, Finding, FindingTopic, RuleEdit, weekly
from bot.rulefiles.versions import as_whole, digest_of_content
from bot.words.phrase import Phrase, phrase

SEEN = Decimal("0.8")
"""Of the saving that was rehearsed, from which on it came true: the same week of two months differs by as much."""
FEW = 10
"""Cases in four weeks, fewer tell nothing: by chance alone they may as well be half or twice as many."""
NEWS = timedelta(days=7)
"""For how long an outcome is news: a weekly card tells it once."""


class PredictionOutcome(Enum):
    """What became of a prediction, in words."""

    TRUE = phrase("It came true.")
    FALSE = phrase("It did not come true.")
    UNKNOWN = phrase("Too few cases to tell.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A rehearsed change of a rule file, kept by the digest of its text.

    ``subject``, ``level`` and ``kinds`` are those of the finding. ``before`` and ``after`` are cases in a week. It
    counts from ``begins_at``, when the text came into force; None until then. ``cases`` of the rule, of ``all_cases``,
    came in the four weeks since; None until they are over.
    """

    sha256: str
    topic: FindingTopic
    subject: str
    level: int
    kinds: frozenset[str]
    what: Phrase
    before: Decimal
    after: Decimal
    made_at: datetime
    begins_at: datetime | None = None
    cases: int | None = None
    all_cases: int | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When its four weeks are over."""
        return None if self.begins_at is None else self.begins_at + FOUR_WEEKS

    @property
    def measured(self) -> Decimal | None:
        """Cases in a week of the four weeks."""
        return None if self.cases is None else weekly(self.cases, FOUR_WEEKS.days)

    @property
    def outcome(self) -> PredictionOutcome | None:
        """What became of it; None until that is known."""
        if self.measured is None or self.all_cases is None:
            return None
        if min(self.before * FOUR_WEEKS.days / 7, Decimal(self.all_cases)) < FEW:
            return PredictionOutcome.UNKNOWN
        is_seen = self.measured <= self.before - SEEN * (self.before - self.after)
        return PredictionOutcome.TRUE if is_seen else PredictionOutcome.FALSE

    def is_news(self, now: datetime) -> bool:
        """Return whether its four weeks were over in the last `NEWS`."""
        return self.outcome is not None and self.ends_at is not None and now - self.ends_at < NEWS


def predict(finding: Finding, text: str, now: datetime) -> Prediction | None:
    """Return what a finding predicts of a rule file's text; None if that is not exactly what was rehearsed."""
    edit, rehearsed = finding.remedy, finding.rehearsed
    if not isinstance(edit, RuleEdit) or rehearsed is None or as_whole(edit.text) != as_whole(text):
        return None
    return Prediction(
        sha256=digest_of_content(as_whole(text).encode()),
        topic=finding.topic,
        subject=finding.subject,
        level=finding.level,
        kinds=finding.kinds,
        what=edit.what,
        before=rehearsed.before,
        after=rehearsed.after,
        made_at=now,
    )


_CASES = {FindingTopic.ALERTS: phrase("Cards a week"), FindingTopic.APPROVALS: phrase("Documents a week")}


def tell_prediction(prediction: Prediction, zone: tzinfo) -> Phrase | None:
    """Return in words what was predicted and what became of it; None before the change is in force."""
    if prediction.begins_at is None or prediction.ends_at is None:
        return None
    told = {
        "what": prediction.what,
        "day": f"{prediction.begins_at.astimezone(zone):%Y-%m-%d}",
        "cases": _CASES[prediction.topic],
        "before": str(prediction.before),
        "after": str(prediction.after),
    }
    if prediction.outcome is None:
        return phrase(
            "%(what)s, since %(day)s. %(cases)s: %(before)s before, %(after)s rehearsed. It is counted on %(end)s.",
            **told,
            end=f"{prediction.ends_at.astimezone(zone):%Y-%m-%d}",
        )
    return phrase(
        "%(what)s, since %(day)s. %(cases)s: %(before)s before, %(after)s rehearsed, %(measured)s counted. %(outcome)s",
        **told,
        measured=str(prediction.measured),
        outcome=prediction.outcome.value,
    )
