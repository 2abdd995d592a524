"""/rules: which rules are in force, since when and by whom, and what waits to be published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.cards.view import View
from bot.chat.colleagues import Colleagues
from bot.chat.registry import command
from bot.chat.rule_changes import RuleChanges, RulesOfFile
from bot.chat.rule_proposals import SUBJECTS
from bot.words.phrase import Phrase, Words, phrase

DIGEST_CHARACTERS = 12
"""Of a digest, as people compare them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFileState:
    """One rule file. ``published_at`` and ``publisher`` are of its newest version, ``defect`` says why the file as it
    lies there is not in force.
    """

    subject: str
    name: Phrase
    state: Phrase
    digest: str
    published_at: datetime | None = None
    publisher: str = ""
    reason: str = ""
    version: int = 0
    defect: Words = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesOverview(View):
    """All rule files; ``waiting`` changes are proposed and not published."""

    card: ClassVar[str] = "rules_overview"

    rows: tuple[RuleFileState, ...]
    waiting: int


@command(
    "rules",
    aliases=("规则",),
    examples=("/rules", "/规则"),
    shows=(),
    changes=False,
    slashed=True,
    summary=phrase("Which rules are in force, since when and by whom"),
    place=89,
    personal=True,
    reserved=True,
)
async def rules(*, changes: RuleChanges, colleagues: Colleagues) -> View:
    """Show the rule files."""
    files = [await changes.in_force(subject) for subject in SUBJECTS]
    return RulesOverview(
        rows=tuple([await _shown(file, colleagues) for file in files]), waiting=len(await changes.open())
    )


async def _shown(file: RulesOfFile, colleagues: Colleagues) -> RuleFileState:
    version = file.version if file.version is not None and file.version.sha256 == file.sha256 else None
    by = (version.publisher or version.author) if version else ""
    people = await colleagues.lookup((by,)) if by else ()
    return RuleFileState(
        subject=file.subject.value,
        name=SUBJECTS[file.subject],
        state=_state(file),
        digest=file.sha256[:DIGEST_CHARACTERS],
        published_at=version.published_at if version else None,
        publisher=next((person.name for person in people), by),
        reason=version.reason if version else "",
        version=version.number if version else 0,
        defect=file.defect,
    )


def _state(file: RulesOfFile) -> Phrase:
    if file.defect:
        return phrase("older rules are in force")
    return phrase("the file is in force") if file.has_file else phrase("the default rules are in force")
