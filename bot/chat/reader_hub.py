"""The ERPs as one reader may see them: whatever command asks, the rules on each kind of document hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, common_scopes
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


@dataclass(frozen=True, slots=True)
class ReaderHub:
    """Gives each question the hub that answers it."""

    hub: ErpHub
    account_of: AccountOf = no_account

    def of(self, context: QuestionContext, policy: AccessPolicy, granted: Grant) -> ErpHub:
        """Return the hub for a command of which the asker may see what is ``granted``: the whole one if nothing is
        narrower.
        """
        grants = {area: _grant(command, context, policy) for area, command in _COMMANDS.items()}
        scopes = {area: common_scopes(granted.scopes, grant.scopes) for area, grant in grants.items()}
        narrower = {area: some for area, some in scopes.items() if EVERYTHING not in some}
        by_number = frozenset(area for area, grant in grants.items() if _hides_partners(area, granted, grant))
        if not narrower and not by_number:
            return self.hub
        person = context.person
        known = frozenset({person.user_id or "", person.name})

        def names_at(source: str) -> frozenset[str]:
            return (known | {self.account_of(person.user_id or "", source)}) - {""}

        return self.hub.narrowed(Narrowing(narrower, names_at, by_number))


def _grant(command: str, context: QuestionContext, policy: AccessPolicy) -> Grant:
    verdict = policy.decide_area(context.person, command, context.conversation.id)
    return verdict.grant if verdict.allowed else NO_GRANT


def _hides_partners(area: Area, *grants: Grant) -> bool:
    """Whether the documents of an area are searched by names that the reader may not see."""
    return area in _OF_PARTNERS and any(FieldClass.PARTNER not in grant.fields for grant in grants)
