"""Accounts in the ERPs: asked for, agreed to by somebody else, told, and taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.access.audit import AuditEntry, AuditKind
from bot.access.staff_keys import MatchKey, StaffKeys
from bot.chat.accounts.binding import AccountRefused, AccountState, ErpAccounts
from bot.chat.accounts.matching import AccountMatch, MatchOutcome
from bot.chat.accounts.search import ErpAccountSearch
from bot.chat.accounts.views import (
    AccountRequestComposer,
    AccountResult,
    AccountResultComposer,
    AccountRow,
    account_row,
)
from bot.erp.errors import Unsupported
from bot.erp.model import ErpUser
from bot.store.chat.accounts import StoredErpAccounts
from bot.store.database import Database
from bot.store.tables import DELIVERY

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


@dataclass
class AccountScene:
    database: Database
    admins: Sequence[str] = ("it01", "boss01")
    audit: list[AuditEntry] = field(default_factory=list)

    def accounts(self) -> ErpAccounts:
        return ErpAccounts(
            StoredErpAccounts(self.database),
            configured={"buyer01": {"main": "chen"}, "boss01": {"other": "lin"}},
            sources=("main", "other"),
            administrators=self._administrators,
            record=self.audit.append,
            on_enqueued=lambda: None,
            now=lambda: NOW,
        )

    async def _administrators(self) -> Sequence[str]:
        return self.admins

    async def owed(self) -> dict[str, int]:
        rows = await self.database.run(lambda connection: connection.execute(select(DELIVERY)).all())
        return {row.place: row.wanted for row in rows}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[AccountScene]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield AccountScene(database)
    await database.close()


async def refusal(call: object) -> str:
    with pytest.raises(AccountRefused) as caught:
        await call  # type: ignore[misc]  # a coroutine
    return str(caught.value.tell())


async def test_an_account_is_bound_by_an_administrators_yes_and_outlives_a_restart(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.ask("sales01", "李娜", "main", "lina@example.com")
    assert accounts.bound() == {}
    assert await scene.owed() == {"person:it01": 1, "person:boss01": 1}
    await accounts.decide("sales01", "main", "lina@example.com", by="it01", agrees=True)
    assert accounts.bound() == {"sales01": {"main": "lina@example.com"}}
    assert await scene.owed() == {"person:it01": 2, "person:boss01": 2, "person:sales01": 2}
    again = scene.accounts()
    await again.load()
    assert again.bound() == accounts.bound()
    assert [(entry.kind, entry.actor, entry.outcome) for entry in scene.audit] == [
        (AuditKind.BINDING, "sales01", "asked"),
        (AuditKind.BINDING, "it01", "bound"),
    ]


async def test_what_is_bound_is_the_same_object_until_it_changes(scene: AccountScene) -> None:
    accounts = scene.accounts()
    before = accounts.bound()
    await accounts.load()
    assert accounts.bound() is before


async def test_a_declined_request_leaves_the_account_in_force(scene: AccountScene) -> None:
    accounts = scene.accounts()
    for wanted, agrees in (("lina", True), ("boss", False)):
        await accounts.ask("sales01", "李娜", "main", wanted)
        await accounts.decide("sales01", "main", wanted, by="it01", agrees=agrees)
    assert accounts.bound() == {"sales01": {"main": "lina"}}
    found = await accounts.find("sales01", "main")
    assert found is not None
    assert (found.state, found.wanted, found.revision) == (AccountState.DECLINED, "boss", 4)


async def test_nobody_agrees_to_their_own_request(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.ask("it01", "高翔", "main", "boss")
    assert await scene.owed() == {"person:boss01": 1}
    assert "Another administrator" in await refusal(accounts.decide("it01", "main", "boss", by="it01", agrees=True))
    scene.admins = ("it01",)
    assert "No administrator is known" in await refusal(accounts.ask("it01", "高翔", "main", "boss"))


async def test_only_the_request_that_was_shown_is_decided_and_only_once(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.ask("sales01", "李娜", "main", "lina")
    await accounts.ask("sales01", "李娜", "main", "boss")
    assert "decided already" in await refusal(accounts.decide("sales01", "main", "lina", by="it01", agrees=True))
    await accounts.decide("sales01", "main", "boss", by="it01", agrees=False)
    assert "decided already" in await refusal(accounts.decide("sales01", "main", "boss", by="boss01", agrees=True))
    assert "decided already" in await refusal(accounts.decide("ghost", "main", "x", by="it01", agrees=True))
    assert accounts.bound() == {}


@pytest.mark.parametrize(("source", "account"), [("main", "CHEN"), ("main", "lina"), ("other", "Lin")])
async def test_an_account_is_one_persons(scene: AccountScene, source: str, account: str) -> None:
    accounts = scene.accounts()
    await accounts.ask("sales01", "李娜", "main", "Lina")
    await accounts.decide("sales01", "main", "Lina", by="it01", agrees=True)
    assert "somebody else" in await refusal(accounts.ask("keeper01", "王仓", source, account))


async def test_two_who_ask_for_one_account_do_not_both_get_it(scene: AccountScene) -> None:
    accounts = scene.accounts()
    for who in ("sales01", "keeper01"):
        await accounts.ask(who, who, "main", "lina")
    await accounts.decide("sales01", "main", "lina", by="it01", agrees=True)
    assert "somebody else" in await refusal(accounts.decide("keeper01", "main", "lina", by="it01", agrees=True))


async def test_chat_does_not_change_what_is_configured(scene: AccountScene) -> None:
    accounts = scene.accounts()
    assert "configuration" in await refusal(accounts.ask("buyer01", "陈立", "main", "boss"))
    assert "configuration" in await refusal(accounts.unbind("buyer01", "main", by="it01"))
    assert [(one.source, one.account) for one in await accounts.of("buyer01")] == [("main", "chen")]


async def test_unbinding_takes_the_account_and_the_request_and_tells_its_owner(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.ask("sales01", "李娜", "main", "lina")
    await accounts.decide("sales01", "main", "lina", by="it01", agrees=True)
    await accounts.unbind("sales01", "main", by="sales01")
    assert accounts.bound() == {}
    assert (await scene.owed())["person:sales01"] == 3
    assert "no account" in await refusal(accounts.unbind("sales01", "main", by="sales01"))
    assert "no account" in await refusal(accounts.unbind("sales01", "other", by="sales01"))


async def test_cards_show_the_newest_state(scene: AccountScene) -> None:
    accounts = scene.accounts()

    async def name_of(user_id: str) -> str:
        return user_id.upper()

    request = AccountRequestComposer(accounts.find, name_of)
    result = AccountResultComposer(accounts.find, name_of)
    assert (await request.compose("main|sales01")).view is None
    await accounts.ask("sales01", "李娜", "main", "li na")
    asked = (await request.compose("main|sales01")).view
    assert asked is not None
    assert [button.label and str(button.label) for button in asked.buttons()] == ["Agree", "Decline"]
    await accounts.decide("sales01", "main", "li na", by="it01", agrees=True)
    decided, told = await request.compose("main|sales01"), await result.compose("main|sales01")
    assert decided.view is not None
    assert not decided.view.buttons()
    assert (decided.revision, told.revision) == (2, 2)
    assert "IT01" in str(told.view)


def found(user_id: str, account: str, key: MatchKey = MatchKey.MOBILE) -> AccountMatch:
    return AccountMatch(user_id=user_id, name=user_id, account=account, key=key, outcome=MatchOutcome.FOUND)


def in_vain(user_id: str, outcome: MatchOutcome) -> AccountMatch:
    return AccountMatch(user_id=user_id, name=user_id, outcome=outcome)


async def test_what_a_search_finds_is_bound_and_told_to_its_owner_once(scene: AccountScene) -> None:
    accounts = scene.accounts()
    for expected in (1, 0):
        assert await accounts.record_search("main", [found("sales01", "lina")]) == expected
    assert accounts.bound() == {"sales01": {"main": "lina"}}
    assert await scene.owed() == {"person:sales01": 1}
    assert [(entry.actor, entry.action, entry.detail) for entry in scene.audit] == [
        ("dingerp", "account.matched", "sales01 at main: lina, by mobile")
    ]
    card = await AccountResultComposer(accounts.find, no_name).compose("main|sales01")
    assert isinstance(card.view, AccountResult)
    assert (str(card.view.key), card.view.decided_by, len(card.view.buttons())) == ("mobile", "", 1)


async def test_what_people_said_stands_above_a_search(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.record_search("main", [found("sales01", "lina")])
    await accounts.unbind("sales01", "main", by="sales01")
    await accounts.ask("keeper01", "王仓", "main", "wang")
    await accounts.ask("finance01", "周慧", "main", "zhou")
    await accounts.decide("finance01", "main", "zhou", by="it01", agrees=False)
    people = ("sales01", "keeper01", "finance01", "buyer01")
    assert await accounts.record_search("main", [found(one, f"of {one}") for one in people]) == 0
    assert accounts.bound() == {}


async def test_a_search_gives_nobody_an_account_of_somebody_else(scene: AccountScene) -> None:
    accounts = scene.accounts()
    await accounts.ask("keeper01", "王仓", "main", "Wang")
    await accounts.decide("keeper01", "main", "Wang", by="it01", agrees=True)
    matches = [found("sales01", "wang"), found("finance01", "CHEN")]
    for entries in (2, 2):
        assert await accounts.record_search("main", matches) == 0
        assert len([entry for entry in scene.audit if entry.outcome == "several_people"]) == entries
    assert [row.reason and "somebody else" in str(row.reason) for row in await rows_of(accounts, "sales01")] == [True]


async def test_why_nothing_was_bound_is_kept_until_a_search_says_otherwise(scene: AccountScene) -> None:
    accounts = scene.accounts()
    for outcome, said in (
        (MatchOutcome.SEVERAL_ACCOUNTS, "several accounts"),
        (MatchOutcome.UNVERIFIED, "not confirmed"),
    ):
        await accounts.record_search("main", [in_vain("sales01", outcome)])
        (row,) = await rows_of(accounts, "sales01")
        assert said in str(row.reason)
    await accounts.record_search("main", [])
    (row,) = await rows_of(accounts, "sales01")
    assert "any more" in str(row.reason)
    assert not await scene.owed()
    assert await accounts.record_search("main", [found("sales01", "lina")]) == 1
    assert await rows_of(accounts, "sales01") == [AccountRow(source="main", account="lina")]


async def rows_of(accounts: ErpAccounts, user_id: str) -> list[AccountRow]:
    return [account_row(one) for one in await accounts.of(user_id)]


async def no_name(user_id: str) -> str:
    raise AssertionError("nobody decided")


@dataclass
class FakeSource:
    """Accounts of two sources, of which one cannot list any."""

    users: Sequence[ErpUser]

    async def users_of(self, source: str) -> Sequence[ErpUser]:
        if source == "other":
            raise Unsupported("its accounts cannot be listed", source=source)
        return self.users


async def test_a_source_that_lists_no_accounts_leaves_the_others_alone(scene: AccountScene) -> None:
    accounts = scene.accounts()
    source = FakeSource([ErpUser(account="lina", name="Li Na", job_number="S1")])
    search = ErpAccountSearch(accounts, source.users_of, [MatchKey.JOB_NUMBER])
    with capture_logs() as logs:
        await search.search([StaffKeys(user_id="sales01", name="李娜", verified={MatchKey.JOB_NUMBER: "S1"})])
    assert accounts.bound() == {"sales01": {"main": "lina"}}
    assert [(line["event"], line["source"]) for line in logs if line["event"].startswith("accounts")] == [
        ("accounts.searched", "main"),
        ("accounts.not_listed", "other"),
    ]
