"""Pictures from people: the codes in them are looked up as if typed."""

from __future__ import annotations

from typing import Protocol

from bot.chat.message import Picture
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

TOO_LARGE = phrase("This picture is too large. Please send a smaller one, or type the number.")
NO_PICTURE = phrase("This file is not a picture that I can open. Please send a photo, or type the number.")
TOO_SLOW = phrase("Reading this picture takes too long. Please send a closer photo of the code, or type the number.")
NO_CODE = phrase(
    "I found no barcode or QR code in this picture. Please take it closer and sharper, or type the number."
)
CODE_TOO_LONG = phrase("The code in this picture holds no number that I can look up. Please type the number.")
NOT_FETCHED = phrase("I cannot get this picture from DingTalk. Please send it again, or type the number.")
CALLS_SPARED = phrase("DingTalk's calls of this month are running out, so I read no pictures. Please type the number.")


class PictureUnreadable(DingerpError):
    """A picture contains nothing to look up; ``problem`` says why."""

    def __init__(self, problem: Phrase, detail: str = "") -> None:
        super().__init__(detail or str(problem))
        self.problem = problem

    def tell(self) -> Phrase:
        return self.problem


class PictureReader(Protocol):
    """Finds the barcodes and QR codes in pictures."""

    async def codes_in(self, picture: Picture) -> tuple[str, ...]:
        """Return the contents of the codes, each once; empty if there are none.

        Raises `PictureUnreadable` for anything but a picture of a reasonable size; other `DingerpError` if it cannot be
        fetched.
        """
        ...
