"""After a restore no right works that somebody may have given up, until its owner or an administrator confirms it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Connection

from bot.access.audit import AuditSearch
from bot.alerts.subscriptions import Subscription
from bot.approvals.case import Case, CaseState
from bot.chat.accounts.binding import AccountState
from bot.chat.held_rights import HeldRightKind
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.api_keys import StoredApiKeys
from bot.store.approvals.repository import StoredCaseRepository
from bot.store.audit.chain import AuditWitness, ChainLink
from bot.store.audit.log import StoredAudit
from bot.store.chat.accounts import StoredErpAccounts, StoredErpKeys
from bot.store.database import Database
from bot.store.held_rights import StoredHeldRights, hold_rights
from bot.store.row_times import to_ms
from bot.store.tables import (
    AGENT_GRANT,
    API_KEY,
    APPROVAL_VOTE,
    DELIVERY,
    ERP_ACCOUNT,
    ERP_KEY,
    ERP_KEY_LINK,
    HEARTBEAT,
    HELD_RIGHT,
    INBOX,
    MUTE,
    WATCH,
)
from tests.store import stored_examples as examples
from tests.store.test_audit import entry

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
DAILY = Subscription(
    place=Place(PlaceKind.PERSON, "amy"), conversation="cid", user_id="amy", line="/order late", at=time(8, 30),
    workdays=False, next_at=NOW,
)  # fmt: skip


def fill(connection: Connection) -> None:
    """Give amy an account with a key, a key for a program, a link to enter another, a watch, a question and a mute."""
    bound = {"user_id": "amy", "source": "main", "name": "Amy", "account": "a.my", "wanted": "", "state": "bound"}
    connection.execute(insert(ERP_ACCOUNT), bound | {"decided_by": "boss", "revision": 3})
    key = {"user_id": "amy", "source": "main", "account": "a.my", "secret": "hunter2", "entered_ms": 1}
    connection.execute(insert(ERP_KEY), key)
    link = {"user_id": "amy", "source": "main", "digest": "d", "account": "a.my"}
    connection.execute(insert(ERP_KEY_LINK), link | {"expires_ms": to_ms(LATER), "tries": 0})
    watch = {"id": "w", "user_id": "amy", "area": "stock", "subject": "SKU1", "folded": "sku1", "title": "Bolts"}
    connection.execute(
        insert(WATCH), watch | {"comparison": "", "bound": "", "made_ms": 1, "source": "", "company": ""}
    )
    asked = {"msg_id": "1", "payload": "/watch SKU2", "received_ms": 1, "state": "acknowledged"}
    connection.execute(insert(INBOX), asked)
    program = {"id": "k", "digest": "d", "user_id": "amy", "scopes": "order, stock", "made_ms": 1, "seen_ms": None}
    connection.execute(insert(API_KEY), program | {"expires_ms": to_ms(LATER)})
    given = {"id": "g", "digest": "e", "user_id": "amy", "scopes": "order", "made_ms": 1, "seen_ms": None}
    connection.execute(insert(API_KEY), given | {"expires_ms": to_ms(LATER)})
    login = dict.fromkeys(("client_id", "client", "redirect_uri", "resource", "scopes", "commands", "challenge"), "x")
    login |= dict.fromkeys(("code", "family", "refresh"), "d") | {"id": "g", "user_id": "amy"}
    connection.execute(insert(AGENT_GRANT), login | {"code_ends_ms": 1, "made_ms": 1, "ends_ms": to_ms(LATER)})
    mute = {"id": "m", "place": "group:cid", "pattern": "stock.low", "author": "Amy", "made_ms": 1}
    connection.execute(insert(MUTE), mute | {"until_ms": to_ms(NOW + timedelta(days=9)), "critical": True})


@pytest.fixture
async def restored(database: Database) -> StoredHeldRights:
    """What a restored database keeps aside."""
    await StoredSubscriptions(database).put(DAILY)
    await database.run(fill)
    await database.run(lambda connection: hold_rights(connection, NOW))
    return StoredHeldRights(database)


async def test_what_a_login_gave_is_given_again_by_a_login(restored: StoredHeldRights, database: Database) -> None:
    assert await database.rows(AGENT_GRANT.select()) == []
    assert await database.rows(API_KEY.select()) == []
    assert not [right for right in await restored.of("amy") if right.about.startswith("g:")]


async def in_force(database: Database) -> dict[str, Any]:
    """Return what readers find in force."""
    keys = StoredErpKeys(database, {}, is_offered=True)
    account = await StoredErpAccounts(database).find("amy", "main")
    subscriptions = StoredSubscriptions(database)
    return {
        "account": account.account if account else "",
        "keys": [secret.get_secret_value() for secret in (await keys.keys_of("main")).values()],
        "key": await keys.find("amy", "main") is not None,
        "link": await keys.find_link("d", NOW) is not None,
        "subscriptions": len(await subscriptions.at_place(DAILY.place)),
        "due": await subscriptions.send_due(LATER, UTC),
        "watches": len(await database.rows(select(WATCH.c.id))),
        "api_keys": [sorted(key.scopes) for key in await StoredApiKeys(database).all()],
        "mutes": len(await database.rows(select(MUTE.c.id))),
        "questions": len(await database.rows(select(INBOX.c.msg_id))),
    }


NOTHING = {
    "account": "",
    "keys": [],
    "key": False,
    "link": False,
    "subscriptions": 0,
    "due": 0,
    "watches": 0,
    "api_keys": [],
    "mutes": 0,
    "questions": 0,
}


async def test_nothing_works_until_it_is_confirmed(database: Database, restored: StoredHeldRights) -> None:
    assert await in_force(database) == NOTHING
    found = await restored.of("amy")
    assert sorted((each.kind.value, each.about) for each in found) == [
        ("account", "main: a.my"),
        ("api_key", "k: order, stock"),
        ("key", "main: a.my"),
        ("subscription", "/order late 08:30"),
        ("watch", "Bolts"),
    ]
    assert await restored.of("bob") == ()
    assert await restored.confirm(found, by="amy", now=LATER) == 5
    again = {
        "account": "a.my",
        "keys": ["hunter2"],
        "key": True,
        "link": False,
        "subscriptions": 1,
        "due": 1,
        "watches": 1,
        "api_keys": [["order", "stock"]],
        "mutes": 0,
        "questions": 0,
    }
    assert await in_force(database) == again
    assert await restored.count() == 0
    log = StoredAudit(database, AuditWitness(Path("nowhere")))
    noted = await log.search(AuditSearch(actor="amy", after=0))
    assert [(kept.entry.action, kept.entry.outcome) for kept in noted] == [
        (f"restored.{each.kind}", "confirmed") for each in found
    ]


async def test_what_is_given_up_is_gone(database: Database, restored: StoredHeldRights) -> None:
    await restored.drop(await restored.of("amy"), by="amy", now=LATER)
    assert await restored.of("amy") == ()
    assert await in_force(database) == NOTHING


async def test_a_search_binds_no_account_that_waits(database: Database, restored: StoredHeldRights) -> None:
    """Who unbound an account is not searched for (`bot.chat.accounts.binding`), and neither is who may have."""
    account = await StoredErpAccounts(database).find("amy", "main")
    assert account is not None
    assert (account.state, account.wanted, account.revision) == (AccountState.UNBOUND, "a.my", 4)


async def test_an_account_that_somebody_else_has_by_now_is_not_given_back(
    database: Database, restored: StoredHeldRights
) -> None:
    other = {"user_id": "bob", "source": "main", "name": "Bob", "account": "A.My", "wanted": "", "state": "bound"}
    await database.execute(insert(ERP_ACCOUNT), [other | {"decided_by": "", "revision": 1}])
    found = await restored.of("amy")
    assert await restored.confirm(found, by="amy", now=LATER) == 4
    assert (await in_force(database))["account"] == ""
    assert (await in_force(database))["keys"] == [], "a key works with its account alone"


async def test_what_is_newer_stays(database: Database, restored: StoredHeldRights) -> None:
    newer = replace(DAILY, workdays=True)
    await StoredSubscriptions(database).put(newer)
    await restored.confirm(await restored.of("amy"), by="amy", now=LATER)
    assert await StoredSubscriptions(database).at_place(DAILY.place) == (newer,)


async def test_held_twice_it_waits_once(database: Database, restored: StoredHeldRights) -> None:
    await database.run(lambda connection: hold_rights(connection, LATER))
    assert len(await restored.of("amy")) == 5


async def test_owners_are_told_once(database: Database, restored: StoredHeldRights) -> None:
    for _ in range(2):
        assert await restored.tell_owners(LATER) == 1
    assert [row.place for row in await database.rows(select(DELIVERY.c.place))] == ["person:amy"]


async def test_nobody_s_words_lie_open(database: Database, restored: StoredHeldRights) -> None:
    def stored(connection: Connection) -> str:
        return repr(connection.exec_driver_sql("SELECT * FROM held_right").all())

    assert not {"hunter2", "/order late", "Bolts"} & {
        word for word in ("hunter2", "/order late", "Bolts") if word in await database.run(stored)
    }


async def test_what_does_not_open_holds_up_nothing_else(database: Database) -> None:
    """A watch works without its title; a key, a subscription and a case are nothing without what does not open."""
    await StoredSubscriptions(database).put(DAILY)
    await StoredSubscriptions(database).put(replace(DAILY, line="/stock"))
    cases = [replace(examples.FULL_CASE, id=f"c-{number}", number=number, attempted_at=None) for number in "12"]

    def damage(connection: Connection) -> None:
        fill(connection)
        repository = StoredCaseRepository(connection, NOW)
        for case in cases:
            repository.put(replace(case, state=CaseState.OPEN))
        repository.flush()
        for broken in (
            "erp_key SET secret = 'x'",
            "watch SET title = 'x'",
            "subscription SET line = 'x' WHERE id = (SELECT min(id) FROM subscription)",
            "approval_case SET body = 'x' WHERE id = 'c-1'",
        ):
            connection.exec_driver_sql(f"UPDATE {broken}")

    await database.run(damage)
    found = await database.run(lambda connection: hold_rights(connection, NOW))
    assert sorted(right.kind.value for right in found) == ["account", "api_key", "subscription", "watch"]
    assert await in_force(database) == NOTHING
    voters = await database.rows(select(APPROVAL_VOTE.c.case_id))
    assert {vote.case_id for vote in voters} == {"c-1"}, "the case that opens has none"


async def test_a_right_that_does_not_open_holds_up_no_other(database: Database, restored: StoredHeldRights) -> None:
    whole = await restored.of("amy")
    await database.execute(text("UPDATE held_right SET content = 'x' WHERE kind = 'key'"))
    left = await restored.of("amy")
    assert left == tuple(right for right in whole if right.kind is not HeldRightKind.KEY)
    assert await restored.count() == len(left)
    assert await restored.confirm(left, by="amy", now=LATER) == len(left)


async def test_votes_that_may_have_been_taken_back_are_void(database: Database) -> None:
    decided = replace(examples.FULL_CASE, state=CaseState.WRITING, attempted_at=None)
    told = replace(examples.FULL_CASE, id="c9-1", number="PO-9", state=CaseState.WRITING)
    assert decided.votes
    assert told.attempted_at is not None

    def put(connection: Connection) -> None:
        repository = StoredCaseRepository(connection, NOW)
        repository.put(decided)
        repository.put(told)
        repository.flush()

    def read(connection: Connection) -> list[Case | None]:
        repository = StoredCaseRepository(connection, NOW)
        return [repository.case(case.id) for case in (decided, told)]

    await database.run(put)
    await database.run(lambda connection: hold_rights(connection, NOW))
    found, written = await database.run(read)
    assert found is not None
    assert (found.state, found.votes, found.forwards, found.decision) == (CaseState.OPEN, (), (), None)
    assert written == told, "the ERP may know of it"


@pytest.mark.parametrize(("older", "holds"), [(timedelta(minutes=1), False), (timedelta(hours=1), True)])
async def test_an_older_database_is_noticed_however_it_came(
    database: Database, tmp_path: Path, older: timedelta, holds: bool
) -> None:
    """By the file beside it: a power cut takes moments, a copy that somebody put in its place more."""
    await database.run(fill)
    witness = AuditWitness(tmp_path)
    witness.write(ChainLink(7, "1" * 64))
    written = datetime.fromtimestamp(witness.written_at(), UTC)
    await database.execute(insert(HEARTBEAT), [{"id": 1, "at_ms": to_ms(written - older)}])
    log = StoredAudit(database, witness, on_older=hold_rights)
    log.record(entry(1))
    await log.flush()
    count = select(func.count()).select_from(HELD_RIGHT)
    assert bool(await database.run(lambda connection: connection.scalar(count))) is holds
