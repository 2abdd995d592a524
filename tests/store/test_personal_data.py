"""What the database knows of a person is told and erased; what the company decided stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.chat.answers.ports import InboxState
from bot.outbox.delivery import Delivery, DeliveryStepKind, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.rows import alert_row, mute_row, watch_row
from bot.store.approvals.rows import audit_row, card_row, decision_row, vote_rows
from bot.store.database import Database
from bot.store.outbox.queries import step
from bot.store.outbox.queue import enqueue
from bot.store.personal_data import ERASED, erase_person, export_person
from bot.store.tables import (
    ABSENCE,
    AGENT_GRANT,
    ALERT,
    ALERT_WAIT,
    API_KEY,
    APPROVAL_AUDIT,
    APPROVAL_CARD,
    APPROVAL_DECISION,
    APPROVAL_PERSON,
    APPROVAL_VOTE,
    AUDIT,
    CREATION,
    DECISION_WAIT,
    DELIVERY,
    DELIVERY_STEP,
    DIALOGUE,
    ERP_ACCOUNT,
    ERP_KEY,
    ERP_KEY_LINK,
    INBOX,
    LANGUAGE,
    MUTE,
    PAGE_CONFIRMATION,
    PAGE_SESSION,
    PERSON,
    PROPOSAL,
    RULE_VERSION,
    STANDING_ANSWER,
    SUBSCRIPTION,
    WATCH,
)
from tests.store import stored_examples as examples

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
ME, OTHER = "me", "other"


def fill(connection: Connection, person: str, number: int) -> None:
    """Store something of each kind about a person."""
    case = examples.FULL_CASE
    add = connection.execute
    add(insert(LANGUAGE), {"user_id": person, "code": "en"})
    asked = {"user_id": person, "conversation_id": "cid", "at_ms": 1, "line": "/stock SKU123", "rows": "[]"}
    add(insert(DIALOGUE), asked)
    bound = {"user_id": person, "source": "main", "name": person, "account": "a", "wanted": "", "state": "bound"}
    add(insert(ERP_ACCOUNT), bound | {"decided_by": "", "revision": 1})
    begun = {"id": f"order of {person}", "user_id": person, "state": "written", "made_us": 1, "body": "{}"}
    add(insert(CREATION), begun)
    mine = {"user_id": person, "source": "main", "account": "a"}
    add(insert(ERP_KEY), mine | {"secret": "hunter2", "entered_ms": 1})
    add(insert(ERP_KEY_LINK), mine | {"digest": f"digest of {person}", "expires_ms": 1, "tries": 0})
    login = {"digest": f"digest of the login of {person}", "user_id": person, "corp_id": "ours", "device": "phone"}
    add(insert(PAGE_SESSION), login | {"began_ms": 1, "seen_ms": 1})
    program = {"id": f"key of {person}", "digest": f"digest of the key of {person}", "user_id": person}
    add(insert(API_KEY), program | {"scopes": "order", "made_ms": 1, "expires_ms": 2, "seen_ms": None})
    given = dict.fromkeys(("client_id", "client", "redirect_uri", "resource", "scopes", "commands", "challenge"), "x")
    given |= {"id": f"key of {person}", "user_id": person, "code": "digest", "family": "digest", "refresh": "digest"}
    add(insert(AGENT_GRANT), given | {"code_ends_ms": 1, "made_ms": 1, "ends_ms": 2})
    asked_here = {"id": f"confirmation of {person}", "user_id": person, "session": "digest", "about": "rules:1"}
    add(insert(PAGE_CONFIRMATION), asked_here | {"state": "asked", "asked_ms": 1, "words": "[]"})
    proposed = {"id": f"proposal to {person}", "key_id": f"key of {person}", "asked_as": "a", "owner": person}
    add(insert(PROPOSAL), proposed | {"state": "waiting", "asked_us": 1, "due_us": 2, "body": "{}"})
    wrote = {"subject": "alerts", "state": "published", "text": "", "sha256": "", "base": "", "reason": ""}
    add(insert(RULE_VERSION), wrote | {"author": person, "made_ms": 1, "publisher": "", "published_ms": 1})
    standing = {
        "track": f"q1-{person}",
        "place": "group:cid",
        "conversation": "cid",
        "user_id": person,
        "line": "/po PO-1",
    }
    add(
        insert(STANDING_ANSWER),
        standing | {"first_row": 0, "readers": "all", "made_as": "po", "at_ms": 1, "revision": 1},
    )
    comes = {"id": f"sub-{person}", "place": "group:cid", "conversation": "cid", "user_id": person, "line": "/po"}
    add(insert(SUBSCRIPTION), comes | {"at": "08:30", "workdays": True, "next_ms": 1, "ended": False})
    nothing = dict.fromkeys(("checked_us", "changed_us", "left_us", "wrote_us"))
    named = {"user_id": person, "name": person, "roles": "[]", "departments": "[]", "is_admin": False, "written_us": 1}
    named |= {"manager": None}
    add(insert(PERSON), named | nothing)
    said = {"kind": "question", "actor": person, "action": "po", "documents": "[]", "shown": "[]"}
    rest = dict.fromkeys(("conversation", "rule", "outcome", "detail", "previous", "hash"), "")
    add(insert(AUDIT), {"seq": number, "at_ms": 1, **said, **rest})
    days = dict.fromkeys(("begins_ms", "ends_ms", "due_ms", "revision"), 1)
    for away, by in ((person, "somebody"), (f"friend of {person}", person)):
        add(insert(ABSENCE), days | {"user_id": away, "substitute": by})
    add(insert(WATCH), watch_row(replace(examples.WATCHES[0], user_id=person)))
    for until in (NOW - timedelta(hours=1), NOW + timedelta(hours=1)):
        add(insert(MUTE), mute_row(replace(examples.MUTE, id=f"{person}{until:%H}", by=person, until=until)))
    payload = orjson.dumps({"senderStaffId": person, "text": {"content": "secret"}}).decode()
    rows = [(f"{person}-1", payload), (f"{person}-2", ""), (f"{person}-3", "no JSON"), (f"{person}-4", "[]")]
    for msg_id, text in rows:
        add(insert(INBOX), {"msg_id": msg_id, "state": InboxState.WAITING, "received_ms": 1, "payload": text})
    stamp = replace(examples.FULL_ALERT.acknowledged, user_id=person)  # type: ignore[type-var]
    alert = replace(examples.FULL_ALERT, id=f"alert-{person}", acknowledged=stamp, assigned=None, snoozed=None)
    add(insert(ALERT), alert_row(alert, None, number))
    add(insert(ALERT), alert_row(replace(examples.SMALL_ALERT, id=f"free-{person}"), None, number + 1))
    place = Place(PlaceKind.PERSON, person)
    for card in ("sent", "queued"):
        delivery = Delivery(
            card=f"{card}-{person}", place=place, kind="alert", ref="x", revision=1, due_at=NOW, urgency=Urgency.NOW
        )
        enqueue(connection, delivery, now=NOW)
    add(DELIVERY.update().where(DELIVERY.c.card == f"sent-{person}").values(state="done"))
    add(insert(DELIVERY_STEP), step("c", 1, DeliveryStepKind.CLICKED, 0, detail=person))
    add(insert(APPROVAL_VOTE), vote_rows(case)[0] | {"case_id": f"c-{person}", "user_id": person})
    assert case.decision is not None
    add(insert(APPROVAL_DECISION), decision_row(f"c-{person}", case.decision) | {"user_id": person})
    waited = {"person": person, "at_ms": 1, "rule": "r"}
    decided = dict.fromkeys(("waited_s", "worked_s", "level"), 1) | {"currency": "CNY", "size": 1, "way": "card"}
    add(
        insert(DECISION_WAIT),
        waited | decided | {"case_id": "c", "approved": True, "changed": False, "in_time": None, "kind": "po"},
    )
    handled = {"number": number, "acknowledged_s": 1, "resolved_s": None, "ignored": False, "repeated": False}
    add(insert(ALERT_WAIT), waited | handled)
    add(insert(APPROVAL_PERSON), {"case_id": f"c-{person}", "user_id": person})
    add(insert(APPROVAL_CARD), card_row(replace(examples.CASE_CARDS[0], case=f"c-{person}", for_user=person)))
    add(insert(APPROVAL_AUDIT), audit_row(replace(examples.AUDIT, case=f"c-{person}", user_id=person)))


def exported(connection: Connection, person: str) -> list[str]:
    return sorted(table for table, _ in export_person(connection, person))


EVIDENCE = ["approval_audit", "approval_card", "approval_decision", "approval_person", "approval_vote", "audit"]
OWN = [
    "absence",
    "absence",
    "agent_grant",
    "alert",
    "alert_wait",
    "api_key",
    "creation",
    "decision_wait",
    "delivery",
    "delivery",
    "delivery_step",
    "dialogue",
    "erp_account",
    "erp_key",
]
OWN += ["erp_key_link", "inbox", "language"]
EVIDENCE += ["rule_version"]
OWN += ["mute", "mute", "page_confirmation", "page_session", "person", "proposal"]
OWN += ["standing_answer", "subscription", "watch"]


async def test_all_rows_about_a_person_are_told_and_none_of_others(database: Database) -> None:
    def work(connection: Connection) -> None:
        fill(connection, ME, 1)
        fill(connection, OTHER, 11)
        assert exported(connection, ME) == sorted([*EVIDENCE, *OWN])
        assert exported(connection, "nobody") == []
        rows: dict[str, Any] = dict(export_person(connection, ME))
        assert "secret" in rows["inbox"]["payload"]
        assert "hunter2" not in str(rows)
        assert "digest of" not in str(rows)
        assert OTHER not in orjson.dumps([dict(row) for row in rows.values()]).decode()

    await database.run(work)


async def test_a_card_that_somebody_shares_stays_the_others(database: Database) -> None:
    me, other, group = Place(PlaceKind.PERSON, ME), Place(PlaceKind.PERSON, OTHER), Place(PlaceKind.GROUP, "cidA==")

    def work(connection: Connection) -> None:
        for card, places in {"a": (group, me, other), "b": (me, other)}.items():
            ref = "|".join((card, *map(str, places)))
            delivery = Delivery(
                card=card, place=places[0], also=places[1:], kind="approval", ref=ref, revision=1, due_at=NOW
            )
            enqueue(connection, delivery, now=NOW)
        connection.execute(DELIVERY.update().values(state="done"))
        assert exported(connection, ME) == ["delivery", "delivery"]
        assert erase_person(connection, ME, NOW).erased["delivery"] == 2
        assert exported(connection, ME) == []
        left = connection.execute(select(DELIVERY.c.place, DELIVERY.c.also, DELIVERY.c.ref).order_by(DELIVERY.c.card))
        assert [tuple(row) for row in left] == [
            (str(group), str(other), f"a|{group}|{other}"),
            (str(other), "", f"b|{other}"),
        ]

    await database.run(work)


async def test_a_to_do_that_somebody_shares_forgets_them(database: Database) -> None:
    me, other = Place(PlaceKind.PERSON, ME), Place(PlaceKind.PERSON, OTHER)
    stood = {"task": "task1", "people": [ME, OTHER], "done": [ME], "ended": True}

    def work(connection: Connection) -> None:
        delivery = Delivery(card="a", place=me, also=(other,), kind="approval_todo", ref="a", revision=1, due_at=NOW)
        enqueue(connection, delivery, now=NOW)
        connection.execute(DELIVERY.update().values(state="done", standing=orjson.dumps(stood).decode()))
        erase_person(connection, ME, NOW)
        left = orjson.loads(str(connection.scalar(select(DELIVERY.c.standing))))
        assert left == {"task": "task1", "people": [OTHER], "done": [], "ended": True}
        connection.execute(DELIVERY.update().values(place=str(me), also=str(other), standing="open"))
        erase_person(connection, ME, NOW)
        assert connection.scalar(select(DELIVERY.c.standing)) == "open"

    await database.run(work)


async def test_a_person_is_erased_and_what_was_decided_stays(database: Database) -> None:
    def work(connection: Connection) -> None:
        fill(connection, ME, 1)
        fill(connection, OTHER, 11)
        before = exported(connection, OTHER)
        report = erase_person(connection, ME, NOW)
        assert report.erased == {
            "person": 1, "language": 1, "dialogue": 1, "watch": 1, "erp_account": 1, "mute": 2, "alert": 1,
            "erp_key": 1, "erp_key_link": 1, "held_right": 0, "page_session": 1, "page_confirmation": 1, "api_key": 1,
            "agent_grant": 1, "proposal": 1, "absence": 2, "creation": 1,
            "standing_answer": 1,
            "subscription": 1,
            "inbox": 1, "delivery": 1, "delivery_step": 1, "decision_wait": 1, "alert_wait": 1, "unread_sentence": 0,
        }  # fmt: skip
        assert dict(report.kept) == dict.fromkeys(EVIDENCE, 1)
        assert exported(connection, ME) == sorted([*EVIDENCE, "delivery"]), "a card that is still to be sent is sent"
        assert exported(connection, OTHER) == before
        assert connection.scalars(select(MUTE.c.author).where(MUTE.c.author == ERASED)).all() == [ERASED]
        assert sum(erase_person(connection, ME, NOW).erased.values()) == 0

    await database.run(work)
