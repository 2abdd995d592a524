"""Card ids: the same question always gets the same id, and only we can have made it.

The id is what makes an answer happen once: DingTalk never shows a second card for an id that it knows (DingTalk
sheet, 5.4), so an answer may be repeated after a crash or a time-out. The seal tells our cards from foreign ones.
"""

from __future__ import annotations

import hashlib
import hmac

_KIND = "q1"


class TrackIds:
    """Makes and recognises the ``outTrackId`` of answers; ``key`` is the app's secret."""

    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(b"card-track-id\0" + key.encode()).digest()

    def for_message(self, msg_id: str) -> str:
        """Return the id of the answer to this message."""
        body = hashlib.sha256(msg_id.encode()).hexdigest()[:32]
        return f"{_KIND}-{body}-{self._seal(body)}"

    def is_ours(self, track_id: str) -> bool:
        """Whether this bot made the id."""
        kind, _, rest = track_id.partition("-")
        body, _, seal = rest.partition("-")
        return kind == _KIND and hmac.compare_digest(seal.encode(), self._seal(body).encode())

    def _seal(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()[:16]
