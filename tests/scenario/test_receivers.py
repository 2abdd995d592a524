"""Programs that are told what happens, of the whole bot: what arrives, and that it is what the owner may see now."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import Connection

from bot.bootstrap.receivers import receivers_of
from bot.settings import ReceiverSettings, RuleSettings, Settings
from bot.store.database import Database
from bot.store.erp.read_model import change_of
from bot.store.outbox.happenings import tell
from bot.words.errors import ConfigurationError
from tests.queues import broker_servers
from tests.queues.test_brokers import needs
from tests.scenario.alerts.scenario import OpenAlertScenario, open_alert_scenario
from tests.scenario.approvals.scenario import (
    MANAGER,
    SMALL,
    YES,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.traffic import eventually
from tests.web.receiving_program import SECRET, ReceivingProgram, receiving_program

__all__ = ["open_alert_scenario", "open_approval_scenario"]

BOSS, CLERK = "boss01", "sales01"


def receiver(program: ReceivingProgram, owner: str = BOSS, **more: Any) -> ReceiverSettings:
    return ReceiverSettings(url=SecretStr(program.url), owner=owner, secret=SecretStr(SECRET), private=True, **more)


def overdue(scenario: Any, amount: str = "12800.00", **more: Any) -> dict[str, Any]:
    sale = {"customer": "Shanghai Pump Works", "amount": amount, "currency": "CNY", "due_on": "2026-11-01"}
    return scenario.event("invoice.overdue", "INV-7", number="INV-7", **sale, **more)


async def test_the_life_of_an_alert_is_told_in_order(open_alert_scenario: OpenAlertScenario) -> None:
    async with receiving_program() as program:
        told = {"flow": receiver(program, types=("alert.*",))}
        async with open_alert_scenario(receivers=told) as scenario:
            await scenario.post(overdue(scenario), overdue(scenario, "13900.00"))
            await scenario.post(overdue(scenario, resolved=True))
            await eventually(lambda: len(program.got) == 3, hint=program.types)
    assert program.types() == ["dingerp.alert.opened", "dingerp.alert.changed", "dingerp.alert.resolved"]
    first = program.got[0]
    assert (first["specversion"], first["datacontenttype"]) == ("1.0", "application/json")
    view = first["data"]["view"]
    assert first["subject"] == f"alerts/{view['alert']['id']}"
    assert view["alert"]["event"]["subject"] == "INV-7"
    assert program.ids == [event["id"] for event in program.got]


@needs("redis-server")
async def test_the_same_through_a_broker(open_alert_scenario: OpenAlertScenario) -> None:
    from redis.asyncio import Redis

    with broker_servers.redis() as url:
        flow = ReceiverSettings(url=SecretStr(url), queue="events", owner=BOSS, types=("alert.*",))
        async with (
            open_alert_scenario(receivers={"flow": flow}) as scenario,
            Redis.from_url(url) as broker,
        ):
            await scenario.post(overdue(scenario))
            await scenario.post(overdue(scenario, resolved=True))
            told = partial(scenario.system.count, "receiver_events_total")
            await eventually(lambda: told(receiver="flow", what="written") == 2, hint=told)
            got = [orjson.loads(entry[b"event"]) for _, entry in await broker.xrange("events")]
    assert [event["type"] for event in got] == ["dingerp.alert.opened", "dingerp.alert.resolved"]
    assert got[0]["data"]["view"]["alert"]["event"]["subject"] == "INV-7"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "redis://127.0.0.1"}, "receivers.flow.queue: name the stream"),
        ({"url": "mqtt://127.0.0.1", "queue": "events"}, "receivers.flow.url: it is no https:// address"),
        ({"url": "https://flow.example", "queue": "events", "secret": SECRET}, "receivers.flow.queue: only a broker"),
        ({"url": "https://flow.example"}, "receivers.flow: "),
    ],
)
def test_settings_that_cannot_be_meant(changes: dict[str, str], said: str) -> None:
    settings = Settings(receivers={"flow": ReceiverSettings.model_validate({"owner": BOSS, **changes})})
    with pytest.raises(ConfigurationError, match=said):
        receivers_of(settings)


async def test_what_its_owner_may_not_see_is_hidden_or_not_told(open_alert_scenario: OpenAlertScenario) -> None:
    rules = (
        RuleSettings.model_validate({"commands": ["*"], "people": [BOSS]}),
        RuleSettings.model_validate({"commands": ["alerts", "invoice"], "people": [CLERK], "fields": ["partner"]}),
    )
    async with receiving_program() as boss, receiving_program() as clerk, receiving_program() as other:
        told = {
            "boss": receiver(boss),
            "clerk": receiver(clerk, CLERK),
            "other": receiver(other, "keeper01"),
        }
        async with open_alert_scenario(receivers=told, access={"rules": rules}) as scenario:
            await scenario.post(overdue(scenario))
            settled = partial(scenario.system.count, "receiver_events_total")
            await eventually(
                lambda: boss.got and clerk.got and settled(receiver="other", what="nothing"), hint=lambda: other.calls
            )
    [seen], [cut] = boss.got, clerk.got
    assert "12800" in str(seen)
    assert "12800" not in str(cut)
    assert cut["data"]["view"]["alert"]["event"]["amount"] == {"hidden": "amount"}
    assert not other.calls


async def test_a_decision_is_told_from_its_request_to_the_erp(open_approval_scenario: OpenApprovalScenario) -> None:
    async with receiving_program() as program:
        told = {"flow": receiver(program, types=("decision.*",))}
        people = (BOSS, MANAGER)
        access = {
            "directory": True,
            "roles": {"approver": frozenset(people)},
            "accounts": {person: {"demo": person} for person in people},
            "rules": (RuleSettings.model_validate({"commands": ["decisions"], "people": [BOSS]}),),
        }
        async with open_approval_scenario(SMALL, receivers=told, access=access) as scenario:
            await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
            await eventually(lambda: len(program.got) == 4, hint=program.types)
    assert program.types() == [f"dingerp.decision.{what}" for what in ("asked", "voted", "made", "written")]
    last = program.got[-1]
    assert (last["subject"], last["data"]["view"]["number"]) == (f"approvals/{SMALL}", SMALL)


async def test_a_document_is_told_as_its_erp_has_it_now(open_approval_scenario: OpenApprovalScenario) -> None:
    async with receiving_program() as program:
        told = {"flow": receiver(program, types=("document.changed",))}
        async with open_approval_scenario(SMALL, receivers=told) as scenario:
            app = scenario.system.app
            changed = change_of("demo", await scenario.order(SMALL), scenario.clock())

            def store(connection: Connection) -> None:
                tell(connection, receivers_of(app.settings), [changed], now=scenario.clock())

            database = Database(app.settings.database)
            await database.run(store)
            await database.close()
            app.alerts.outbox.poke()
            await eventually(lambda: program.got, hint=program.types)
    event = program.got[0]
    assert (event["type"], event["subject"]) == ("dingerp.document.changed", f"po/{SMALL}")
    assert event["data"]["view"]["document"]["number"] == SMALL
