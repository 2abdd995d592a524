"""Card ids: the same question always gets the same id, and only the bot can have made it.

The id is what makes an answer happen once: DingTalk never shows a second card for an id that it knows
(docs: platform/dingtalk/cards.md#idempotency), so an answer may be repeated after a crash or a time-out. The seal shows
that a card is the bot's own.
"""

from __future__ import annotations

import hashlib
import hmac

_ANSWER = "q1"
_CARD = "c1"
_INTERIM = "w1"


class TrackIds:
    """Makes and recognises the ``outTrackId`` of the bot's cards; ``key`` is the app's secret."""

    def __init__(self, key: str) -> None:
        self._sealing = hmac.new(hashlib.sha256(b"card-track-id\0" + key.encode()).digest(), digestmod=hashlib.sha256)

    def for_message(self, msg_id: str) -> str:
        """Return the id of the answer to this message."""
        return self._sealed(_ANSWER, msg_id)

    def for_interim(self, msg_id: str) -> str:
        """Return the id of the card that says that the answer to this message takes longer, and becomes the answer."""
        return self._sealed(_INTERIM, msg_id)

    def for_card(self, card_key: str) -> str:
        """Return the id of a card that the bot shows by itself, such as an alert's; ``card_key`` is the outbox's."""
        return self._sealed(_CARD, card_key)

    def is_ours(self, track_id: str) -> bool:
        """Whether this bot made the id."""
        return self._is_sealed(_ANSWER, track_id) or self.is_card(track_id) or self.is_interim(track_id)

    def is_card(self, track_id: str) -> bool:
        """Whether the id is of a card that the bot showed by itself, and no answer."""
        return self._is_sealed(_CARD, track_id)

    def is_interim(self, track_id: str) -> bool:
        """Whether the id is of an answer that was another card at first."""
        return self._is_sealed(_INTERIM, track_id)

    def _sealed(self, kind: str, key: str) -> str:
        body = hashlib.sha256(key.encode()).hexdigest()[:32]
        return f"{kind}-{body}-{self._seal(kind, body)}"

    def _is_sealed(self, kind: str, track_id: str) -> bool:
        claimed, _, rest = track_id.partition("-")
        body, _, seal = rest.partition("-")
        return claimed == kind and hmac.compare_digest(seal.encode(), self._seal(kind, body).encode())

    def _seal(self, kind: str, body: str) -> str:
        # The seal of an answer is that of its body alone, as cards of earlier releases carry it.
        sealed = body if kind == _ANSWER else f"{kind}-{body}"
        seal = self._sealing.copy()
        seal.update(sealed.encode())
        return seal.hexdigest()[:16]
