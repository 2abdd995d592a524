"""A person is built from the message, the directory and the settings that people chose."""

from __future__ import annotations

from bot.access.people import DirectoryEntry, People
from bot.errors import DingerpError


class FakeLanguageChoices:
    def __init__(self, **chosen: str) -> None:
        self._chosen = chosen

    def chosen(self, user_id: str) -> str | None:
        return self._chosen.get(user_id)


class FakeDirectory:
    async def entry(self, user_id: str) -> DirectoryEntry | None:
        if user_id == "unheard":
            raise DingerpError("busy")
        if user_id == "unknown":
            return None
        return DirectoryEntry(name="王仓", roles=frozenset({"warehouse"}), is_admin=True)


def people(directory: FakeDirectory | None = None) -> People:
    return People(
        languages=FakeLanguageChoices(chooser="en"),
        default_language="zh_CN",
        configured_languages={"chooser": "zh_CN", "set": "en"},
        directory=directory,
    )


async def test_without_a_directory_the_message_is_all_there_is() -> None:
    person = await people().identify("u1", name="小王", is_admin=True)
    assert (person.name, person.roles, person.is_admin, person.language) == ("小王", frozenset(), True, "zh_CN")


async def test_the_directory_adds_roles_and_the_name_that_a_click_lacks() -> None:
    person = await people(FakeDirectory()).identify("u1", name="")
    assert (person.name, person.roles, person.is_admin) == ("王仓", {"warehouse"}, True)


async def test_a_silent_directory_costs_the_roles_only() -> None:
    person = await people(FakeDirectory()).identify("unheard", name="")
    assert (person.name, person.roles, person.user_id) == ("unheard", frozenset(), "unheard")


async def test_whoever_the_directory_does_not_know_is_external() -> None:
    person = await people(FakeDirectory()).identify("unknown", name="客户", is_admin=True)
    assert person.is_external
    assert not person.is_admin


async def test_the_own_choice_of_language_beats_the_configured_one() -> None:
    assert (await people().identify("chooser", name="")).language == "en"
    assert (await people().identify("set", name="")).language == "en"
    assert (await people().identify("other", name="")).language == "zh_CN"


async def test_somebody_without_an_id_is_external() -> None:
    person = await people(FakeDirectory()).identify(None, name="客户")
    assert person.is_external
    assert not person.is_admin
