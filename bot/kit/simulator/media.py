"""Files: uploaded by the bot (media ids), or sent by people (download codes)."""

from __future__ import annotations

import random
from dataclasses import dataclass

_KEPT = 500


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Content as received."""

    name: str
    content_type: str
    content: bytes


class MediaStore:
    """The last few hundred files by media id or download code."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._files: dict[str, StoredFile] = {}

    def add_media(self, file: StoredFile) -> str:
        """Store a file uploaded by the bot; the id starts with ``@lAD`` like DingTalk's."""
        return self._add(f"@lAD{self._rng.getrandbits(120):030x}", file)

    def add_received(self, file: StoredFile) -> str:
        """Store a file sent by a person; returns the download code for the callback."""
        return self._add(f"mIof{self._rng.getrandbits(160):040x}", file)

    def get(self, key: object) -> StoredFile | None:
        """Return the file behind a media id or download code."""
        return self._files.get(key) if isinstance(key, str) else None

    def clear(self) -> None:
        """Remove all files."""
        self._files.clear()

    def _add(self, key: str, file: StoredFile) -> str:
        self._files[key] = file
        if len(self._files) > _KEPT:
            del self._files[next(iter(self._files))]
        return key
