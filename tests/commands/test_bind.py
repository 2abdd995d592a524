"""/bind and /unbind."""

from __future__ import annotations

import pytest

from bot.access.people import Person
from bot.cards.notices import BadArgumentNotice, DeniedNotice
from bot.chat.accounts.binding import AccountState, ErpAccounts
from bot.chat.accounts.keys import EnteredKey
from bot.chat.accounts.views import AccountKeyLink, AccountList, AccountRequest, AccountRow
from bot.chat.message import Conversation, ConversationKind
from tests.commands.account_fakes import MemoryKeyStore
from tests.commands.company import NOW
from tests.commands.conftest import Ask, as_, lines

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)

MANAGER = Person(user_id="manager01", name="陈经理", is_admin=True)
BUYER = Person(user_id="buyer01", name="赵采")


async def test_who_has_no_account_is_told_how_to_ask(ask: Ask) -> None:
    view = as_(AccountList, await ask("/bind"))
    assert (view.rows, view.sources, view.remark) == ((), ("main", "second"), None)


async def test_asking_changes_nothing_before_the_yes(ask: Ask, accounts: ErpAccounts) -> None:
    view = as_(AccountList, await ask("/绑定 main wang cang"))
    assert view.rows == (AccountRow(source="main", wanted="wang cang"),)
    assert "administrators have been asked" in str(view.remark)
    assert accounts.bound() == {}


async def test_a_yes_binds_and_a_second_one_says_so(ask: Ask, accounts: ErpAccounts) -> None:
    await ask("/bind main wang cang")
    line = "/bind accept keeper01 main wang cang"
    view = as_(AccountRequest, await ask(line, person=MANAGER))
    assert (view.state, view.decided_by, view.remark) == (AccountState.BOUND, "陈经理", None)
    assert accounts.bound() == {"keeper01": {"main": "wang cang"}}
    assert "decided already" in str(as_(AccountRequest, await ask(line, person=MANAGER)).remark)


async def test_the_buttons_of_a_request_ask_what_decides_it(ask: Ask, accounts: ErpAccounts) -> None:
    await ask("/bind second wang cang")
    shown = as_(AccountRequest, await ask("/bind decline keeper01 second other", person=MANAGER))
    accept, decline = lines(shown)
    assert as_(AccountRequest, await ask(decline, person=MANAGER)).state is AccountState.DECLINED
    await ask("/bind second wang cang")
    assert as_(AccountRequest, await ask(accept, person=MANAGER)).state is AccountState.BOUND


@pytest.mark.parametrize("line", ["/bind accept keeper01 main wang", "/bind decline x y z", "/unbind main buyer01"])
async def test_only_administrators_decide(ask: Ask, line: str) -> None:
    await ask("/bind main wang")
    assert "Only administrators" in str(as_(DeniedNotice, await ask(line)).reason)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/bind wang", "Say at which ERP: main, second"),
        ("/bind third wang", "There is no ERP of this name. There are: main, second"),
        ("/bind main " + "x" * 65, "too long"),
        ("/unbind", "Say at which ERP"),
    ],
)
async def test_what_is_missing_is_said(ask: Ask, line: str, problem: str) -> None:
    assert problem in str(as_(BadArgumentNotice, await ask(line)).problem)


async def test_a_decision_about_nothing(ask: Ask) -> None:
    problem = as_(BadArgumentNotice, await ask("/bind accept ghost main x", person=MANAGER)).problem
    assert "no such request" in str(problem)


async def test_a_configured_account_is_shown_and_stays(ask: Ask) -> None:
    for line in ("/bind main other", "/unbind main"):
        view = as_(AccountList, await ask(line, person=BUYER))
        assert view.rows == (AccountRow(source="main", account="zhao"),)
        assert "configuration" in str(view.remark)


async def test_unbinding_ones_own_and_somebody_elses(ask: Ask, accounts: ErpAccounts) -> None:
    for line in ("/unbind main", "/unbind main keeper01"):
        await ask("/bind main wang")
        await ask("/bind accept keeper01 main wang", person=MANAGER)
        assert accounts.bound()
        person = MANAGER if "keeper01" in line else None
        view = as_(AccountList, await (ask(line, person=person) if person else ask(line)))
        assert str(view.remark) == "Unbound."
        assert accounts.bound() == {}


async def test_the_page_for_a_key_is_offered_in_ones_own_chat_alone(ask: Ask, key_store: MemoryKeyStore) -> None:
    view = as_(AccountKeyLink, await ask("/bind main key", person=BUYER, where=OWN_CHAT))
    assert (view.source, view.account, view.minutes) == ("main", "zhao", 10)
    (button,) = view.buttons()
    assert button.does == "https://bot.company.example/keys/t0ken"
    assert "t0ken" not in str(key_store.links)
    refused = as_(DeniedNotice, await ask("/bind main key", person=BUYER))
    assert "Only you may" in str(refused.reason)
    assert str(refused.reason).endswith("your own chat with me: /bind main key")
    assert not refused.ask, "no administrator can help"
    assert len(key_store.links) == 1


@pytest.mark.parametrize(
    ("line", "why"), [("/bind second key", "takes no keys"), ("/绑定 main 密钥", "no account there")]
)
async def test_why_there_is_no_page_is_said(ask: Ask, line: str, why: str) -> None:
    view = as_(AccountList, await ask(line, where=OWN_CHAT))
    assert why in str(view.remark)


async def test_a_key_is_erased_alone_or_with_its_account(ask: Ask, key_store: MemoryKeyStore) -> None:
    async def stored() -> None:
        key_store.keys["buyer01", "main"] = EnteredKey(user_id="buyer01", source="main", account="zhao", entered_at=NOW)

    for line, person in (("/unbind main key", BUYER), ("/unbind main", BUYER), ("/unbind main buyer01", MANAGER)):
        await stored()
        view = as_(AccountList, await ask(line, person=person))
        assert str(view.remark) == "The key is erased."
        assert not key_store.keys
    assert str(as_(AccountList, await ask("/unbind main key", person=BUYER)).remark) == "There is no key to erase."
    await stored()
    assert "Only administrators" in str(as_(DeniedNotice, await ask("/unbind main buyer01 key")).reason)
    assert key_store.keys
