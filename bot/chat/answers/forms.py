"""Personal forms: shown beside an answer or in its place, and their submissions.

Nothing about a form is stored. Its id is sealed together with its owner and expiry, and its meaning is a button's
token: a request, checked like any other on submission, also after a restart. Submitting it twice equals tapping a
button twice.
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
"""Within this time the same button creates no second form."""

_CANCELLED = "user_cancel"
"""Parameter of the template's cancel button (docs: platform/dingtalk/templates.md#forms)."""


class FormChannel(Protocol):
    """Sends forms."""

    async def show(self, form: CardForm, *, user_id: str, where: Conversation, track_id: str) -> bool:
        """Show a form in a conversation to one person alone; a repeated ``track_id`` creates no second one.

        Returns False, without raising, if none is wanted now or it cannot be shown: the question can be asked in other
        ways. Even then one may exist if DingTalk did not answer.
        """
        ...


class FormClaim(StrEnum):
    """The validity of a submitted form; labels a metric."""

    FILLED_IN = "filled_in"
    CANCELLED = "cancelled"
    FOREIGN = "foreign_form"
    """It was created for another person."""
    EXPIRED = "expired_form"


class PersonalForms:
    """Shows forms, and judges submissions."""

    def __init__(self, tracks: TrackIds, channel: FormChannel | None, *, now: Callable[[], datetime]) -> None:
        """Without a ``channel`` no form is shown, but forms of an earlier run may still be submitted."""
        self._tracks = tracks
        self._channel = channel
        self._now = now

    async def show(self, form: CardForm | None, *, user_id: str | None, where: Conversation, key: str) -> bool:
        """Show a form to a person, and return whether it exists; ``key`` identifies where it was requested.

        For some seconds, the same form and key yield the same one.
        """
        if form is None or self._channel is None or not user_id:
            return False
        until = _end_after(self._now())
        track_id = self._tracks.for_form(f"{key}\0{form.token}\0{until.isoformat()}", user_id, until)
        return await self._channel.show(form, user_id=user_id, where=where, track_id=track_id)

    def is_form(self, click: Click) -> bool:
        """Return whether a form was clicked."""
        return self._tracks.is_form(click.track_id)

    def judge(self, click: Click) -> FormClaim:
        """Return the validity of a submitted form."""
        if not self._tracks.is_form_of(click.track_id, click.user_id):
            return FormClaim.FOREIGN
        if self._now() > self._tracks.form_ends(click.track_id):
            return FormClaim.EXPIRED
        return FormClaim.CANCELLED if _is_cancelled(click.values) else FormClaim.FILLED_IN


def _end_after(now: datetime) -> datetime:
    """Return the expiry of a form shown now; forms of the same seconds share it, and so their ids."""
    seconds = _TAPPED_TWICE.total_seconds()
    return datetime.fromtimestamp(ceil(now.timestamp() / seconds) * seconds, now.tzinfo) + FORM_LIFETIME


def _is_cancelled(values: Mapping[str, object]) -> bool:
    return values.get(_CANCELLED) in (True, "true")
