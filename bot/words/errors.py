"""The tree of errors. Each answers two questions: is a retry useful, and what does the user learn?

A package adds its branch in its own ``errors.py``; nothing outside `bot.app` catches `Exception`.
"""

from __future__ import annotations

from typing import ClassVar

from bot.words.phrase import Phrase, Words, phrase


class DingerpError(Exception):
    """Base of all errors that we raise on purpose.

    ``detail`` is for the operator's one log line and never holds secrets, tickets, tokens, webhook addresses or prices.
    """

    retry: ClassVar[bool] = False
    """Whether a retry may succeed without any change by a person."""
    exit_code: ClassVar[int] = 2
    """The exit code of ``dingerp`` for this error."""

    def __init__(self, detail: Words = "", *, retry_after: float | None = None) -> None:
        self.detail = str(detail)
        super().__init__(self.detail or type(self).__name__)
        self._words = detail
        self.retry_after = retry_after
        """Seconds to wait before a retry, if the other side gave them."""

    def explain(self) -> Words:
        """Return the text for the operator: ``detail``, as a phrase if the error is translated."""
        return self._words

    def tell(self) -> Phrase:
        """Return the text for the person who asked."""
        return phrase("Something went wrong on our side. It has been recorded; please try again.")


class ConfigurationError(DingerpError):
    """The operator must change the configuration; retrying in a tight loop helps nobody."""

    def tell(self) -> Phrase:
        return phrase("The bot is not set up completely. Please tell its administrator.")
