"""Tells administrators, each in their own chat, of rules that one of them wrote and another one has to publish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.cards.notices import RuleProposal
from bot.chat.rule_changes import RuleVersionStore
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState
from bot.words.phrase import phrase

PROPOSAL_CARD = "rule.proposal"
"""Kind of the deliveries."""

SUBJECTS = {
    RuleSubject.ACCESS: phrase("Who may see and do what"),
    RuleSubject.ALERTS: phrase("Alert rules"),
    RuleSubject.APPROVALS: phrase("Approval rules"),
}
"""The rule files in words."""


class RuleProposalComposer(SingleCardComposer):
    """Composes these cards; they are named by the version's number."""

    def __init__(
        self,
        store: RuleVersionStore,
        *,
        name_of: Callable[[str], Awaitable[str]],
        address: Callable[[int], str],
    ) -> None:
        """``address`` returns the address of a version's page."""
        self._store = store
        self._name_of = name_of
        self._address = address

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing for a version that is not kept."""
        version = await self._store.find(int(ref))
        if version is None:
            return ComposedCard(None, 0)
        view = RuleProposal(
            subject=SUBJECTS[version.subject],
            author=await self._name_of(version.author),
            reason=version.reason,
            is_open=version.state is VersionState.PROPOSED,
            is_in_force=version.state is VersionState.PUBLISHED,
            url=self._address(version.number),
        )
        return ComposedCard(view, 1)


def proposal_cards(version: RuleVersion, administrators: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
    """Return the cards for all administrators but the author."""
    return tuple(
        Delivery(
            card=f"{PROPOSAL_CARD}:{version.number}:{user_id}",
            place=Place(PlaceKind.PERSON, user_id),
            kind=PROPOSAL_CARD,
            ref=str(version.number),
            revision=1,
            urgency=Urgency.NOW,
            due_at=now,
        )
        for user_id in administrators
        if user_id != version.author
    )
