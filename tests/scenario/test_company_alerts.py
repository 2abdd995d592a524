"""Alerts and watches of two companies of one Odoo with equal numbers: each is of its own company, and says which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.erp.model import Area, InvoiceStatus
from bot.kit.simulator.cards import SimCardView
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.odoo_companies import TwoCompanyOdoo
from tests.scenario.alerts.scenario import BUYING, AlertScenario, Clock, OpenAlertScenario, open_alert_scenario
from tests.scenario.test_two_companies import BOSS, OURS, THEIRS, odoo, settings_of
from tests.scenario.traffic import eventually

__all__ = ["odoo", "open_alert_scenario"]

COMPANIES = (OURS, THEIRS)
TAKE = "我来跟进"


@dataclass(frozen=True, slots=True)
class FollowedCompanies:
    """Both companies and the bot that polls them. Odoo and bot have one time, which passes when the test says so.

    ``number`` is an invoice of each company that is open and not due yet.
    """

    odoo: TwoCompanyOdoo
    scenario: AlertScenario
    number: str

    async def pass_minute(self) -> None:
        """Let a minute pass, and the bot read both companies after it and tell what it found."""
        self.odoo.clock.advance(60)
        self.scenario.clock.now = self.odoo.clock.now()
        await eventually(lambda: not any(self._ages()), hint=self._ages)
        await self.scenario.settle()

    async def make_overdue(self, *companies: ReferenceCompany) -> None:
        """Let the invoice be overdue, and the bot tell it; what is found at one moment is gathered first."""
        for company in companies:
            company.invoices[self.number] = replace(
                company.invoices[self.number], due_on=company.today - timedelta(days=2)
            )
            company.touch(Area.FINANCE, self.number)
        await self.pass_minute()
        await self.pass_minute()

    async def ask(self, line: str) -> SimCardView:
        """Ask as the boss, in their own chat."""
        system = self.scenario.system
        return await system.ask(line, BOSS, where=system.engine.direct(BOSS).id)

    async def press(self, card: SimCardView, button: str) -> SimCardView:
        """Press a button as the boss; return what they see then, on the card or on one of their own."""
        system = self.scenario.system
        before = system.cards_of(BOSS)
        result = await system.press(card, button, BOSS)
        assert result.ok, result.toast
        seen = await system.answer_to(card, BOSS, before)
        await self.scenario.settle()
        return seen

    def alerts(self, place: str) -> list[SimCardView]:
        """Return the cards at a place that tell of the invoice unasked."""
        return [card for card in self.scenario.cards(place, BOSS) if self.number in card.title]

    def _ages(self) -> list[float]:
        """Return for how many seconds the companies have not been read; not a number for ever."""
        return [self.scenario.system.count("poll_age_seconds", source=name) for name in COMPANIES]


@pytest.fixture
async def followed(odoo: TwoCompanyOdoo, open_alert_scenario: OpenAlertScenario) -> AsyncIterator[FollowedCompanies]:
    """Both companies after the bot's first look at them, of which it tells nothing."""
    polled = {"enabled": True, "seconds": 0.05, "list_seconds": 5.0, "areas": ("invoices",), "backlog": False}
    found = odoo.company.invoices.values()
    unpaid = [each for each in found if each.status is InvoiceStatus.UNPAID and not each.is_credit_note]
    number = next(each.number for each in unpaid if each.due_on and each.due_on > odoo.company.today)
    settings = {**settings_of(odoo), "poll": polled}
    async with open_alert_scenario(clock=Clock(odoo.clock.now()), **settings) as scenario:
        companies = FollowedCompanies(odoo, scenario, number)
        await companies.pass_minute()
        await companies.pass_minute()
        assert not companies.alerts(BUYING)
        yield companies


def of_company(cards: list[SimCardView], company: str) -> SimCardView:
    """Return the one card that names a company, which is the only one that it names."""
    (found,) = [card for card in cards if company in card.markdown]
    assert [name for name in COMPANIES if name in found.markdown] == [company]
    return found


async def test_each_company_has_an_alert_of_its_own_about_a_number_of_both(followed: FollowedCompanies) -> None:
    await followed.make_overdue(followed.odoo.company, followed.odoo.sister)
    told = followed.alerts(BUYING)
    assert len(told) == len(COMPANIES)
    amount = followed.odoo.company.invoices[followed.number].total.amount
    for company, due in ((OURS, amount), (THEIRS, 2 * amount)):
        opened = await followed.press(of_company(told, company), "详情")
        assert company in opened.tips
        assert f"{due:,.2f}" in opened.markdown


async def test_lists_of_alerts_name_the_company_of_each_row_also_where_one_row_is_shown(
    followed: FollowedCompanies,
) -> None:
    await followed.make_overdue(followed.odoo.company, followed.odoo.sister)
    for company in COMPANIES:
        listed = await followed.ask(f"/alerts @{company}")
        assert [name for name in COMPANIES if name in listed.markdown] == [company]
        assert f"{followed.number} · {company}" in [button.text for button in listed.buttons]
    for company in COMPANIES:
        page = await followed.ask("/alerts all")
        if company not in page.markdown:
            page = await followed.press(page, "下一页")
        shown = await followed.press(page, f"{followed.number} · {company}")
        assert followed.number in shown.title
        assert company in shown.markdown


async def test_who_takes_the_alert_of_one_company_leaves_that_of_the_other_open(followed: FollowedCompanies) -> None:
    await followed.make_overdue(followed.odoo.company, followed.odoo.sister)
    await followed.press(of_company(followed.alerts(BUYING), THEIRS), TAKE)
    for company in COMPANIES:
        card = of_company(followed.alerts(BUYING), company)
        assert (TAKE in [button.text for button in card.buttons]) is (company == OURS)
        shown = await followed.ask(f"/alerts @{company}")
        assert ("林明川" in shown.markdown) is (company == THEIRS)
        asked = await followed.press(card, "稍后")
        assert company in asked.markdown


async def test_a_watch_tells_of_the_change_of_its_own_company_alone(followed: FollowedCompanies) -> None:
    watched = await followed.ask(f"/watch {followed.number} @{THEIRS}")
    assert THEIRS in watched.title
    await followed.make_overdue(followed.odoo.company)
    of_company(followed.alerts(BUYING), OURS)  # the bot has read it
    assert not followed.alerts(BOSS)
    await followed.make_overdue(followed.odoo.sister)
    await eventually(lambda: followed.alerts(BOSS), hint=lambda: followed.scenario.titles(BOSS))
    assert all(THEIRS in card.markdown and OURS not in card.markdown for card in followed.alerts(BOSS))
