"""Forms for one person each: shown beside an answer or instead of it, and what comes back.

Nothing about a form is stored. Its id is sealed together with its owner and its end, and what it stands for is a
button's token: a request, checked like any other when it comes back, also after a restart. Submitting it twice is
tapping a button twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Protocol

from bot.cards.card import CardForm, Click
from bot.cards.track_ids import TrackIds
from bot.chat.message import Conversation

FORM_LIFETIME = timedelta(hours=1)
"""How long a form may be submitted."""
_TAPPED_TWICE = timedelta(seconds=10)
"""Within so long the same button gives no second form."""

_CANCELLED = "user_cancel"
"""Parameter of the template's button that fills in nothing (docs: platform/dingtalk/templates.md#forms)."""


class FormChannel(Protocol):
    """Sends forms."""

    async def show(self, form: CardForm, *, user_id: str, where: Conversation, track_id: str) -> bool:
        """Make a form appear in a conversation for one person alone; the same ``track_id`` gives no second one.

        Returns False, and raises nothing, where none is wanted now or it cannot be shown: there are other ways to say
        what it asks. Then one may stand all the same if DingTalk did not answer.
        """
        ...


class FormClaim(StrEnum):
    """What a submitted form is worth; labels a metric."""

    FILLED_IN = "filled_in"
    CANCELLED = "cancelled"
    FOREIGN = "foreign_form"
    """It was made for somebody else."""
    EXPIRED = "expired_form"


class PersonalForms:
    """Shows forms, and says what those that come back are worth."""

    def __init__(self, tracks: TrackIds, channel: FormChannel | None, *, now: Callable[[], datetime]) -> None:
        """Without a ``channel`` no form is shown, but forms of an earlier run may still come back."""
        self._tracks = tracks
        self._channel = channel
        self._now = now

    async def show(self, form: CardForm | None, *, user_id: str | None, where: Conversation, key: str) -> bool:
        """Show a form to a person, and return whether it stands; ``key`` tells where it was asked for.

        The same form for the same key is the same one for some seconds.
        """
        if form is None or self._channel is None or not user_id:
            return False
        until = _end_after(self._now())
        track_id = self._tracks.for_form(f"{key}\0{form.token}\0{until.isoformat()}", user_id, until)
        return await self._channel.show(form, user_id=user_id, where=where, track_id=track_id)

    def is_form(self, click: Click) -> bool:
        """Whether what was clicked is a form."""
        return self._tracks.is_form(click.track_id)

    def judge(self, click: Click) -> FormClaim:
        """Return what a form that came back is worth."""
        if not self._tracks.is_form_of(click.track_id, click.user_id):
            return FormClaim.FOREIGN
        if self._now() > self._tracks.form_ends(click.track_id):
            return FormClaim.EXPIRED
        return FormClaim.CANCELLED if _is_cancelled(click.values) else FormClaim.FILLED_IN


def _end_after(now: datetime) -> datetime:
    """Return when a form that is shown now ends; forms of the same seconds have the same end, and so the same ids."""
    seconds = _TAPPED_TWICE.total_seconds()
    return datetime.fromtimestamp(ceil(now.timestamp() / seconds) * seconds, now.tzinfo) + FORM_LIFETIME


def _is_cancelled(values: Mapping[str, object]) -> bool:
    return values.get(_CANCELLED) in (True, "true")
