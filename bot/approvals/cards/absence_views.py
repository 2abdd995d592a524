"""Views of absences: a person's own, and the cards that tell substitutes and those who named them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.approvals.absence import Absence
from bot.cards.actions import Ask
from bot.cards.view import Button, Color, View
from bot.chat.parsing import command_line
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceDays:
    """Somebody's absence, with its first and last day; ``name`` is whose it is, or who decides instead."""

    user_id: str
    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceList(View):
    """The reader's own absence, and those in which they stand in for others; ``remark`` is the outcome of the line.

    ``candidates`` are the userIds and names of those whom the reader may name as a substitute.
    """

    card: ClassVar[str] = "absences"

    own: AbsenceDays | None = None
    entrusted: tuple[AbsenceDays, ...] = ()
    candidates: tuple[tuple[str, str], ...] = ()
    remark: Phrase | None = None

    def buttons(self) -> Sequence[Button]:
        own = self.own
        if own is None:
            return tuple(
                Button(phrase("Not for %(name)s", name=each.name), Ask(command_line("away", "unable", each.user_id)))
                for each in self.entrusted
            )
        days = f"{own.first}..{own.last}"
        return (
            *_naming(days, self.candidates),
            Button(phrase("I am not away"), Ask(command_line("away", "off"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceProposal(View):
    """What the reader is about to arrange: kept only once they confirm exactly this.

    ``waiting`` documents wait for them now; the substitute could decide ``passed_on`` of them. ``candidates`` are the
    userIds and names of those whom they may name, while they have named nobody.
    """

    card: ClassVar[str] = "absence_proposal"

    absence: AbsenceDays
    waiting: int
    passed_on: int
    candidates: tuple[tuple[str, str], ...] = ()

    def buttons(self) -> Sequence[Button]:
        days, by = f"{self.absence.first}..{self.absence.last}", self.absence.user_id
        kept = command_line("away", days, *([by] if by else ()), "confirm")
        label = phrase("Confirm") if by else phrase("Confirm, without a substitute")
        return (*_naming(days, self.candidates), Button(label, Ask(kept), Color.BLUE if by else Color.GRAY))


def _naming(days: str, candidates: Sequence[tuple[str, str]]) -> Sequence[Button]:
    """Return the buttons that name a substitute."""
    return [Button(name, Ask(command_line("away", days, user_id)), Color.BLUE) for user_id, name in candidates]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstituteNotice(View):
    """Tells somebody that they decide for a person who is away.

    ``days`` are the first and the last one; None when they no longer decide.
    """

    card: ClassVar[str] = "absence_substitute"

    name: str
    user_id: str
    days: tuple[date, date] | None

    def buttons(self) -> Sequence[Button]:
        if self.days is None:
            return ()
        return (Button(phrase("I cannot"), Ask(command_line("away", "unable", self.user_id)), Color.RED),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstituteDeclined(View):
    """Tells a person that ``name`` does not stand in for them."""

    card: ClassVar[str] = "absence_declined"

    name: str

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Name somebody else"), Ask(command_line("away")), Color.BLUE),)


class _AbsenceComposer(SingleCardComposer, ABC):
    """Cards are named by the person and the substitute: ``boss01|finance01``."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[Absence | None]],
        name_of: Callable[[str], Awaitable[str]],
        now: Callable[[], datetime],
    ) -> None:
        """``find`` is `bot.approvals.absences.Absences.find`."""
        self._find = find
        self._name_of = name_of
        self._now = now

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card."""
        user_id, _, by = ref.partition("|")
        absence = await self._find(user_id)
        if absence is None:
            return ComposedCard(None, 0)
        return ComposedCard(await self._view(absence, by), absence.revision)

    @abstractmethod
    async def _view(self, absence: Absence, by: str) -> View: ...


class SubstituteComposer(_AbsenceComposer):
    """Composes the card of a substitute."""

    async def _view(self, absence: Absence, by: str) -> View:
        now = self._now()
        name = await self._name_of(absence.user_id)
        stands_in = absence.substitute == by and not absence.is_over(now)
        return SubstituteNotice(
            name=name, user_id=absence.user_id, days=absence.days(now.tzinfo) if stands_in else None
        )


class DeclinedComposer(_AbsenceComposer):
    """Composes the card of somebody whose substitute declined."""

    async def _view(self, absence: Absence, by: str) -> View:
        return SubstituteDeclined(name=await self._name_of(by))
