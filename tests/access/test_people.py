"""A person is built from the message, what is known of members and the settings that people chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.access.people import DirectoryEntry, MembershipDoubt, NeverWrote, People
from bot.words.errors import DingerpError
from tests.rows import each_row

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class FakeLanguageChoices:
    def __init__(self, **chosen: str) -> None:
        self._chosen = chosen

    def chosen(self, user_id: str) -> str | None:
        return self._chosen.get(user_id)


@dataclass(slots=True)
class FakeMembers:
    wrote: list[tuple[str, str, datetime]] = field(default_factory=list)
    takes_no_notes: bool = False

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        match user_id:
            case "unheard":
                raise DingerpError("busy")
            case "silent":
                raise NeverWrote
            case "unknown":
                return None
        return DirectoryEntry(name="王仓", roles=frozenset({"warehouse"}), is_admin=True)

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        if self.takes_no_notes:
            raise DingerpError("the database is away")
        self.wrote.append((user_id, name, wrote_at))


def people(members: FakeMembers | None = None) -> People:
    return People(
        languages=FakeLanguageChoices(chooser="en"),
        default_language="zh_CN",
        configured_languages={"chooser": "zh_CN", "set": "en"},
        directory=members or FakeMembers(),
    )


async def test_the_directory_adds_roles_and_the_name_that_a_click_lacks() -> None:
    person = await people().identify("u1", name="")
    assert (person.name, person.roles, person.is_admin) == ("王仓", frozenset({"warehouse"}), True)
    assert (await people().identify("u1", name="小王")).name == "小王"


async def test_a_message_from_inside_is_remembered() -> None:
    members = FakeMembers()
    await people(members).identify("u1", name="小王", wrote_at=NOW)
    await people(members).identify("u2", name="小李")
    assert members.wrote == [("u1", "小王", NOW)]


@each_row(
    ("user_id", "doubt"),
    [("unheard", MembershipDoubt.NO_ANSWER), ("silent", MembershipDoubt.NEVER_WROTE), ("unknown", None)],
)
async def test_who_is_not_known_to_be_a_member_is_none(user_id: str, doubt: MembershipDoubt | None) -> None:
    person = await people().identify(user_id, name="客户", is_admin=True)
    assert person.is_external
    assert (person.user_id, person.is_admin, person.roles, person.doubt) == (None, False, frozenset(), doubt)


async def test_the_own_choice_of_language_beats_the_configured_one() -> None:
    assert (await people().identify("chooser", name="")).language == "en"
    assert (await people().identify("set", name="")).language == "en"
    assert (await people().identify("other", name="")).language == "zh_CN"


async def test_somebody_without_an_id_is_external() -> None:
    person = await people().identify(None, name="客户")
    assert person.is_external
    assert not person.is_admin


@each_row(
    ("user_id", "doubt", "known"),
    [("u1", None, True), ("silent", MembershipDoubt.NO_ANSWER, False), ("unheard", MembershipDoubt.NO_ANSWER, False)],
)
async def test_a_database_that_takes_no_note_makes_nobody_a_stranger(
    user_id: str, doubt: MembershipDoubt | None, known: bool
) -> None:
    person = await people(FakeMembers(takes_no_notes=True)).identify(user_id, name="王仓", wrote_at=NOW)
    assert (person.doubt, person.user_id is not None, person.is_outsider) == (doubt, known, False)
