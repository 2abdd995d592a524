"""Card ids: the same question always gets the same id, and only the bot can have made it.

The id is what makes an answer happen once: DingTalk never shows a second card for an id that it knows
(docs: platform/dingtalk/cards.md#idempotency), so an answer may be repeated after a crash or a time-out. The seal shows
that a card is the bot's own.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

_ANSWER = "q1"
_CARD = "c1"
_INTERIM = "w1"
_FORM = "f1"
_OWN = "p1"
_OWN_INTERIM = "v1"
_PROBE = "t1"
_KINDS = (_ANSWER, _CARD, _INTERIM, _FORM, _OWN, _OWN_INTERIM, _PROBE)
_MARK, _TIME = 8, 8
"""Hexadecimal digits of a card's owner and of a form's end, at the end of its id's body."""


class TrackIds:
    """Makes and recognises the ``outTrackId`` of the bot's cards; ``key`` is the app's secret."""

    def __init__(self, key: str) -> None:
        self._sealing = hmac.new(hashlib.sha256(b"card-track-id\0" + key.encode()).digest(), digestmod=hashlib.sha256)

    def for_message(self, msg_id: str, user_id: str = "") -> str:
        """Return the id of the answer to this message; ``user_id`` is who alone gets it, and is sealed in it."""
        return self._owned(_OWN, msg_id, user_id) if user_id else self._sealed(_ANSWER, msg_id)

    def for_interim(self, msg_id: str, user_id: str = "") -> str:
        """Return the id of the card that says that the answer to this message takes longer, and becomes the answer;
        ``user_id`` is who alone gets it.
        """
        return self._owned(_OWN_INTERIM, msg_id, user_id) if user_id else self._sealed(_INTERIM, msg_id)

    def for_probe(self, key: str, user_id: str) -> str:
        """Return the id of a card that asks ``user_id`` what they see on it."""
        return self._owned(_PROBE, key, user_id)

    def for_card(self, card_key: str) -> str:
        """Return the id of a card that the bot shows by itself, such as an alert's; ``card_key`` is the outbox's."""
        return self._sealed(_CARD, card_key)

    def for_form(self, key: str, user_id: str, until: datetime) -> str:
        """Return the id of a form that ``user_id`` may submit until then: both are sealed in it."""
        body = hashlib.sha256(key.encode()).hexdigest()[: 32 - _MARK - _TIME]
        return self._sealed_body(_FORM, f"{body}{self._mark(body, user_id)}{int(until.timestamp()):0{_TIME}x}")

    def is_ours(self, track_id: str) -> bool:
        """Whether this bot made the id."""
        return any(self._is_sealed(kind, track_id) for kind in _KINDS)

    def is_for(self, track_id: str, user_id: str) -> bool:
        """Whether the card was made for this person alone: nobody else holds it."""
        if not any(self._is_sealed(kind, track_id) for kind in (_OWN, _OWN_INTERIM, _PROBE)):
            return False
        body = track_id.split("-")[1]
        return hmac.compare_digest(body[-_MARK:], self._mark(body[:-_MARK], user_id))

    def is_probe_for(self, track_id: str, user_id: str) -> bool:
        """Whether the id is of a card that asks this person what they see on it."""
        return self._is_sealed(_PROBE, track_id) and self.is_for(track_id, user_id)

    def is_form(self, track_id: str) -> bool:
        """Whether the id is of a form."""
        return self._is_sealed(_FORM, track_id)

    def is_form_of(self, track_id: str, user_id: str) -> bool:
        """Whether a form was made for this person."""
        body = track_id.split("-")[1]
        return hmac.compare_digest(body[-_MARK - _TIME : -_TIME], self._mark(body[: -_MARK - _TIME], user_id))

    def form_ends(self, track_id: str) -> datetime:
        """Return until when a form may be submitted."""
        return datetime.fromtimestamp(int(track_id.split("-")[1][-_TIME:], 16), UTC)

    def is_card(self, track_id: str) -> bool:
        """Whether the id is of a card that the bot showed by itself, and no answer."""
        return self._is_sealed(_CARD, track_id)

    def is_interim(self, track_id: str) -> bool:
        """Whether the id is of an answer that was another card at first."""
        return self._is_sealed(_INTERIM, track_id) or self._is_sealed(_OWN_INTERIM, track_id)

    def _owned(self, kind: str, key: str, user_id: str) -> str:
        body = hashlib.sha256(key.encode()).hexdigest()[: 32 - _MARK]
        return self._sealed_body(kind, f"{body}{self._mark(body, user_id)}")

    def _sealed(self, kind: str, key: str) -> str:
        return self._sealed_body(kind, hashlib.sha256(key.encode()).hexdigest()[:32])

    def _sealed_body(self, kind: str, body: str) -> str:
        return f"{kind}-{body}-{self._seal(kind, body)}"

    def _mark(self, body: str, user_id: str) -> str:
        mark = self._sealing.copy()
        mark.update(f"owner\0{body}\0{user_id}".encode())
        return mark.hexdigest()[:_MARK]

    def _is_sealed(self, kind: str, track_id: str) -> bool:
        claimed, _, rest = track_id.partition("-")
        body, _, seal = rest.partition("-")
        return claimed == kind and hmac.compare_digest(seal.encode(), self._seal(kind, body).encode())

    def _seal(self, kind: str, body: str) -> str:
        # An answer's seal covers its body alone, as on cards of earlier releases.
        sealed = body if kind == _ANSWER else f"{kind}-{body}"
        seal = self._sealing.copy()
        seal.update(sealed.encode())
        return seal.hexdigest()[:16]
