"""Views of ERP accounts: people's own, requests for administrators, and their results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from bot.access.staff_keys import MatchKey
from bot.cards.actions import Ask
from bot.cards.view import Button, Color, View
from bot.chat.accounts.binding import AccountState, ErpAccount
from bot.chat.accounts.keys import EnteredKey
from bot.chat.parsing import command_line
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account at one source; ``wanted`` is the requested one, ``reason`` says why the search bound none."""

    source: str
    account: str = ""
    wanted: str = ""
    reason: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountList(View):
    """A person's own accounts in the ERPs; ``remark`` is the outcome of the line."""

    card: ClassVar[str] = "accounts"

    rows: tuple[AccountRow, ...]
    sources: tuple[str, ...]
    remark: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest(View):
    """A request for an account under which a person's decisions are written; administrators decide."""

    card: ClassVar[str] = "account_request"

    name: str
    user_id: str
    source: str
    account: str
    state: AccountState
    decided_by: str = ""
    remark: Phrase | None = None

    def buttons(self) -> Sequence[Button]:
        if self.state is not AccountState.ASKED:
            return ()
        accept = f"{command_line('bind', 'accept', self.user_id, self.source)} {self.account}"
        decline = f"{command_line('bind', 'decline', self.user_id, self.source)} {self.account}"
        return (Button(phrase("Agree"), Ask(accept), Color.BLUE), Button(phrase("Decline"), Ask(decline), Color.RED))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult(View):
    """The outcome for an account, told to its owner in their own chat."""

    card: ClassVar[str] = "account_result"

    source: str
    account: str
    state: AccountState
    decided_by: str = ""
    key: Phrase | None = None
    """For `AccountState.MATCHED`: the key that DingTalk and the ERP share for the person."""

    def buttons(self) -> Sequence[Button]:
        if self.state not in (AccountState.BOUND, AccountState.MATCHED):
            return ()
        return (Button(phrase("Unbind"), Ask(command_line("unbind", self.source))),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKeyLink(View):
    """A link for entering a person's own ERP key; it works once and not for long."""

    card: ClassVar[str] = "account_key_link"

    source: str
    account: str
    minutes: int
    url: str

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Enter the key"), self.url, Color.BLUE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKeyStored(View):
    """Told to the owner in their own chat: a key of theirs was entered."""

    card: ClassVar[str] = "account_key_stored"

    source: str
    account: str
    entered_at: datetime

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Erase the key"), Ask(command_line("unbind", self.source, "key"))),)


_REASONS: Mapping[AccountState, Phrase] = MappingProxyType(
    {
        AccountState.SEVERAL_ACCOUNTS: phrase("your job number, mobile or mail leads to several accounts"),
        AccountState.SEVERAL_PEOPLE: phrase("your job number, mobile, mail or account there is somebody else's, too"),
        AccountState.UNVERIFIED: phrase("your mobile or mail is not confirmed in DingTalk"),
        AccountState.NOT_FOUND: phrase("no account there has your job number, mobile or mail any more"),
    }
)

_KEYS: Mapping[str, Phrase] = MappingProxyType(
    {
        MatchKey.JOB_NUMBER: phrase("job number"),
        MatchKey.MOBILE: phrase("mobile"),
        MatchKey.MAIL: phrase("mail"),
    }
)


def account_row(account: ErpAccount) -> AccountRow:
    """Return an account as its owner sees it."""
    wanted = account.wanted if account.state is AccountState.ASKED else ""
    reason = _REASONS.get(account.state)
    return AccountRow(source=account.source, account=account.account, wanted=wanted, reason=reason)


def request_view(account: ErpAccount, decided_by: str, remark: Phrase | None = None) -> AccountRequest:
    """Return a request as administrators see it; ``decided_by`` is a name."""
    return AccountRequest(
        name=account.name,
        user_id=account.user_id,
        source=account.source,
        account=account.wanted,
        state=account.state,
        decided_by=decided_by,
        remark=remark,
    )


class _AccountComposer(SingleCardComposer, ABC):
    """Cards are named by source and person: ``main|sales01``."""

    def __init__(
        self,
        find: Callable[[str, str], Awaitable[ErpAccount | None]],
        name_of: Callable[[str], Awaitable[str]],
    ) -> None:
        """``find`` is `bot.chat.accounts.binding.ErpAccounts.find`."""
        self._find = find
        self._name_of = name_of

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card."""
        source, _, user_id = ref.partition("|")
        found = await self._find(user_id, source)
        if found is None:
            return ComposedCard(None, 0)
        is_person = found.decided_by and found.state is not AccountState.MATCHED
        decided_by = await self._name_of(found.decided_by) if is_person else ""
        return ComposedCard(self._view(found, decided_by), found.revision)

    @abstractmethod
    def _view(self, account: ErpAccount, decided_by: str) -> View: ...


class AccountRequestComposer(_AccountComposer):
    """Composes the requests that administrators decide."""

    def _view(self, account: ErpAccount, decided_by: str) -> View:
        return request_view(account, decided_by)


class AccountResultComposer(_AccountComposer):
    """Composes the outcome for the owner."""

    def _view(self, account: ErpAccount, decided_by: str) -> View:
        return AccountResult(
            source=account.source,
            account=account.wanted,
            state=account.state,
            decided_by=decided_by,
            key=_KEYS.get(account.decided_by) if account.state is AccountState.MATCHED else None,
        )


class AccountKeyComposer(SingleCardComposer):
    """Composes the card for the owner of a key; cards are named by source and person."""

    def __init__(self, find: Callable[[str, str], Awaitable[EnteredKey | None]]) -> None:
        """``find`` is `bot.chat.accounts.keys.ErpKeys.find`."""
        self._find = find

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing for a key deleted meanwhile."""
        source, _, user_id = ref.partition("|")
        found = await self._find(user_id, source)
        if found is None:
            return ComposedCard(None, 0)
        return ComposedCard(AccountKeyStored(source=source, account=found.account, entered_at=found.entered_at), 1)
