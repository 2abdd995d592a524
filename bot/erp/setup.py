"""What is wrong with the set-up of a source: each problem in one sentence, with one remedy.

The running bot meets such problems one question at a time. ``dingerp erp check`` and the doctor look for them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    CompanyNotChosen,
    ErpError,
    NotPermitted,
    RateLimited,
    Unavailable,
)
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupProblem:
    """One thing that is wrong. ``is_fatal``: nothing that the source says can be relied on until it is mended."""

    words: Phrase
    remedy: Phrase
    is_fatal: bool = False


@runtime_checkable
class SetupInspector(Protocol):
    """What an adapter may offer besides the port: to look at its company, its language and its approvers' keys."""

    async def setup_problems(self) -> Sequence[SetupProblem]:
        """Return what is wrong with the set-up of a source that answers; raises what a read raises."""
        ...


def unreachable(error: ErpError, source: str) -> SetupProblem:
    """Return why a source cannot be used at all."""
    said = error.detail or type(error).__name__
    match error:
        case AuthFailed() | AuthExpired():
            words = phrase("The ERP does not accept the bot's account: %(said)s", said=said)
            remedy = phrase(
                "Check user, key and database in [erp.%(source)s], and whether the key has expired.", source=source
            )
        case CompanyNotChosen():
            words = phrase(
                "The account sees several companies, and [erp.%(source)s] names none: a source has the books of one.",
                source=source,
            )
            remedy = phrase(
                "Write a section for each, with all lines of [erp.%(source)s] and its own company:\n%(lines)s",
                source=source,
                lines=sections_of(error.companies, error.setting),
            )
        case NotPermitted():
            words = phrase("The bot's account lacks the right to log in: %(said)s", said=said)
            remedy = phrase("Give the account the rights in the README of the ERP's adapter.")
        case Unavailable() | RateLimited():
            words = phrase("The ERP does not answer: %(said)s", said=said)
            remedy = phrase(
                "Check url and database in [erp.%(source)s], and whether this machine reaches the ERP.", source=source
            )
        case _:
            words = phrase("The ERP refuses the settings: %(said)s", said=said)
            remedy = phrase(
                "Compare the settings in [erp.%(source)s] with the README of the ERP's adapter.", source=source
            )
    return SetupProblem(words=words, remedy=remedy, is_fatal=True)


def sections_of(companies: Mapping[str | int, str], setting: str) -> str:
    """Return the lines of the settings that make a source of each company, called as people call it."""
    sections = (
        f"[erp.{json.dumps(name, ensure_ascii=False)}]\n{setting} = {json.dumps(key, ensure_ascii=False)}"
        for key, name in companies.items()
    )
    return "\n".join(sections)


def no_company(company: object, known: Sequence[str], source: str) -> SetupProblem:
    """Return the problem that the account does not see the configured company."""
    names = ", ".join(known)
    words = (
        phrase("The account sees no company %(company)s; it sees: %(names)s.", company=str(company), names=names)
        if names
        else phrase("The account sees no company %(company)s.", company=str(company))
    )
    return SetupProblem(
        words=words, remedy=phrase("Correct company in [erp.%(source)s].", source=source), is_fatal=True
    )


def no_language(language: str, source: str) -> SetupProblem:
    """Return that the configured language is not installed."""
    return SetupProblem(
        words=phrase("The language %(language)s is not installed in the ERP.", language=language),
        remedy=phrase("Install it there, or correct language in [erp.%(source)s].", source=source),
        is_fatal=True,
    )


async def approver_problems(
    approvers: Sequence[str], owner: Callable[[str], Awaitable[str]], source: str
) -> list[SetupProblem]:
    """Return the approvers whose keys are refused or belong to somebody else.

    ``owner`` returns the account to which an approver's key belongs. Raises `Unavailable` and `RateLimited`.
    """
    found: list[SetupProblem] = []
    for person in approvers:
        remedy = phrase(
            "Make a new key for %(person)s and set it in [erp.%(source)s.approvers].", person=person, source=source
        )
        try:
            account = await owner(person)
        except (AuthFailed, AuthExpired, NotPermitted) as error:
            said = error.detail
            words = phrase("The ERP refuses the key of the approver %(person)s: %(said)s", person=person, said=said)
            found.append(SetupProblem(words=words, remedy=remedy))
            continue
        if account.casefold() != person.casefold():
            words = phrase("The key of the approver %(person)s belongs to %(account)s.", person=person, account=account)
            found.append(SetupProblem(words=words, remedy=remedy))
    return found
