"""/status, /erps, /quota and /outbox: what administrators look after, closed to everybody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.audit import AuditKind
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice
from bot.cards.view import View
from bot.chat.message import Conversation, ConversationKind
from commands.erps import ErpStates
from commands.outbox import OutboxCard, OutboxList
from commands.quota import QuotaOverview
from commands.status import BotStatus
from commands.trace import TraceView
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.commands.operations_fakes import DEAD, SENT, MemoryDesk
from tests.recording_audit import RecordingAudit

BOSS = replace(KEEPER, user_id="boss01", name="赵总", is_admin=True)
OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)


@pytest.mark.parametrize(
    "line", ["/status", "/erps", "/quota", "/outbox", "/outbox replay", "/audit verify", "/trace 7K0M1QX9"]
)
async def test_only_administrators_look_after_the_bot(ask: Ask, desk: MemoryDesk, line: str) -> None:
    assert as_(DeniedNotice, await ask(line, where=OWN_CHAT)).ask == ("admin",)
    assert desk.replayed == []


async def test_what_is_not_well_comes_first_with_what_helps(ask: Ask) -> None:
    view = as_(BotStatus, await ask("/运行状态", person=BOSS, where=OWN_CHAT))
    assert [(str(row.part), row.state.value, str(row.reason), str(row.remedy)) for row in view.rows] == [
        ("ERP main", "degraded", "no answer", "`dingerp erp check main` tells what is wrong."),
        ("connection to DingTalk", "ok", "", ""),
        ("database", "ok", "", ""),
    ]
    assert (view.unwell, view.misread, view.asked) == (1, 2, 30)


async def test_erps_and_quotas_are_told_without_asking_any(ask: Ask) -> None:
    (row,) = as_(ErpStates, await ask("/erps", person=BOSS, where=OWN_CHAT)).rows
    assert (row.name, row.state.value, row.failed, row.milliseconds, row.rejected) == ("main", "degraded", 2, 84, 1)
    reports = as_(QuotaOverview, await ask("/额度", person=BOSS, where=OWN_CHAT)).reports
    assert [(each.quota, each.used, each.forecast, each.is_beyond) for each in reports] == [
        ("calls", 40, 90, False),
        ("uses", 40, 90, False),
    ]


@pytest.mark.parametrize(
    ("line", "cards"),
    [
        ("/outbox", [DEAD, SENT]),
        ("/outbox dead", [DEAD]),
        ("/发件箱 已发", [SENT]),
        ("/outbox queued", []),
        ("/outbox main/E-1", [DEAD, SENT]),
    ],
)
async def test_the_outbox_lists_what_is_owed_at_places_by_name(ask: Ask, line: str, cards: list[str]) -> None:
    view = as_(OutboxList, await ask(line, person=BOSS, where=OWN_CHAT))
    assert [row.card for row in view.rows] == cards
    assert {row.place for row in view.rows} <= {"仓库群", "陈经理"}


async def test_one_that_was_given_up_is_begun_anew_once(
    ask: Ask, desk: MemoryDesk, poked: list[str], audit: RecordingAudit
) -> None:
    shown = as_(OutboxCard, await ask(f"/outbox {DEAD}", person=BOSS, where=OWN_CHAT))
    assert (str(shown.delivery.state), shown.delivery.reason) == ("given up", "the robot is not there")
    (again,) = [line for line in lines(shown) if line.endswith("replay")]
    begun = as_(OutboxCard, await ask(again, person=BOSS, where=OWN_CHAT))
    assert (begun.begun, str(begun.delivery.state)) == (True, "waits to be sent")
    repeated = as_(OutboxCard, await ask(again, person=BOSS, where=OWN_CHAT))
    assert repeated.begun is False
    assert again not in lines(repeated)
    assert (desk.replayed, poked) == ([DEAD], ["owed"])
    kept = [(each.kind, each.actor, each.action, each.detail) for each in audit.entries]
    assert kept == [(AuditKind.OPERATOR, "boss01", "deliveries replay", DEAD)]


async def test_all_that_were_given_up_are_begun_anew(ask: Ask, desk: MemoryDesk) -> None:
    listed = as_(OutboxList, await ask("/outbox dead", person=BOSS, where=OWN_CHAT))
    assert "/outbox replay" in lines(listed)
    waiting = as_(OutboxList, await ask("/outbox replay", person=BOSS, where=OWN_CHAT))
    assert [row.card for row in waiting.rows] == desk.replayed == [DEAD]
    assert as_(OutboxList, await ask("/outbox replay", person=BOSS, where=OWN_CHAT)).rows == ()


async def test_what_is_no_card_is_begun_by_nobody(ask: Ask, desk: MemoryDesk) -> None:
    for line in ("/outbox nothing", "/outbox nothing replay"):
        as_(NotFoundNotice, await ask(line, person=BOSS, where=OWN_CHAT))
    as_(BadArgumentNotice, await ask("/outbox dead replay", person=BOSS, where=OWN_CHAT))
    assert desk.replayed == []


async def test_a_trace_tells_what_was_asked_and_each_step(ask: Ask, audit: RecordingAudit) -> None:
    view = as_(TraceView, await ask("/trace 7kOm-lqx9", person=BOSS, where=OWN_CHAT))
    (line,) = view.lines
    assert (line.line, line.read_as) == ("PO-1055 批了没有", "/po PO-1055")
    assert (line.outcome, line.rule) == ("erp_down", "purchasing")
    assert [(str(row.step), str(row.outcome), row.took) for row in view.rows] == [
        ("finding the answer", "went well", 4007),
        ("erp get_order", "no answer in time", 4000),
    ]
    assert [(each.kind, each.detail) for each in audit.entries if each.action == "trace"] == [
        (AuditKind.OPERATOR, "7K0M1QX9")
    ]


@pytest.mark.parametrize(("reference", "notice"), [("7K0M1QX", BadArgumentNotice), ("7K0M1QX8", NotFoundNotice)])
async def test_what_is_no_reference_and_what_is_not_kept(ask: Ask, reference: str, notice: type[View]) -> None:
    as_(notice, await ask(f"/trace {reference}", person=BOSS, where=OWN_CHAT))
