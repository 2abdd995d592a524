"""The ERPs as one reader may see them: whatever command asks, the rules on each kind of document hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cachetools import LRUCache

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, common_scopes
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.chat.context import QuestionContext
from bot.disclosure import FieldClass
from bot.erp.hub import ErpHub
from bot.erp.model import Area
from bot.erp.narrowing import Narrowing

AccountOf = Callable[[str, str], str]
"""Returns the account of a person (userId) at a source, empty where none is known."""

_COMMANDS: Mapping[Area, str] = MappingProxyType(
    {Area.STOCK: "stock", Area.SALES: "order", Area.FINANCE: "invoice", Area.PURCHASING: "po", Area.PRODUCTION: "mo"}
)
"""Area → the command whose rules bind its documents."""


def no_account(_user_id: str, _source: str) -> str:
    """Return that nobody has an account."""
    return ""


_OF_PARTNERS = frozenset({Area.SALES, Area.FINANCE, Area.PURCHASING})
"""Areas whose documents are searched by the names of partners."""

_KEPT = 10_000
"""Readers whose scopes are remembered, each in a conversation."""


class ReaderHub:
    """Gives each question the hub that answers it."""

    def __init__(self, hub: ErpHub, account_of: AccountOf = no_account) -> None:
        self._hub = hub
        self._account_of = account_of
        self._policy: AccessPolicy | None = None
        self._known: LRUCache[tuple[Person, str, Grant], Narrowing | None] = LRUCache(_KEPT)

    def of(self, context: QuestionContext, policy: AccessPolicy, granted: Grant) -> ErpHub:
        """Return the hub for a command of which the asker may see what is ``granted``: the whole one if nothing is
        narrower.
        """
        if policy is not self._policy:
            self._policy = policy
            self._known.clear()
        key = (context.person, context.conversation.id, granted)
        if key not in self._known:
            self._known[key] = self._narrowing(context, policy, granted)
        narrowing = self._known[key]
        return self._hub if narrowing is None else self._hub.narrowed(narrowing)

    def _narrowing(self, context: QuestionContext, policy: AccessPolicy, granted: Grant) -> Narrowing | None:
        grants = {area: _grant(command, context, policy) for area, command in _COMMANDS.items()}
        scopes = {area: common_scopes(granted.scopes, grant.scopes) for area, grant in grants.items()}
        narrower = {area: some for area, some in scopes.items() if EVERYTHING not in some}
        seen = {area: granted.fields & grants[area].fields for area in _OF_PARTNERS}
        by_number = frozenset(area for area, fields in seen.items() if FieldClass.PARTNER not in fields)
        if not narrower and not by_number:
            return None
        person = context.person
        known = frozenset({person.user_id or "", person.name})

        def names_at(source: str) -> frozenset[str]:
            return (known | {self._account_of(person.user_id or "", source)}) - {""}

        return Narrowing(narrower, names_at, by_number)


def _grant(command: str, context: QuestionContext, policy: AccessPolicy) -> Grant:
    verdict = policy.decide_area(context.person, command, context.conversation.id)
    return verdict.grant if verdict.allowed else NO_GRANT
