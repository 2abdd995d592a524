"""What came of somebody's word, as the card that answers them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.access.policy import AccessPolicy
from bot.approvals.asking import Approvals, Folder
from bot.approvals.case import Case, CaseState
from bot.approvals.drawing import LIMIT, Remark, draw_said, has_money, people_of
from bot.approvals.elsewhere import decided, withdrawn
from bot.approvals.showing import Showing
from bot.approvals.views import ApprovalSaid, ApprovalView, Face
from bot.approvals.voting import Said, Voted
from bot.chat.asking import Asking
from bot.chat.errors import NothingFound
from bot.chat.registry import Commands
from bot.phrase import Phrase, phrase

_LOOK_SECONDS, _SAID_SECONDS = 1.2, 0.3
"""How long a click's answer waits for the order and what is known about it: of its two seconds, where a word was
recorded, reading the ERP has taken its part."""


def face_of(folder: Folder, commands: Commands, policy: AccessPolicy, asking: Asking) -> Face:
    """Return whether the asker may see prices in this answer: alone, and as one who is asked or who may ask ``/po``."""
    if not asking.is_private:
        return Face.BARE
    concerned = asking.person.user_id in {*people_of(folder.case), *folder.waited}
    usable = concerned or any(one.name == "po" for one in commands.usable(policy, asking))
    return Face.PRICED if usable else Face.BARE


@dataclass(frozen=True, slots=True)
class Clerk:
    """Answers one question about one case."""

    approvals: Approvals
    showing: Showing
    face: Face
    asking: Asking

    async def show(
        self, folder: Folder, remark: Remark | None = None, *, seconds: float = _LOOK_SECONDS
    ) -> ApprovalView:
        """Return the case as the asker may see it here; ``seconds`` counts for clicks only."""
        return await self.showing.draw(
            folder,
            face=self.face,
            # Everybody sees what is typed in a group, so nobody's own state decides about its buttons.
            user_id=self.asking.person.user_id or "" if self.asking.is_private else "",
            remark=remark,
            offset=self.asking.offset,
            seconds=seconds if self.asking.clicked else None,
        )

    async def answer(self, voted: Voted, *, done: Phrase | None = None, retry: str = "") -> ApprovalView | ApprovalSaid:
        """Return the case as it is now, with what came of the asker's word; typed words that count get a short answer.

        ``done`` is said when it counts; ``retry`` asks again when the ERP was silent. Raises `NothingFound` for a case
        that there is not.
        """
        shown = voted.fresh or voted.case
        folder = await self.approvals.find(shown.id) if shown is not None else None
        if folder is None:
            raise NothingFound(self.asking.line)
        counts = voted.said in (Said.RECORDED, Said.DECIDED)
        note = done if done is not None and counts else note_of(voted)
        if note is not None and self.face is Face.BARE and has_money(note):
            note = LIMIT
        sure, silent = voted.said is Said.CONFIRM, voted.said is Said.SILENT
        remark = Remark(note=note, ask=voted.ask, sure=sure, retry=retry if silent else "")
        view = await self.show(folder, remark, seconds=_SAID_SECONDS)
        # A card that was clicked is brought up to date with all others of its case; the answer to a line is not.
        return draw_said(view, note) if counts and note is not None and not self.asking.clicked else view


def note_of(voted: Voted) -> Phrase | None:
    """Return what a person is told of their word."""
    match voted.said:
        case Said.RECORDED:
            return phrase("Recorded. Others have to agree as well.")
        case Said.DECIDED:
            return phrase("Recorded. The ERP is being told.")
        case Said.CONFIRM:
            return phrase("A large amount: do you really approve it?")
        case Said.REFUSED:
            return next(iter(voted.reasons), phrase("You may not decide it."))
        case Said.LATE:
            return _late(voted.case)
        case Said.CHANGED:
            return phrase("Not recorded: it has changed since you saw it.")
        case Said.ELSEWHERE:
            return phrase("Not recorded: it no longer waits in the ERP.")
        case Said.SILENT:
            return phrase("Not recorded: the ERP does not answer. Please try again.")
        case Said.NEED_REASON:
            return phrase("A rejection needs a reason.")
        case Said.NO_CASE:
            return None


def _late(case: Case | None) -> Phrase:
    over = phrase("It is over already: there is nothing left to decide.")
    if case is None:
        return over
    there = case.elsewhere
    if there is not None:
        return withdrawn(there) if case.state is CaseState.WITHDRAWN else decided(there) or over
    if case.decision is not None and case.state is not CaseState.DECIDED_ELSEWHERE:
        return phrase("%(name)s decided it already, at %(time)s.", name=case.decision.name, time=case.decision.at)
    return over
