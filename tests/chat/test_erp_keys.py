"""People's own keys: entered once by a link, checked by the ERP, sealed, used for its account alone, erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.access.audit import AuditEntry, NotRecorded, RequiredAudit
from bot.access.people import Person
from bot.chat.accounts.binding import AccountRefused, ErpAccounts
from bot.chat.accounts.keys import LINK_STANDS, MOST_KEY, MOST_TRIES, PAGE, ErpKeys, KeyEntry
from bot.chat.accounts.views import AccountKeyComposer, AccountKeyStored
from bot.erp.errors import AuthFailed, Invalid, Unavailable
from bot.store.chat.accounts import StoredErpAccounts, StoredErpKeys
from bot.store.database import Database
from bot.store.tables import DELIVERY
from tests.chat.audience_parts import make_people
from tests.membership import EverybodyIsMember

CONFIGURED = {"buyer01": {"main": "chen"}}
KEY = SecretStr("lina's key")


class Unwritten:
    """A log that takes nothing."""

    async def written(self) -> bool:
        return False

    async def can_write(self) -> bool:
        return False


@dataclass
class KeyScene:
    """A person whose account was bound in chat, one with a configured account, and an ERP that knows three keys."""

    database: Database
    now: datetime = datetime(2026, 11, 27, 9, tzinfo=UTC)
    public_url: str = "https://bot.company.example/"
    audit: list[AuditEntry] = field(default_factory=list)
    required: RequiredAudit | None = None
    staff: EverybodyIsMember = field(default_factory=EverybodyIsMember)

    def __post_init__(self) -> None:
        self.store = StoredErpKeys(self.database, CONFIGURED, is_offered=True)
        self.accounts = ErpAccounts(
            StoredErpAccounts(self.database),
            configured=CONFIGURED,
            sources=("main",),
            administrators=self._administrators,
            record=lambda entry: None,
            on_enqueued=lambda: None,
            now=lambda: self.now,
        )

    async def identify(self, user_id: str) -> Person:
        return await make_people(self.staff).identify(user_id, name="")

    async def _administrators(self) -> tuple[str, ...]:
        return ("it01",)

    def keys(self) -> ErpKeys:
        return ErpKeys(
            self.store,
            public_url=self.public_url,
            sources=("main",),
            identify=self.identify,
            account_of=self.account_of,
            owner_of_key=self.owner_of_key,
            record=self.audit.append,
            on_enqueued=lambda: None,
            now=lambda: self.now,
            required=self.required,
        )

    def account_of(self, user_id: str, source: str) -> str:
        configured = CONFIGURED.get(user_id, {}).get(source, "")
        return configured or self.accounts.bound().get(user_id, {}).get(source, "")

    async def owner_of_key(self, source: str, account: str, key: SecretStr) -> str:
        match key.get_secret_value():
            case "lina's key" | "lina's new key":
                return "LINA"
            case "boss's key":
                return "boss"
            case "no form":
                raise Invalid("a key is longer")
            case "no answer":
                raise Unavailable("away")
        raise AuthFailed("unknown key")

    async def bind(self, account: str = "lina") -> None:
        await self.accounts.ask("sales01", "李娜", "main", account)
        await self.accounts.decide("sales01", "main", account, by="it01", agrees=True)

    async def link(self, user_id: str = "sales01") -> str:
        url, _ = await self.keys().offer(user_id, "main")
        assert url.startswith(f"https://bot.company.example{PAGE}")
        return url.rpartition("/")[2]

    async def used(self) -> dict[str, str]:
        return {account: key.get_secret_value() for account, key in (await self.store.keys_of("main")).items()}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[KeyScene]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    await database.unlock()
    scene = KeyScene(database)
    await scene.bind()
    yield scene
    await database.close()


async def test_a_key_is_entered_once_and_told_to_its_owner(scene: KeyScene, tmp_path: Path) -> None:
    keys, token = scene.keys(), await scene.link()
    link = await keys.find_link(token)
    assert link is not None
    assert (link.user_id, link.account) == ("sales01", "lina")
    assert await keys.enter(token, KEY) is KeyEntry.STORED
    assert await scene.used() == {"lina": "lina's key"}
    assert await keys.find_link(token) is None
    assert await keys.enter(token, KEY) is KeyEntry.NO_LINK
    rows = await scene.database.run(lambda connection: connection.execute(select(DELIVERY)).all())
    assert [row.place for row in rows if row.kind == "account.key"] == ["person:sales01"]
    view = (await AccountKeyComposer(keys.find).compose("main|sales01")).view
    assert isinstance(view, AccountKeyStored)
    assert (view.account, view.entered_at) == ("lina", scene.now)
    assert [(entry.actor, entry.outcome, entry.detail) for entry in scene.audit] == [
        ("sales01", "stored", "sales01 at main: lina")
    ]
    content = stored_bytes(tmp_path)
    assert b"lina's key" not in content
    assert token.encode() not in content


def stored_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("boss's key", KeyEntry.FOREIGN),
        ("guessed", KeyEntry.REFUSED),
        ("no form", KeyEntry.REFUSED),
        ("", KeyEntry.NO_KEY),
        ("x" * (MOST_KEY + 1), KeyEntry.NO_KEY),
        *((f"lina{odd}s key", KeyEntry.NO_KEY) for odd in "\n\r\0\t\x7f\x85\u2028\u200b\ufeff\ud800"),
        ("no answer", KeyEntry.NO_ANSWER),
    ],
)
async def test_what_the_erp_does_not_know_as_the_persons_own_is_not_stored(
    scene: KeyScene, key: str, outcome: KeyEntry
) -> None:
    keys, token = scene.keys(), await scene.link()
    assert await keys.enter(token, SecretStr(key)) is outcome
    assert await scene.used() == {}
    assert [entry.outcome for entry in scene.audit] == [outcome.value]
    assert key not in scene.audit[0].detail or not key
    assert await keys.enter(token, KEY) is KeyEntry.STORED, "the link stands for another try"


async def test_a_key_that_could_not_be_recorded_is_not_taken(scene: KeyScene) -> None:
    await scene.bind()
    scene.required = Unwritten()
    url, _ = await scene.keys().offer("sales01", "main")
    token = url.rpartition("/")[2]
    with pytest.raises(NotRecorded):
        await scene.keys().enter(token, SecretStr("lina's key"))
    assert await scene.keys().find("sales01", "main") is None
    scene.required = None
    assert await scene.keys().enter(token, SecretStr("lina's key")) is KeyEntry.STORED


async def test_who_left_enters_no_key(scene: KeyScene) -> None:
    keys, token = scene.keys(), await scene.link()
    scene.staff.left.add("sales01")
    assert await keys.find_link(token) is None
    assert await keys.enter(token, KEY) is KeyEntry.NO_LINK
    assert await scene.used() == {}


async def test_who_leaves_while_the_erp_is_asked_enters_no_key(
    scene: KeyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leaving(source: str, account: str, key: SecretStr) -> str:
        scene.staff.left.add("sales01")
        return account

    monkeypatch.setattr(scene, "owner_of_key", leaving)
    assert await scene.keys().enter(await scene.link(), KEY) is KeyEntry.NO_LINK
    assert await scene.used() == {}


async def test_a_link_ends_with_its_time_its_tries_and_the_next_one(scene: KeyScene) -> None:
    keys = scene.keys()
    token = await scene.link()
    scene.now += LINK_STANDS
    assert await keys.enter(token, KEY) is KeyEntry.NO_LINK
    token = await scene.link()
    for _ in range(MOST_TRIES):
        assert await keys.enter(token, SecretStr("guessed")) is KeyEntry.REFUSED
    assert await keys.enter(token, KEY) is KeyEntry.NO_LINK
    first, _second = await scene.link(), await scene.link()
    assert await keys.enter(first, KEY) is KeyEntry.NO_LINK
    assert await keys.enter("no such token", KEY) is KeyEntry.NO_LINK
    assert await scene.used() == {}


async def test_a_newer_key_takes_the_place_of_the_older(scene: KeyScene) -> None:
    for key in ("lina's key", "lina's new key"):
        assert await scene.keys().enter(await scene.link(), SecretStr(key)) is KeyEntry.STORED
        scene.now += timedelta(days=1)
    assert await scene.used() == {"lina": "lina's new key"}


async def test_a_key_goes_with_the_account(scene: KeyScene) -> None:
    await scene.keys().enter(await scene.link(), KEY)
    pending = await scene.link()
    await scene.accounts.unbind("sales01", "main", by="sales01")
    assert await scene.used() == {}
    assert await scene.keys().enter(pending, KEY) is KeyEntry.NO_LINK
    await scene.bind("lina2")
    assert await scene.used() == {}
    await scene.bind("lina")
    assert await scene.used() == {}, "it was erased, not hidden"


async def test_a_key_serves_nobody_whose_account_it_is_not_any_more(
    scene: KeyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.keys().enter(await scene.link(), KEY)
    monkeypatch.setitem(CONFIGURED, "sales01", {"main": "other"})
    assert await scene.used() == {}


async def test_erasing_leaves_the_account(scene: KeyScene) -> None:
    keys = scene.keys()
    await keys.enter(await scene.link(), KEY)
    assert await keys.erase("sales01", "main", by="sales01")
    assert await scene.used() == {}
    assert scene.account_of("sales01", "main") == "lina"
    assert not await keys.erase("sales01", "main", by="sales01")
    assert [entry.outcome for entry in scene.audit] == ["stored", "erased"]
    assert (await AccountKeyComposer(keys.find).compose("main|sales01")).view is None


@pytest.mark.parametrize(
    ("user_id", "source", "url", "why"),
    [
        ("sales01", "other", "https://x.example", "takes no keys"),
        ("keeper01", "main", "https://x.example", "no account there yet"),
        ("sales01", "main", "", "http.public_url"),
    ],
)
async def test_why_there_is_no_link(scene: KeyScene, user_id: str, source: str, url: str, why: str) -> None:
    scene.public_url = url
    with pytest.raises(AccountRefused) as refusal:
        await scene.keys().offer(user_id, source)
    assert why in str(refusal.value.tell())
