"""The chat page as a person uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.async_api import Locator, Page, expect

PHONE = (390, 844)
DESK = (1360, 860)


@dataclass(slots=True)
class ChatPage:
    """One open page. Locators come from ``data-testid``; ``page`` is Playwright's own for everything else."""

    page: Page
    origin: str
    mistakes: list[str] = field(default_factory=list)
    """Uncaught errors and content-security violations of the page; must be empty at the end of a test."""

    def part(self, testid: str) -> Locator:
        """The element (or elements) with this ``data-testid``."""
        return self.page.get_by_test_id(testid)

    async def visit(self, person: str, language: str = "zh") -> None:
        """Open the page as ``person`` (userId) and wait until their conversations are there."""
        await self.page.goto(f"{self.origin}/?{urlencode({'person': person, 'lang': language})}")
        await self.until_ready(person)

    async def until_ready(self, person: str) -> None:
        """Wait until the page shows this person's conversations."""
        await expect(self.part("app")).to_have_attribute("data-ready", person)

    async def become(self, person: str) -> None:
        """Switch to another person by the menu."""
        await self.part("person").click()
        await self.page.locator(f'[data-testid=person-option][data-user-id="{person}"]').click()
        await self.until_ready(person)

    async def open(self, title: str) -> None:
        await self.part("conversation").filter(has_text=title).click()
        await expect(self.part("chat-title")).to_have_text(title)

    async def say(self, text: str) -> None:
        """Type a line and send it with Enter."""
        await self.part("input").fill(text)
        await self.part("input").press("Enter")
        await expect(self.part("input")).to_have_value("")

    def message(self, text: str) -> Locator:
        """The messages (not cards) of the open conversation that hold this text."""
        return self.part("message").filter(has_text=text)

    def card(self, title: str = "", *, track_id: str = "") -> Locator:
        """The newest card with this title, or the card with this ``outTrackId``, in the open conversation."""
        if track_id:
            return self.part("messages").locator(f'[data-testid=card][data-track-id="{track_id}"]')
        return self.part("messages").get_by_test_id("card").filter(has_text=title).last

    async def table(self, card: Locator) -> list[list[str]]:
        """The rows of a card's first table, head included."""
        rows = card.get_by_test_id("card-body").locator("table").first.locator("tr")
        return [await row.locator("th, td").all_inner_texts() for row in await rows.all()]

    async def press(self, card: Locator, label: str) -> None:
        """Click the card's button with this label."""
        await card.get_by_test_id("card-button").filter(has_text=label).click()
