"""Who may see what: the policy in force, the groups with outsiders, and what follows for each chat."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.access.policy import AccessPolicy
from bot.bootstrap.access import PolicyInForce, follow_access
from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.audiences import Audiences
from bot.chat.registry import Commands
from bot.rulefiles.followed_file import FollowedFile
from bot.store.people import StoredOutsiders


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessServices:
    """What the rest of the bot needs to know who may see what."""

    rules: FollowedFile[AccessPolicy]
    policy: PolicyInForce
    outsiders: StoredOutsiders
    audiences: Audiences


async def start_access(base: Infrastructure, commands: Commands) -> AccessServices:
    """Follow the rules, and the groups in which people of other organisations were seen."""
    rules = follow_access(base.settings, commands, monotonic=time.monotonic)
    policy = PolicyInForce(rules)
    await base.run_in_background(policy.follow(), "access rules")
    outsiders = StoredOutsiders(base.database, now=base.now, named=base.settings.access.outsider_groups)
    await outsiders.load()
    await base.run_in_background(outsiders.run(), "outsiders")
    audiences = Audiences(policy=policy, people=base.people, outsiders=outsiders)
    return AccessServices(rules=rules, policy=policy, outsiders=outsiders, audiences=audiences)
