"""What can go wrong between processes that work on the same case."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import DingerpError


class CaseTaken(DingerpError):
    """Another process changed the case first: read again and do it anew."""

    retry: ClassVar[bool] = True
