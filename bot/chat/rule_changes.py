"""Rules that are changed on pages: proposed, published into the same file that an editor would write, and kept.

A version goes ``proposed`` → ``publishing`` → the file is replaced in one step → it is read again → ``published``.
Whatever a crash leaves in between, the file is whole, and says by its digest whether the version is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.access.audit import AuditEntry, AuditKind, AuditLog, NotRecorded, RequiredAudit
from bot.rulefiles.document import MAX_BYTES
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.followed_file import FileInForce, FollowedFile
from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState, as_whole, digest_of_content
from bot.rulefiles.writing import (
    RuleChangeRefused,
    RuleFileOvertaken,
    digest_on_disk,
    find_obstacle,
    read_rule_file,
    write_rule_file,
)
from bot.words.phrase import Words, phrase

MOST_REASON = 200
"""Characters of a reason."""
MOST_OPEN = 20
"""Proposals that are shown, and may wait at the same time."""


class RuleVersionStore(Protocol):
    """Keeps versions; implemented by `bot.store.rule_versions`. Raises a `DingerpError` when the store is away."""

    async def add(self, version: RuleVersion) -> RuleVersion:
        """Keep a version, and return it with its number."""
        ...

    async def find(self, number: int) -> RuleVersion | None: ...

    async def published(self, subject: RuleSubject, *, before: int = 0, limit: int = 1) -> Sequence[RuleVersion]:
        """Return the versions that came into force, the newest first; ``before`` is a number, 0 for all."""
        ...

    async def open(self, limit: int) -> Sequence[RuleVersion]:
        """Return what is proposed or being published, the newest first."""
        ...

    async def claim(self, version: RuleVersion, publisher: str, now: datetime) -> bool:
        """Begin to publish a proposed version; False if it is none any more, or another of its subject is under way."""
        ...

    async def settle(self, version: RuleVersion, state: VersionState, now: datetime | None = None) -> None:
        """Tell how a publication ended: ``now`` is when it came into force, None if it did not."""
        ...

    async def withdraw(self, number: int) -> bool:
        """Withdraw a proposed version; False if it is none any more."""
        ...

    async def note(self, subject: RuleSubject, content: bytes, now: datetime) -> None:
        """Keep what is in force: as the version that was being published, or as changed from outside."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesOfFile:
    """The rules of one file as they are in force, and the file as it lies there."""

    subject: RuleSubject
    path: Path
    has_file: bool
    """Whether the rules in force are of a file; otherwise they are the default."""
    target: Path
    """The file that is written: another one if the rules in force are ready ones that nobody edits."""
    sha256: str
    on_disk: str
    """The digest of the file now, empty if there is none."""
    base: str
    """The digest of the file that would be replaced, empty if there is none."""
    text: str
    """The file's text now, as the page's editor begins with it."""
    defect: Words
    """Why the file on disk is not in force; empty if it is."""
    obstacle: Words
    """Why the file cannot be written here; empty if it can."""
    unread: Path | None
    version: RuleVersion | None
    """The newest version that is kept."""

    @property
    def differs(self) -> bool:
        """Whether the file on disk is another one than the one in force."""
        return self.on_disk != self.sha256


class RuleChanges:
    """Shows, checks, proposes and publishes rules; who may do that is asked by the pages."""

    def __init__(
        self,
        files: Mapping[RuleSubject, FollowedFile[Any]],
        store: RuleVersionStore,
        *,
        second_person: bool,
        proposed: Callable[[RuleVersion], Awaitable[object]],
        ready: Collection[Path],
        audit: AuditLog,
        required: RequiredAudit | None,
        now: Callable[[], datetime],
    ) -> None:
        """``proposed`` tells the other administrators of a version that one of them has to publish. The files in
        ``ready`` hold where a company has none of its own, and are not written.
        """
        self._files = files
        self._store = store
        self.second_person = second_person
        self._proposed = proposed
        self._ready = ready
        self._audit = audit
        self._required = required
        self._now = now
        self._publishing = asyncio.Lock()

    async def in_force(self, subject: RuleSubject) -> RulesOfFile:
        """Return what is in force, beside what lies on disk. Raises a `DingerpError`."""
        file = self._files[subject]
        found = file.in_force
        content = b""
        unreadable: Words = ""
        try:
            content = await asyncio.to_thread(read_rule_file, file.path)
        except RuleChangeRefused as refused:
            unreadable = refused.reason
        there = digest_of_content(content) if content or file.path.exists() else ""
        defect = unreadable or file.defect
        if not defect and there != found.sha256:
            defect = phrase("it was changed just now, and is being read") if there else phrase("the file is gone")
        newest = await self._store.published(subject)
        target = self._target(file)
        base = there if target == file.path else await asyncio.to_thread(digest_on_disk, target)
        return RulesOfFile(
            subject=subject,
            path=file.path,
            target=target,
            base=base,
            has_file=found.path is not None,
            sha256=found.sha256,
            on_disk=there,
            text=content.decode("utf-8-sig", "replace").replace("\r\n", "\n"),
            defect=defect,
            obstacle=await asyncio.to_thread(find_obstacle, target),
            unread=file.unread,
            version=newest[0] if newest else None,
        )

    def _target(self, file: FollowedFile[Any]) -> Path:
        own = [place for place in file.places if place not in self._ready]
        return file.path if file.path in own else own[-1]

    async def versions(self, subject: RuleSubject, *, limit: int) -> Sequence[RuleVersion]:
        """Return the versions that came into force, the newest first."""
        return await self._store.published(subject, limit=limit)

    async def open(self) -> Sequence[RuleVersion]:
        """Return what is proposed."""
        return await self._store.open(MOST_OPEN)

    async def find(self, number: int) -> RuleVersion | None:
        """Return a version."""
        return await self._store.find(number)

    async def check(self, subject: RuleSubject, text: str) -> FileInForce[Any]:
        """Return what would be in force with a text. Raises `RulesError` with every error and its line."""
        return await asyncio.to_thread(self._files[subject].review, as_whole(text).encode())

    async def propose(self, subject: RuleSubject, text: str, *, base: str, reason: str, by: str) -> RuleVersion:
        """Keep a text that has no errors as proposed, written from the file with the digest ``base``.

        Raises `RulesError`; `RuleFileOvertaken` if the file is another one by now; and `RuleChangeRefused`.
        """
        written = as_whole(text)
        if len(written.encode()) > MAX_BYTES:
            raise RulesError(str(self._files[subject].path), (RuleProblem(1, phrase("the text is too long")),))
        now_there = await self.in_force(subject)
        if now_there.base != base:
            raise RuleFileOvertaken()
        await self.check(subject, written)
        digest = digest_of_content(written.encode())
        if digest == now_there.sha256 and not now_there.differs:
            raise RuleChangeRefused(phrase("The rules in force say the same already. There is nothing to publish."))
        if len(await self._store.open(MOST_OPEN)) >= MOST_OPEN:
            raise RuleChangeRefused(phrase("Too many changes wait already. Publish or withdraw one of them first."))
        version = await self._store.add(
            RuleVersion(
                subject=subject,
                state=VersionState.PROPOSED,
                text=written,
                sha256=digest,
                base=base,
                author=by,
                reason=" ".join(reason.split())[:MOST_REASON],
                made_at=self._now(),
            )
        )
        self._record(version, by, "proposed")
        if self.second_person:
            await self._proposed(version)
        return version

    def may_publish(self, version: RuleVersion, user_id: str) -> bool:
        """Return whether an administrator may publish a version: where a second person is asked for, not its author."""
        return not self.second_person or version.author != user_id

    async def withdraw(self, version: RuleVersion, *, by: str) -> None:
        """Withdraw a proposal. Raises `RuleChangeRefused` if it is none any more."""
        if not await self._store.withdraw(version.number):
            raise _settled()
        self._record(version, by, "withdrawn")

    async def publish(self, version: RuleVersion, *, by: str) -> None:
        """Write the file, read it again as after any edit, and return when the version is in force.

        Raises `RuleFileOvertaken`, `RulesError` and `RuleChangeRefused`; then the old rules are in force, whole.
        """
        if not self.may_publish(version, by):
            raise RuleChangeRefused(phrase("Another administrator has to publish what you have written."))
        if self._required is not None and not await self._required.can_write():
            raise NotRecorded
        async with self._publishing:
            file = self._files[version.subject]
            await self.check(version.subject, version.text)
            if not await self._store.claim(version, by, self._now()):
                raise _settled()
            try:
                content = version.text.encode()
                await asyncio.to_thread(write_rule_file, self._target(file), content, expected=version.base)
                await asyncio.to_thread(file.read_again)
                if file.in_force.sha256 != version.sha256:
                    not_in_force = phrase("The file was written, and is not in force: %(why)s", why=file.defect)
                    raise RuleChangeRefused(not_in_force)
            except RuleChangeRefused:
                await self._store.settle(version, VersionState.PROPOSED)
                raise
            await self._store.settle(version, VersionState.PUBLISHED, self._now())
            self._record(version, by, "published")

    def _record(self, version: RuleVersion, actor: str, outcome: str) -> None:
        author = f", written by {version.author}" if version.author != actor else ""
        self._audit.record(
            AuditEntry(
                kind=AuditKind.RULES,
                at=self._now(),
                actor=actor,
                action=self._files[version.subject].path.name,
                outcome=outcome,
                detail=f"sha256 {version.sha256}; version {version.number}{author}",
            )
        )


def _settled() -> RuleChangeRefused:
    return RuleChangeRefused(
        phrase("This change was published or withdrawn already, or another one is being published. Look again.")
    )
