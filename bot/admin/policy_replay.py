"""``dingerp policy replay``: what new rules would have changed (`bot.approvals.policy_replay`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.admin.database import OperatorAction, open_database
from bot.admin.inputs import read_since
from bot.admin.output import escape_invisible
from bot.admin.policy_context import PolicyContext, open_policy, open_policy_context
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy_replay import PolicyReplay, ReplayedDocument, describe_plan, describe_rule
from bot.bootstrap.policy import terms_of
from bot.settings import Settings
from bot.store.approvals.repository import cases_since


async def replay_rules(settings: Settings, rules: Path, *, since: str) -> list[str]:
    """Return a line for each document that would be decided differently, then the counts.

    ``since`` is ``90d`` or a date. Raises `RulesError`, `ConfigurationError`, and the errors of ERPs and the directory.
    """
    old, new = (RuleBasedPolicy(open_policy(settings, file)) for file in (None, rules))
    async with open_policy_context(settings) as context:
        begins = read_since(since, context.now())
        async with open_database(settings, OperatorAction(command="policy replay")) as database:
            cases = () if database is None else await database.run(partial(cases_since, since=begins))
        by_document = {case.key.folded: case for case in cases}
        replay = PolicyReplay(
            context.hub, context.organisation, context.now, old, new, terms_of(settings), by_document, context.checks
        )
        replayed = [document async for document in replay.all(begins)]
    return [escape_invisible(line) for line in _lines(replayed, context, begins)]


def _lines(replayed: list[ReplayedDocument], context: PolicyContext, begins: datetime) -> Iterator[str]:
    for document in replayed:
        if document.changed or document.stuck:
            yield _described(document, context)
    changed, stuck = sum(document.changed for document in replayed), sum(bool(document.stuck) for document in replayed)
    recorded = sum(document.recorded for document in replayed)
    yield (
        f"documents since {begins:%Y-%m-%d}: {len(replayed)}, decided about in chat {recorded},"
        f" by others or another rule now {changed}, by nobody {stuck}"
    )
    old = Counter(describe_rule(document.old) for document in replayed)
    new = Counter(describe_rule(document.new) for document in replayed)
    yield from (f"  {rule}: {old[rule]} → {new[rule]}" for rule in dict.fromkeys((*old, *new)))


def _described(replayed: ReplayedDocument, context: PolicyContext) -> str:
    document = replayed.document
    total = context.english.money(document.total)
    text = f"{document.number} of {document.source}, {total}: {describe_plan(replayed.old)}"
    if replayed.changed:
        text += f" → {describe_plan(replayed.new)}"
    return text + (f"; nobody could decide: {replayed.stuck}" if replayed.stuck else "")
