"""/audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.access.audit import AuditCheck, AuditEntry, AuditKind, AuditReader, AuditSearch, RecordedEntry
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice
from bot.chat.message import Conversation, ConversationKind
from bot.words.disclosure import FieldClass
from commands.audit import NAMED, AuditTrail, AuditVerified
from tests.commands.company import NOW
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.recording_audit import RecordingAudit

BOSS = Person(user_id="boss01", name="赵总", is_admin=True)
OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)


class KeptEntries:
    """Implements `AuditReader` on a list."""

    def __init__(self, *entries: AuditEntry) -> None:
        self.kept = [RecordedEntry(seq=number, entry=entry, hash="") for number, entry in enumerate(entries, 1)]

    async def search(self, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
        def fits(entry: AuditEntry) -> bool:
            document = wanted.document.casefold()
            return wanted.actor in ("", entry.actor) and (
                not document or document in map(str.casefold, entry.documents)
            )

        found = [kept for kept in reversed(self.kept) if fits(kept.entry)]
        return tuple(found[: wanted.limit])

    async def check(self) -> AuditCheck:
        broken = [f"entry {kept.seq} is missing" for kept in self.kept if kept.entry.detail == "gone"]
        return AuditCheck(entries=len(self.kept), problems=tuple(broken))


SAW = AuditEntry(
    kind=AuditKind.QUESTION,
    at=NOW,
    actor="buyer01",
    action="po",
    documents=("PO-1001",),
    shown=(FieldClass.COST,),
    outcome="answered",
    detail="",
)
DECIDED = replace(SAW, kind=AuditKind.DECISION, actor="manager01", action="approve", shown=(), detail="applied")
REFUSED = replace(SAW, kind=AuditKind.REFUSAL, actor="keeper01", documents=(), shown=(), detail="not for you")


@pytest.fixture
def audit_reader() -> AuditReader:
    return KeptEntries(SAW, DECIDED, REFUSED, *(replace(SAW, at=NOW + timedelta(hours=n)) for n in range(1, 8)))


async def test_who_saw_and_decided_a_document(ask: Ask) -> None:
    view = as_(AuditTrail, await ask("/audit po-1001", person=BOSS, where=OWN_CHAT, offset=6))
    assert (view.subject, view.total, view.more) == ("po-1001", 9, False)
    assert [(row.who, str(row.deed), row.what, list(map(str, row.shown)), str(row.detail)) for row in view.rows] == [
        ("赵采", "saw", ("PO-1001",), ["costs"], ""),
        ("陈经理", "decided", ("PO-1001",), [], "applied"),
        ("赵采", "saw", ("PO-1001",), ["costs"], ""),
    ]
    first = as_(AuditTrail, await ask("/audit PO-1001", person=BOSS, where=OWN_CHAT))
    assert lines(first) == ["/audit PO-1001 +6", "/export audit PO-1001"]


async def test_what_a_person_saw_and_was_refused(ask: Ask) -> None:
    view = as_(AuditTrail, await ask("/审计 keeper01", person=BOSS, where=OWN_CHAT))
    (row,) = view.rows
    assert (row.who, row.refused, row.what, str(row.detail)) == ("王仓", True, ("/po",), "not for you")


async def test_nothing_is_known(ask: Ask) -> None:
    as_(NotFoundNotice, await ask("/audit PO-9", person=BOSS, where=OWN_CHAT))


async def test_it_is_closed_by_default(ask: Ask) -> None:
    assert as_(DeniedNotice, await ask("/audit PO-1001", where=OWN_CHAT)).ask == ("admin",)


@pytest.mark.parametrize(
    "policy", [AccessPolicy(rules=(AccessRule(commands=frozenset({"audit"}), roles=frozenset({"warehouse"})),))]
)
async def test_a_rule_that_names_it_opens_it(ask: Ask) -> None:
    as_(AuditTrail, await ask("/audit PO-1001", person=KEEPER, where=OWN_CHAT))


async def test_the_log_is_looked_through_and_that_is_recorded(ask: Ask, audit: RecordingAudit) -> None:
    found = as_(AuditVerified, await ask("/audit verify", person=BOSS, where=OWN_CHAT))
    assert (found.entries, found.problems) == (10, ())
    (entry,) = audit.entries
    assert (entry.kind, entry.actor, entry.action) == (AuditKind.OPERATOR, "boss01", "audit verify")
    as_(BadArgumentNotice, await ask("/audit", person=BOSS, where=OWN_CHAT))


class TestBroken:
    @pytest.fixture
    def audit_reader(self) -> AuditReader:
        return KeptEntries(*(replace(SAW, detail="gone") for _ in range(NAMED + 3)))

    async def test_what_is_broken_is_named_up_to_a_number(self, ask: Ask) -> None:
        found = as_(AuditVerified, await ask("/审计 校验", person=BOSS, where=OWN_CHAT))
        assert [str(each) for each in found.problems] == [
            f"entry {number} is missing" for number in range(1, NAMED + 1)
        ]
        assert found.more == 3
