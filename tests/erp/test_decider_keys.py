"""Adapters decide with the key that a person entered, before any of the configuration, and say whose a key is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.erp.decider_keys import KeyOwners
from bot.erp.errors import AuthFailed, Invalid, NotPermitted
from bot.erp.model import Decision, DecisionOutcome, ReviewState, Verdict
from bot.erp.port import Capability, Erp
from bot.kit.testing import company as reference
from bot.kit.testing.erp_checks import resulting_order
from tests.erp.opened_adapter import opened

ADAPTERS = (
    "erpnext.test_contract:TestErpNextContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "tryton.test_contract:TestTrytonContract",
)
ANNA, CARLA = "anna", "carla"


@dataclass
class EnteredKeys:
    """Implements `bot.erp.decider_keys.DeciderKeys` in memory."""

    keys: dict[str, SecretStr] = field(default_factory=dict)
    is_offered: bool = True

    async def keys_of(self, source: str) -> Mapping[str, SecretStr]:
        assert source == "main"
        return self.keys


def as_entered(key: Any) -> SecretStr:
    """Return a configured key as a person enters it."""
    return SecretStr(f"{key['key']}:{key['secret']}" if isinstance(key, Mapping) else str(key))


@asynccontextmanager
async def without_configured_keys(
    adapter: str, tmp_path: Path, keys: EnteredKeys
) -> AsyncIterator[tuple[Erp, dict[str, SecretStr], reference.ReferenceCompany]]:
    """Open an adapter whose configuration has no keys of people; also gives theirs."""
    theirs: dict[str, SecretStr] = {}

    def without(given: dict[str, Any]) -> dict[str, Any]:
        theirs.update((user, as_entered(key)) for user, key in given["approvers"].items())
        return {name: value for name, value in given.items() if name != "approvers"}

    async with opened(adapter, tmp_path, options=without, keys=keys) as found:
        yield found.erp, theirs, found.company


def waiting(company: reference.ReferenceCompany) -> str:
    return next(
        order.number
        for order in company.purchases.values()
        if order.status is ReviewState.WAITING and order.review.approval and order.review.approval.levels == 1
        if order.review.requester not in (ANNA, CARLA)
    )


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_decision_is_written_with_the_key_that_its_person_entered(adapter: str, tmp_path: Path) -> None:
    keys = EnteredKeys()
    async with without_configured_keys(adapter, tmp_path, keys) as (erp, theirs, company):
        assert Capability.APPROVE in erp.capabilities
        number = waiting(company)
        order = await erp.purchase_order(number)
        decision = Decision(number=number, version=order.review.version, verdict=Verdict.APPROVE, by=ANNA, reason="")
        assert (await erp.decide(decision)).outcome is DecisionOutcome.NOT_PERMITTED
        keys.keys[ANNA] = theirs[ANNA]
        order = await erp.purchase_order(number)
        decision = Decision(number=number, version=order.review.version, verdict=Verdict.APPROVE, by=ANNA, reason="")
        result = await erp.decide(decision)
        assert result.outcome is DecisionOutcome.APPLIED
        assert result.document is not None
        assert resulting_order(result).review.approval is not None
        assert resulting_order(result).review.approval.decided_by == ANNA


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_the_erp_says_whose_a_key_is(adapter: str, tmp_path: Path) -> None:
    async with without_configured_keys(adapter, tmp_path, EnteredKeys()) as (erp, theirs, _):
        assert isinstance(erp, KeyOwners)
        assert await erp.owner_of_key(ANNA, theirs[ANNA]) == ANNA
        with pytest.raises((AuthFailed, NotPermitted)):
            await erp.owner_of_key(ANNA, as_entered({"key": "wrong", "secret": "wrong"}))


async def test_a_key_pair_of_a_wrong_form_is_none(tmp_path: Path) -> None:
    async with without_configured_keys(ADAPTERS[0], tmp_path, EnteredKeys()) as (erp, _, _):
        assert isinstance(erp, KeyOwners)
        for text in ("", "key", "key:", ":secret"):
            with pytest.raises(Invalid):
                await erp.owner_of_key(ANNA, SecretStr(text))


async def test_nobody_decides_where_no_key_can_be_entered(tmp_path: Path) -> None:
    async with without_configured_keys(ADAPTERS[0], tmp_path, EnteredKeys(is_offered=False)) as (erp, _, _):
        assert Capability.APPROVE not in erp.capabilities
