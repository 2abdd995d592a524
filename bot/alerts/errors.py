"""What can go wrong where events come in."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import DingerpError


class Undecodable(DingerpError):
    """A body that is no JSON; ``detail`` says where it ends to be some and repeats nothing of it."""


class Unsigned(DingerpError):
    """A hand-over whose sender did not prove who it is; ``detail`` says what was missing or wrong, without secrets."""


class IntakeFull(DingerpError):
    """So much waits to be stored that nothing more is taken for ``retry_after`` seconds."""

    retry: ClassVar[bool] = True
