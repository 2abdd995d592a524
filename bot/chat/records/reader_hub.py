"""The ERPs and their documents as one reader may see them.

Whatever command asks, the rules on each kind of document hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, common_scopes
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.chat.context import QuestionContext
from bot.erp.hub import ErpHub
from bot.erp.kinds import RULED_BY
from bot.erp.model import Area
from bot.erp.narrowing import Narrowing
from bot.words.disclosure import ALL_FIELDS, FieldClass

AccountOf = Callable[[str, str], str]
"""Returns the account of a person (userId) at a source, empty where none is known."""


def command_of(area: Area) -> str:
    """Return the command whose rules bind the documents of an area."""
    return RULED_BY[area]


def no_account(_user_id: str, _source: str) -> str:
    """Return no account, for anybody."""
    return ""


_OF_PARTNERS = frozenset({Area.SALES, Area.FINANCE, Area.PURCHASING})
"""Areas whose documents are searched by the names of partners."""

_KEPT = 10_000
"""Readers whose scopes are remembered, each in a conversation."""

_KEPT_HUBS = 500
"""Readers whose narrowed hubs are remembered: each takes some kilobytes."""

_HubOf = Callable[[Person, str, Grant], ErpHub]
"""Returns the hub for a person in a conversation who was granted something."""


class ReaderHub:
    """Gives each question the hub that answers it."""

    def __init__(self, hub: ErpHub, account_of: AccountOf = no_account) -> None:
        self._hub = hub
        self._account_of = account_of
        self._by_policy: tuple[AccessPolicy, _HubOf] | None = None

    def of(self, context: QuestionContext, policy: AccessPolicy, granted: Grant) -> ErpHub:
        """Return the hub for a command of which the asker may see what is ``granted``: the whole one if nothing is
        narrower.
        """
        if self._by_policy is None or self._by_policy[0] is not policy:
            self._by_policy = policy, self._hubs(policy)
        return self._by_policy[1](context.person, context.conversation.id, granted)

    def _hubs(self, policy: AccessPolicy) -> _HubOf:
        narrowing_of = lru_cache(_KEPT)(partial(self._narrowing, policy))

        def hub_of(person: Person, conversation_id: str, granted: Grant) -> ErpHub:
            narrowing = narrowing_of(person, conversation_id, granted)
            return self._hub if narrowing is None else self._hub.narrowed(narrowing)

        return lru_cache(_KEPT_HUBS)(hub_of)

    def _narrowing(
        self, policy: AccessPolicy, person: Person, conversation_id: str, granted: Grant
    ) -> Narrowing | None:
        grants = {area: _grant(policy, person, command, conversation_id) for area, command in RULED_BY.items()}
        scopes = {area: common_scopes(granted.scopes, grant.scopes) for area, grant in grants.items()}
        narrower = {area: some for area, some in scopes.items() if EVERYTHING not in some}
        seen = {area: granted.fields & grants[area].fields for area in _OF_PARTNERS}
        by_number = frozenset(area for area, fields in seen.items() if FieldClass.PARTNER not in fields)
        if not narrower and not by_number:
            return None
        # Not by the name, which people write themselves in DingTalk and share with others.
        known = frozenset({person.user_id or ""})

        def names_at(source: str) -> frozenset[str]:
            return (known | {self._account_of(person.user_id or "", source)}) - {""}

        return Narrowing(narrower, names_at, by_number)


def _grant(policy: AccessPolicy, person: Person, command: str, conversation_id: str) -> Grant:
    verdict = policy.decide_area(person, command, conversation_id)
    return verdict.grant if verdict.allowed else NO_GRANT


def visible_fields(policy: AccessPolicy, context: QuestionContext, *commands: str) -> frozenset[FieldClass]:
    """Return the classes that the rules on all of these commands leave to the asker.

    A command that the asker may not use takes nothing away: of its documents none is found.
    """
    verdicts = [policy.decide_area(context.person, name, context.conversation.id) for name in commands]
    return ALL_FIELDS.intersection(*(verdict.grant.fields for verdict in verdicts if verdict.allowed))
