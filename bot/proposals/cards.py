"""Cards of proposals, in the own chats of those who answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.view import Button, Color, Following, ListView, View
from bot.chat.parsing import command_line
from bot.erp.model import DocumentRef
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.proposals.proposal import Proposal, ProposalState
from bot.words.phrase import phrase

PROPOSAL_CARD = "program.proposal"
"""Kind of the deliveries."""
PROPOSAL_SOURCE = "proposals"
"""What stands for the source of a proposal where cards follow documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalCard(View):
    """A proposal as its owner sees it."""

    card: ClassVar[str] = "proposal"
    leads_on: ClassVar[bool] = False

    proposal: Proposal

    def following(self) -> Following:
        return _follow([self.proposal], Ask(_look(self.proposal)))

    def buttons(self) -> Sequence[Button]:
        if self.proposal.state is not ProposalState.WAITING:
            return ()
        yes, no = (Ask(command_line("proposal", self.proposal.id, word)) for word in ("yes", "no"))
        return (Button(phrase("Yes, run it"), yes, Color.BLUE), Button(phrase("No, leave it"), no, Color.RED))


def _look(proposal: Proposal) -> str:
    return command_line("proposal", proposal.id)


def _follow(shown: Iterable[Proposal], again: Ask) -> Following:
    """Return that a card is drawn again when one of these proposals changes."""
    return Following(tuple(DocumentRef(PROPOSAL_SOURCE, each.id) for each in shown), again)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalList(ListView):
    """The proposals that wait for a person, those that end first before the others."""

    card: ClassVar[str] = "proposal_list"
    page_size: ClassVar[int] = 6

    rows: tuple[Proposal, ...]

    def following(self) -> Following | None:
        return _follow(self.rows, Ask(self.line, self.offset)) if self.rows else None

    def row_buttons(self) -> Sequence[Button]:
        return tuple(
            Button(f"{number}. {row.line}", Ask(_look(row))) for number, row in enumerate(self.rows, self.first)
        )


class ProposalComposer(SingleCardComposer):
    """Composes the card of a proposal, which is named by its id."""

    def __init__(self, find: Callable[[str], Awaitable[Proposal | None]]) -> None:
        self._find = find

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing for a proposal that is forgotten."""
        found = await self._find(ref)
        return ComposedCard(None, 0) if found is None else ComposedCard(ProposalCard(proposal=found), found.revision)


def proposal_card(proposal: Proposal, now: datetime) -> Delivery:
    """Return the delivery of a proposal's newest state."""
    return Delivery(
        card=f"{PROPOSAL_CARD}:{proposal.id}",
        place=Place(PlaceKind.PERSON, proposal.owner),
        kind=PROPOSAL_CARD,
        ref=proposal.id,
        revision=proposal.revision,
        urgency=Urgency.NOW,
        due_at=now,
    )
