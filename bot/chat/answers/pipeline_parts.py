"""The parts shared by the pipelines for messages and clicks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.access.audit import AuditLog
from bot.access.organisation import OwnOrganisation
from bot.access.people import People
from bot.cards.card import ViewRenderer
from bot.cards.track_ids import TrackIds
from bot.chat.answers.forms import PersonalForms
from bot.chat.answers.standing_answers import AnswerKeeper
from bot.chat.answers.ways_back import WaysBack
from bot.chat.audiences import KnownOutsiders
from bot.chat.question_handler import QuestionHandler
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParts:
    """The shared parts. Without ``keeper`` no answer is kept up to date."""

    handler: QuestionHandler
    people: People
    organisation: OwnOrganisation
    outsiders: KnownOutsiders
    audit: AuditLog
    renderer: ViewRenderer
    tracks: TrackIds
    metrics: Metrics
    now: Callable[[], datetime]
    forms: PersonalForms
    """Ask for missing input, where possible."""
    keeper: AnswerKeeper | None = None
    ways: WaysBack = field(default_factory=WaysBack)
    """The earlier contents of cards."""
    traced: Callable[[Trace], None] = lambda trace: None
    """Gets the trace of each question and click."""
    card_reference: Callable[[], str] = lambda: ""
    """Returns the reference for the card of the answer that is being traced; empty if it has none."""
