"""The use of a language model is counted beside DingTalk's quotas."""

from __future__ import annotations

from bot.outbox.spending import Purpose, Quota, SpentKey
from bot.store.database import Database
from bot.store.outbox.call_counts import StoredModelUse, StoredMonthlyCalls
from bot.understanding.language_model.ports import ModelUse


async def test_two_processes_add_to_one_month(database: Database) -> None:
    one, other = StoredModelUse(database), StoredModelUse(database)
    assert await one.add("2026-11", ModelUse()) == ModelUse()
    assert await one.add("2026-11", ModelUse(calls=1)) == ModelUse(calls=1)
    used = ModelUse(calls=2, prompt_tokens=700, answer_tokens=9)
    assert await other.add("2026-11", ModelUse(calls=1, prompt_tokens=700, answer_tokens=9)) == used
    assert await other.add("2026-12", ModelUse(calls=1)) == ModelUse(calls=1)
    assert await one.add("2026-11", ModelUse()) == used


async def test_it_is_no_quota_of_dingtalk(database: Database) -> None:
    await StoredModelUse(database).add("2026-11", ModelUse(calls=5))
    calls = {SpentKey(Quota.CALLS, Purpose.ALERT): 3}
    assert await StoredMonthlyCalls(database).add("2026-11", calls) == calls
    assert await StoredModelUse(database).add("2026-11", ModelUse()) == ModelUse(calls=5)
