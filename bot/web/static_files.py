"""Files that pages bring along: stylesheets, scripts and pictures, read once."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bot.cards.language import TEMPLATES

PAGE_TEMPLATES = TEMPLATES / "pages"
"""The templates of pages; their files are below."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file with its media type; another ``version`` is another content."""

    content: bytes
    media: str
    version: str


def read_static_files(folder: Path = PAGE_TEMPLATES / "static") -> Mapping[str, StaticFile]:
    """Return the files of a folder by their names."""
    found = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        text = f"{media}; charset=utf-8" if media.startswith("text/") else media
        found[path.name] = StaticFile(content, text, hashlib.sha256(content).hexdigest()[:12])
    return MappingProxyType(found)
