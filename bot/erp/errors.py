"""Errors of an ERP, one class per reaction (docs: platform/erp/general.md#errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase


class ErpError(DingerpError):
    """Base of all errors of a source; ``source`` names the configured ERP instance."""

    def __init__(self, detail: str = "", *, source: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.source = source


class AuthFailed(ErpError):
    """The account or key is wrong: tell the administrator and stop retrying."""

    def tell(self) -> Phrase:
        return phrase("The ERP does not accept the bot's account. Please tell its administrator.")


class AuthExpired(ErpError):
    """The session or token has expired: renew it once, then repeat the call."""

    retry: ClassVar[bool] = True


class NotPermitted(ErpError):
    """The ERP account lacks the right for this."""

    def tell(self) -> Phrase:
        return phrase("The ERP does not allow this for the account in use.")


KEY_MISSING = phrase("The bot has no key or password of this person for the ERP. Its administrator has to set one.")
KEY_REFUSED = phrase("The ERP does not accept this person's own key or password. Its administrator has to renew it.")
OWN_REQUEST = phrase("Nobody decides what they requested themselves.")


class DeciderRefused(NotPermitted):
    """The bot itself knows that this person cannot decide; ``words`` is one of the phrases above."""

    def __init__(self, words: Phrase, *, source: str = "") -> None:
        super().__init__(str(words), source=source)
        self.words = words

    def tell(self) -> Phrase:
        return self.words


class CompanyNotChosen(ErpError):
    """The account sees several companies and the source's settings name none, though a source has the books of one.

    ``companies`` are their names by what the vendor's ``setting`` says of each.
    """

    def __init__(self, companies: Mapping[str | int, str], *, setting: str = "company", source: str = "") -> None:
        self.companies = companies
        self.setting = setting
        super().__init__(f"the account sees several companies: {', '.join(companies.values())}", source=source)

    def tell(self) -> Phrase:
        return phrase("This ERP has several companies, and which one to tell of is not set. Tell its administrator.")


class NotFound(ErpError):
    """No such document or item; ``what`` is the requested one. ``notes`` say where it was not looked for."""

    def __init__(self, what: str, *, source: str = "", notes: tuple[Phrase, ...] = ()) -> None:
        super().__init__(f"not found: {what}", source=source)
        self.what = what
        self.notes = notes

    def tell(self) -> Phrase:
        return phrase("Nothing was found for “%(what)s”.", what=self.what)


class Invalid(ErpError):
    """The ERP refused the content; ``detail`` is its message."""

    def tell(self) -> Phrase:
        return phrase("The ERP refused: %(text)s", text=self.detail)


class Ambiguous(Invalid):
    """Several records of the ERP have the code or number ``what``: choosing one would be a guess."""

    def __init__(self, what: str, count: int, *, source: str = "") -> None:
        super().__init__(f"{count} records are called {what}", source=source)
        self.what = what

    def tell(self) -> Phrase:
        return phrase("The ERP has several records called “%(what)s”; which one is meant is not clear.", what=self.what)


class Conflict(ErpError):
    """The document changed since it was read."""

    def tell(self) -> Phrase:
        return phrase("The document was changed meanwhile.")


class RateLimited(ErpError):
    """Too many calls; wait ``retry_after`` seconds or back off."""

    retry: ClassVar[bool] = True

    def tell(self) -> Phrase:
        return phrase("The ERP is busy. Please ask again in a moment.")


class Unavailable(ErpError):
    """Maintenance page, HTML instead of data, refused connection or timeout of a read."""

    retry: ClassVar[bool] = True

    def tell(self) -> Phrase:
        return phrase("The ERP does not answer at the moment.")


class Unusable(ErpError):
    """The ERP's record of ``what`` failed validation: it is quarantined and not shown."""

    def __init__(self, what: str, detail: str, *, source: str = "") -> None:
        super().__init__(detail, source=source)
        self.what = what

    def tell(self) -> Phrase:
        return phrase(
            "The ERP's record of “%(what)s” cannot be right and is not shown; it was kept aside.", what=self.what
        )


class Unsupported(ErpError):
    """The ERP does not support this; a gap among its capabilities."""

    def tell(self) -> Phrase:
        return phrase("This ERP does not offer that.")


class UnknownFinish(Unsupported):
    """The ERP does not tell on which day production was finished."""

    def tell(self) -> Phrase:
        return phrase("This ERP does not tell on which day production was finished, only when it is due.")


class NotListedByProduct(Unsupported):
    """The ERP has such documents, and cannot be asked which of them have a product."""

    def tell(self) -> Phrase:
        return phrase("This ERP can't be asked which of these documents have a product.")


class UnknownRest(Unsupported):
    """The ERP does not tell what is still open of documents, so nobody knows which of them are overdue."""

    def tell(self) -> Phrase:
        return phrase("This ERP does not tell what is still open of these documents, so what is overdue is not known.")


class UnknownOutcome(ErpError):
    """A write timed out: it may or may not have been executed. Read again; never repeat blindly."""

    def tell(self) -> Phrase:
        return phrase("The ERP did not confirm in time; the result is being checked.")


_OURS = {
    str(told): told
    for told in (
        *(KEY_MISSING, KEY_REFUSED, OWN_REQUEST),
        *(AuthFailed().tell(), NotPermitted().tell(), Conflict().tell(), RateLimited().tell()),
        *(Unavailable().tell(), Unsupported().tell(), UnknownOutcome().tell()),
    )
}


def own_words(text: str) -> Phrase | str:
    """Return what a stored text says: our phrase if it is the English of one, else the ERP's words as they are."""
    return _OURS.get(text, text)
