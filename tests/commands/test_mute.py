"""/mute and /unmute."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.access.audit import AuditKind
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts.views import AlertReply, MuteList
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice
from bot.chat.message import Conversation, ConversationKind
from tests.commands.alert_fakes import HERE, OWN, InMemoryAlertService
from tests.commands.company import NOW
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.recording_audit import RecordingAudit

ADMIN = Person(user_id="boss01", name="赵总", is_admin=True)


@pytest.mark.parametrize(
    ("line", "pattern", "length"),
    [
        ("/mute stock.low 2h", "stock.low", timedelta(hours=2)),
        ("/mute stock.low", "stock.low", timedelta(hours=2)),
        ("/MUTE Stock.Low 30M", "stock.low", timedelta(minutes=30)),
        ("静音 低库存 半天", "stock.low", timedelta(hours=12)),
        ("/静音 缺货 2 小时", "stock.out", timedelta(hours=2)),
        ("/jy 逾期 一周", "invoice.overdue", timedelta(weeks=1)),
        ("/mute stock.* 1d", "stock.*", timedelta(days=1)),
        ("/mute stock.＊ 1d", "stock.*", timedelta(days=1)),
        ("/mute custom.cold_store 1.5h", "custom.cold_store", timedelta(minutes=90)),
        ("/mute SO-1001 3天", "SO-1001", timedelta(days=3)),
        ("/mute SKU123.A 1h", "SKU123.A", timedelta(hours=1)),
        ('/mute "BOLT A" 1h', "BOLT A", timedelta(hours=1)),
    ],
)
async def test_muting_a_type_or_a_subject_for_a_while(
    ask: Ask, service: InMemoryAlertService, line: str, pattern: str, length: timedelta
) -> None:
    view = as_(AlertReply, await ask(line))
    (mute,) = service.stored_mutes.values()
    assert (mute.place, mute.pattern, mute.by, mute.until) == (HERE, pattern, "王仓", NOW + length)
    assert view.lines[0].params["time"] == mute.until
    await ask(lines(view)[0])
    assert service.stored_mutes == {}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/mute stock.low soon", "soon"),
        ("/mute stock.low 0h", "at least a minute"),
        ("/mute stock.low 31d", "at most 30 days"),
        ("/mute stock.lower 2h", "stock.low, stock.out"),
        ("/mute sto*k.low 2h", "Only types"),
        ("/mute stock.l*w 2h", "stock.low, stock.out"),
        ("/mute * 2h", "Only types"),
        ("/mute off", "hear about again"),
        ("/mute critical", "what is to be muted"),
    ],
)
async def test_what_is_wrong_is_told_with_examples(
    ask: Ask, service: InMemoryAlertService, line: str, problem: str
) -> None:
    view = as_(BadArgumentNotice, await ask(line))
    assert problem in str(view.problem)
    assert "/mute stock.low 2h" in view.examples
    assert service.stored_mutes == {}


async def test_again_is_the_same_mute_until_later(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/mute stock.low 1h")
    await ask("/mute stock.low 1d")
    assert [mute.until for mute in service.stored_mutes.values()] == [NOW + timedelta(days=1)]


@pytest.mark.parametrize("line", ["/mute", "/mute list", "静音 列表"])
async def test_what_is_muted_here(ask: Ask, service: InMemoryAlertService, line: str) -> None:
    await ask("/mute stock.low 1h")
    await ask("/mute SO-1001 2h", where=Conversation("cidOther==", ConversationKind.GROUP))
    view = as_(MuteList, await ask(line))
    assert [(row.mute.pattern, str(row.word), row.mute.by) for row in view.rows] == [("stock.low", "Low stock", "王仓")]
    assert lines(view) == ["/mute stock.low off"]


@pytest.mark.parametrize("line", ["/mute stock.low off", "/unmute stock.low", "取消静音 低库存", "/静音 库存不足 取消"])
async def test_unmuting(ask: Ask, service: InMemoryAlertService, line: str) -> None:
    await ask("/mute stock.low 1h")
    as_(AlertReply, await ask(line))
    assert service.stored_mutes == {}


async def test_unmuting_what_is_not_muted_shows_what_is(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/mute stock.low 1h")
    view = as_(NotFoundNotice, await ask("/unmute SO-1001"))
    assert [pick.line for pick in view.closest] == ["/mute stock.low off"]
    assert len(service.stored_mutes) == 1


async def test_a_mute_in_ones_own_chat_is_ended_by_a_click_there(ask: Ask, service: InMemoryAlertService) -> None:
    await ask("/mute stock.low 1h", where=Conversation("cidDirect==", ConversationKind.DIRECT))
    assert [mute.place for mute in service.stored_mutes.values()] == [OWN]
    as_(AlertReply, await ask("/mute stock.low off", where=Conversation("cidDirect==", ConversationKind.GROUP)))
    assert service.stored_mutes == {}


@pytest.mark.parametrize(
    "line", ["/mute custom.sec 24h critical", "/静音 custom.sec 24h 严重", "/mute custom.sec critical"]
)
async def test_critical_alerts_are_muted_only_by_those_with_the_right(
    ask: Ask, service: InMemoryAlertService, line: str
) -> None:
    refused = as_(DeniedNotice, await ask(line))
    assert "admin" in str(refused.reason)
    assert (refused.ask, service.stored_mutes) == (("admin",), {})
    as_(AlertReply, await ask(line, person=ADMIN))
    assert [mute.critical for mute in service.stored_mutes.values()] == [True]


async def test_a_mute_says_that_critical_alerts_come_all_the_same(ask: Ask, service: InMemoryAlertService) -> None:
    view = as_(AlertReply, await ask("/mute custom.sec 24h", person=ADMIN))
    assert "Critical alerts are shown" in str(view.lines[1])
    assert [mute.critical for mute in service.stored_mutes.values()] == [False]


@pytest.mark.parametrize(
    "policy", [AccessPolicy(rules=(AccessRule(commands=frozenset({"mute"}), roles=frozenset({"warehouse"})),))]
)
async def test_a_rule_that_names_mute_gives_the_right(ask: Ask, service: InMemoryAlertService) -> None:
    as_(AlertReply, await ask("/mute custom.sec 24h critical", person=KEEPER))
    assert len(service.stored_mutes) == 1


@pytest.mark.parametrize(
    "policy", [AccessPolicy(rules=(AccessRule(commands=frozenset({"*"}), roles=frozenset({"warehouse"})),))]
)
async def test_a_rule_for_all_commands_does_not_give_it(ask: Ask, service: InMemoryAlertService) -> None:
    as_(DeniedNotice, await ask("/mute custom.sec 24h critical", person=KEEPER))


async def test_mutes_are_recorded(ask: Ask, audit: RecordingAudit) -> None:
    await ask("/mute custom.sec 2h critical", person=ADMIN)
    await ask("/unmute custom.sec")
    told = [(entry.kind, entry.actor, entry.action, entry.conversation, entry.detail) for entry in audit.entries]
    assert told == [
        (AuditKind.MUTE, "boss01", "mute", HERE.id, "custom.sec until 2026-11-05T10:30+08:00, critical as well"),
        (AuditKind.MUTE, "keeper01", "unmute", HERE.id, "custom.sec, critical as well"),
    ]
