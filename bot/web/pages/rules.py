"""The rule files: what is in force, every version of it, and changing it as an editor would.

For administrators alone. A change is proposed, looked at beside what is in force, confirmed in one's own chat, and only
then published: see `bot.chat.rule_changes` and `bot.chat.confirmations`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from aiohttp import web

from bot.access.people import Person
from bot.chat.confirmations import ConfirmationRefused, Confirmations, ConfirmationState
from bot.chat.rule_changes import MOST_REASON, RuleChanges, RulesOfFile
from bot.chat.rule_proposals import SUBJECTS
from bot.efficiency.findings import Finding, RuleEdit
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.followed_file import FileInForce
from bot.rulefiles.rehearsal import Rehearsal
from bot.rulefiles.versions import DiffLine, RuleSubject, RuleVersion, VersionState, compare_texts
from bot.rulefiles.writing import RuleChangeRefused, RuleFileOvertaken
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import Words, phrase

RULES = "/rules"
CHANGE = f"{RULES}/change/"
MOST_FORM = 1_000_000
"""Bytes of a form with a whole file in it."""
_MOST_LINES = 2_000
"""Of a comparison that is shown."""
_VERSIONS = 50
UNCONFIRMED = phrase("This was not confirmed in your chat, or too long ago. Nothing was published.")
_SHOWN_PROBLEMS = 50

SUMMARIES = {
    RuleSubject.ACCESS: phrase("Who may use which command, and which figures they see."),
    RuleSubject.ALERTS: phrase("Which alerts go where, when, and how often."),
    RuleSubject.APPROVALS: phrase("Who decides which documents."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    """A version as a page shows it."""

    version: RuleVersion
    author: str
    publisher: str
    when: str
    is_in_force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProblem:
    """An error or warning, with the line of the text that it is about."""

    line: int
    words: Words
    text: str
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody has typed. ``base`` is the digest of the file that it was written from, ``finding`` the id of the
    finding that it began with, if it did.
    """

    text: str
    base: str
    reason: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class RulePages:
    """Serves these pages."""

    changes: RuleChanges
    confirmations: Confirmations
    name_of: Callable[[str], Awaitable[str]]
    rehearse: Callable[[RuleSubject, FileInForce[Any], Person], Awaitable[Rehearsal]]
    """Says what rules would change, as somebody may see it."""
    find: Callable[[str], Awaitable[Finding | None]]
    """Returns a finding by its id."""
    note_proposal: Callable[[str, str], Awaitable[None]]
    """Is told the id of a finding whose draft was proposed, and the text."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """All of them."""
        return (
            Page(path=RULES, show=self.show, title=phrase("Rules"), for_administrators=True),
            Page(path=f"{CHANGE}{{number}}", show=self.show_change, send=self.decide, for_administrators=True),
            Page(path=f"{RULES}/{{subject}}/versions", show=self.show_versions, for_administrators=True),
            Page(
                path=f"{RULES}/{{subject}}",
                show=self.show_editor,
                send=self.take_draft,
                for_administrators=True,
                most_bytes=MOST_FORM,
            ),
        )

    async def show(self, visit: Visit) -> web.Response:
        """Show the files as they are in force, and what is proposed."""
        files = [(await self.changes.in_force(subject)) for subject in RuleSubject]
        shown = [(rules, await self._shown(visit, rules.version)) for rules in files]
        waiting = [await self._shown(visit, version) for version in await self.changes.open()]
        return visit.draw("rules", files=shown, waiting=waiting, subjects=SUBJECTS, summaries=SUMMARIES)

    async def show_editor(self, visit: Visit) -> web.Response:
        """Show a file to be edited; of a finding with its remedy as the draft, which is made here and rehearsed."""
        subject = _subject(visit)
        if subject is None:
            return visit.go(RULES)
        rules = await self.changes.in_force(subject)
        draft = Draft(text=rules.text, base=rules.base)
        number = visit.query.get("finding", "")
        if not number:
            return await self._editor(visit, rules, draft)
        finding = await self.find(number)
        edit = finding.remedy if finding is not None else None
        if finding is None or not isinstance(edit, RuleEdit) or edit.subject is not subject or rules.differs:
            over = phrase("This finding is over: the figures or the rules have changed since.")
            return await self._editor(visit, rules, draft, over, status=HTTPStatus.CONFLICT)
        reason = visit.say(finding.seen)[:MOST_REASON]
        return await self._rehearsed(visit, rules, replace(draft, text=edit.text, reason=reason, finding=finding.id))

    async def take_draft(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        """Check, compare or propose what was typed. It stays as it was typed, whatever becomes of it."""
        subject = _subject(visit)
        if subject is None:
            return visit.go(RULES)
        rules = await self.changes.in_force(subject)
        draft = Draft(
            text=fields.get("text", "").replace("\r\n", "\n"),
            base=fields.get("base", ""),
            reason=" ".join(fields.get("reason", "").split())[:MOST_REASON],
            finding=fields.get("finding", ""),
        )
        doing = fields.get("do", "")
        if doing == "propose":
            return await self._propose(visit, rules, draft)
        if doing == "rehearse":
            return await self._rehearsed(visit, rules, draft)
        return await self._editor(visit, rules, draft, compared=doing == "compare")

    async def _rehearsed(self, visit: Visit, rules: RulesOfFile, draft: Draft) -> web.Response:
        """Show a draft with what it would change."""
        compared = bool(draft.finding)
        try:
            found = await self.changes.check(rules.subject, draft.text)
            rehearsed = await self.rehearse(rules.subject, found, visit.person)
        except RulesError:
            return await self._editor(visit, rules, draft)  # which shows the errors
        except RuleChangeRefused as refused:
            status = HTTPStatus.CONFLICT
            return await self._editor(visit, rules, draft, refused.tell(), compared=compared, status=status)
        return await self._editor(visit, rules, draft, compared=compared, rehearsed=rehearsed)

    async def show_versions(self, visit: Visit) -> web.Response:
        """Show the versions that came into force, and how two of them differ."""
        subject = _subject(visit)
        if subject is None:
            return visit.go(RULES)
        rules = await self.changes.in_force(subject)
        found = await self.changes.versions(subject, limit=_VERSIONS)
        shown = [await self._shown(visit, version, rules) for version in found]
        old, new = [await self._version(visit.query.get(name, ""), subject) for name in ("old", "new")]
        before = {version.number: earlier.number for version, earlier in pairwise(found)}
        return visit.draw(
            "rule_versions",
            rules=rules,
            title=SUBJECTS[subject],
            versions=shown,
            before=before,
            old=old,
            new=new,
            lines=_compared(old.text, new.text) if old and new else (),
            is_cut=len(found) == _VERSIONS,
        )

    async def show_change(self, visit: Visit) -> web.Response:
        """Show a change beside what is in force now."""
        version = await self._version(visit.request.match_info["number"])
        return visit.go(RULES) if version is None else await self._change(visit, version)

    async def decide(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        """Confirm, publish, withdraw or renew a change."""
        version = await self._version(visit.request.match_info["number"])
        if version is None:
            return visit.go(RULES)
        by = visit.visitor.session.user_id
        try:
            match fields.get("do", ""):
                case "confirm":
                    if not self.changes.may_publish(version, by):
                        return await self._change(visit, version, status=HTTPStatus.FORBIDDEN)
                    return await self._confirm(visit, version)
                case "publish":
                    if not await self.confirmations.spend(visit.visitor, _about(version)):
                        unconfirmed = phrase(
                            "This was not confirmed in your chat, or too long ago. Nothing was published."
                        )
                        return await self._change(visit, version, unconfirmed, HTTPStatus.FORBIDDEN)
                    await self.changes.publish(version, by=by)
                case "withdraw":
                    await self.changes.withdraw(version, by=by)
                case "renew":
                    return await self._renew(visit, version)
                case "back":
                    rules = await self.changes.in_force(version.subject)
                    why = visit.say(phrase("Back to version %(num)s", num=str(version.number)))
                    return await self._propose(visit, rules, Draft(text=version.text, base=rules.base, reason=why))
        except RulesError as error:
            return await self._change(visit, version, error.explain(), HTTPStatus.CONFLICT)
        except (RuleChangeRefused, ConfirmationRefused) as refused:
            return await self._change(visit, version, refused.reason, HTTPStatus.CONFLICT)
        return visit.go(f"{CHANGE}{version.number}")

    async def _renew(self, visit: Visit, version: RuleVersion) -> web.Response:
        """Propose the same text for the file as it is now."""
        rules = await self.changes.in_force(version.subject)
        await self.changes.withdraw(version, by=visit.visitor.session.user_id)
        return await self._propose(visit, rules, Draft(text=version.text, base=rules.base, reason=version.reason))

    async def _propose(self, visit: Visit, rules: RulesOfFile, draft: Draft) -> web.Response:
        if not draft.reason:
            why = phrase("Say in a few words why: it stands beside the version for good.")
            return await self._editor(visit, rules, draft, why, compared=True, status=HTTPStatus.BAD_REQUEST)
        by = visit.visitor.session.user_id
        try:
            version = await self.changes.propose(rules.subject, draft.text, base=draft.base, reason=draft.reason, by=by)
        except RulesError:
            wrong = phrase("There are errors, so nothing was published.")
            return await self._editor(visit, rules, draft, wrong, status=HTTPStatus.BAD_REQUEST)
        except RuleFileOvertaken as overtaken:
            rules = await self.changes.in_force(rules.subject)
            renewed = replace(draft, base=rules.base)
            return await self._editor(
                visit, rules, renewed, overtaken.reason, compared=True, status=HTTPStatus.CONFLICT
            )
        except RuleChangeRefused as refused:
            return await self._editor(visit, rules, draft, refused.reason, status=HTTPStatus.CONFLICT)
        if draft.finding:
            await self.note_proposal(draft.finding, version.text)
        if draft.finding and self.changes.may_publish(version, by):
            # Its difference and its rehearsal were shown already.
            return await self._confirm(visit, version)
        return visit.go(f"{CHANGE}{version.number}")

    async def _confirm(self, visit: Visit, version: RuleVersion) -> web.Response:
        words = phrase("Publish %(rules)s, version %(num)s", rules=SUBJECTS[version.subject], num=str(version.number))
        try:
            await self.confirmations.ask(visit.visitor, _about(version), words)
        except ConfirmationRefused as refused:
            return await self._change(visit, version, refused.reason, HTTPStatus.CONFLICT)
        return visit.go(f"{CHANGE}{version.number}")

    async def _editor(
        self,
        visit: Visit,
        rules: RulesOfFile,
        draft: Draft,
        problem: Words = "",
        *,
        compared: bool = False,
        rehearsed: Rehearsal | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> web.Response:
        found = await self._check(rules.subject, draft.text)
        return visit.draw(
            "rule_editor",
            status=status,
            rules=rules,
            title=SUBJECTS[rules.subject],
            draft=draft,
            problem=problem,
            found=found,
            is_wrong=any(each.is_error for each in found),
            compared=compared,
            rehearsed=rehearsed,
            lines=_compared(rules.text, draft.text) if compared else (),
            in_force=await self._shown(visit, rules.version, rules),
            most_reason=MOST_REASON,
        )

    async def _change(
        self,
        visit: Visit,
        version: RuleVersion,
        problem: Words = "",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> web.Response:
        # What has become of it is read again, not taken from what was sent.
        version = await self.changes.find(version.number) or version
        rules = await self.changes.in_force(version.subject)
        is_open = version.state is VersionState.PROPOSED
        may = self.changes.may_publish(version, visit.visitor.session.user_id)
        asked = await self.confirmations.state(visit.visitor, _about(version)) if is_open and may else None
        waits = asked is ConfirmationState.ASKED and not problem
        return visit.draw(
            "rule_change",
            status=status,
            refresh=visit.address(f"{CHANGE}{version.number}") if waits else "",
            rules=rules,
            title=SUBJECTS[version.subject],
            shown=await self._shown(visit, version, rules),
            version=version,
            problem=problem,
            is_open=is_open,
            may_publish=may,
            asked=asked.value if asked else "",
            is_overtaken=is_open and version.base != rules.base,
            lines=_compared(rules.text, version.text) if is_open else (),
        )

    async def _check(self, subject: RuleSubject, text: str) -> Sequence[ShownProblem]:
        try:
            found = await self.changes.check(subject, text)
        except RulesError as error:
            return _problems(error.problems, text, is_error=True)
        return _problems(found.review.warnings, text, is_error=False)

    async def _version(self, number: str, subject: RuleSubject | None = None) -> RuleVersion | None:
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            return None
        found = await self.changes.find(int(number))
        return found if found is not None and subject in (None, found.subject) else None

    async def _shown(
        self, visit: Visit, version: RuleVersion | None, rules: RulesOfFile | None = None
    ) -> ShownVersion | None:
        if version is None:
            return None
        at = (version.published_at or version.made_at).astimezone(visit.now.tzinfo)
        return ShownVersion(
            version=version,
            author=await self.name_of(version.author) if version.author else "",
            publisher=await self.name_of(version.publisher) if version.publisher else "",
            when=visit.language.show(at),
            is_in_force=rules is not None and rules.sha256 == version.sha256,
        )


def _subject(visit: Visit) -> RuleSubject | None:
    try:
        return RuleSubject(visit.request.match_info["subject"])
    except ValueError:
        return None


def _about(version: RuleVersion) -> str:
    """Return what a confirmation is about: this very text."""
    return f"rules:{version.number}:{version.sha256}"


def _problems(found: Sequence[RuleProblem], text: str, *, is_error: bool) -> list[ShownProblem]:
    lines = text.splitlines()
    return [
        ShownProblem(
            line=problem.line,
            words=problem.reason,
            text=lines[problem.line - 1] if problem.line <= len(lines) else "",
            is_error=is_error,
        )
        for problem in found[:_SHOWN_PROBLEMS]
    ]


def _compared(before: str, after: str) -> Sequence[DiffLine]:
    lines = compare_texts(before, after)
    return lines if len(lines) <= _MOST_LINES else (*lines[:_MOST_LINES], DiffLine("…"))
