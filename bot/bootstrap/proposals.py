"""Builds proposals: what programs want run, and the cards of those who have it run or not."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.bootstrap.access import AccessServices
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.replicas import Replica
from bot.chat.answers.ports import InboxMessage
from bot.chat.message import Conversation
from bot.chat.registry import Commands
from bot.dingtalk.messages import write_typed
from bot.mechanisms.background import Runs, repeat
from bot.proposals.cards import PROPOSAL_CARD, ProposalComposer
from bot.proposals.proposal import Proposal
from bot.proposals.proposals import Proposals
from bot.store.program_asks import StoredAskTransactions, forget_asks
from bot.store.proposals import StoredProposals
from bot.store.tables import PROPOSAL

_SWEPT_EVERY = 1.0
_PRUNED_EVERY = 24 * 3600.0


async def start_proposals(
    base: Infrastructure, alerts: AlertServices, access: AccessServices, commands: Commands, replica: Replica | None
) -> Proposals:
    """Return the proposals, let the outbox draw their cards, and let time end what nobody answers."""

    def typed(proposal: Proposal, where: Conversation) -> InboxMessage:
        now, msg_id = base.now(), f"proposal {proposal.id}"
        payload = write_typed(msg_id, proposal.line, user_id=proposal.owner, conversation=where.id, at=now)
        return InboxMessage(msg_id, payload, now, conversation=where.id)

    stored = partial(StoredProposals, replica=replica.id if replica is not None else None)
    proposals = Proposals(
        StoredAskTransactions(base.database, base.now, stored),
        commands=commands,
        policy=access.policy,
        typed=typed,
        metrics=base.metrics,
        on_enqueued=alerts.outbox.poke,
    )
    alerts.composers[PROPOSAL_CARD] = ProposalComposer(proposals.find)
    keep = timedelta(days=base.settings.retention.case_days)

    async def prune() -> None:
        await base.database.run(partial(forget_asks, before=base.now() - keep, table=PROPOSAL))

    sweeping = partial(repeat, proposals.sweep, every=_SWEPT_EVERY, failed="proposals.not_swept")
    await base.run_in_background(sweeping, "proposal deadlines", Runs.WITH_LEAD)
    pruning = partial(repeat, prune, every=_PRUNED_EVERY, failed="proposals.not_pruned")
    await base.run_in_background(pruning, "proposal keeping", Runs.WITH_LEAD)
    return proposals
