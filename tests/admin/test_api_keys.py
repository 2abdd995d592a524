"""The operator's commands about the keys of programs."""

from __future__ import annotations

from bot.store.database import Database
from bot.store.tables import API_KEY, PERSON
from tests.admin.conftest import AdminShell

_AMY = {"user_id": "amy", "name": "Amy", "roles": "[]", "departments": "[]", "is_admin": False, "manager": None}
_TIMES = {"checked_us": 1, "changed_us": None, "wrote_us": None, "written_us": 1}


async def know(database: Database) -> None:
    await database.execute(PERSON.insert().values(**_AMY, **_TIMES, left_us=None))


async def lose(database: Database) -> None:
    await database.execute(PERSON.update().values(left_us=2))


async def digests(database: Database) -> list[str]:
    return [row.digest for row in await database.rows(API_KEY.select())]


ADD = ("api", "key", "add", "--owner", "amy", "--scope", "order", "--scope", "stock", "--expires", "30d")


def test_a_key_is_shown_once_listed_and_revoked(shell: AdminShell) -> None:
    shell.store(know)
    token, said = shell.says(*ADD).splitlines()
    key, _, about = said.partition(": ")
    assert token.startswith(f"dgp_{key}_")
    assert about.startswith("asks as amy, opens order, stock, until ")
    listed = shell.says("api", "key", "list")
    assert listed.startswith(f"{key}  amy  order, stock  until ")
    assert listed.endswith("never used\n")
    assert token not in listed
    (digest,) = shell.store(digests)
    assert digest not in token
    assert shell.says("api", "key", "revoke", key) == f"{key} of amy is revoked\n"
    assert shell.says("api", "key", "list") == "there are no keys, so there is no API\n"
    assert "there is no key" in shell.refuses("api", "key", "revoke", key)
    entries = shell.read("audit", "search", "--what", "api key add")
    assert [entry["detail"].partition(",")[0] for entry in entries] == [f"key {key} of amy"]
    assert token not in str(entries)


def test_an_owner_has_to_be_somebody(shell: AdminShell) -> None:
    shell.store(know)
    unknown = [*ADD]
    unknown[4] = "amz"
    assert "does not know amz yet" in shell.says(*unknown)
    assert "without an owner" in shell.refuses("api", "key", "add", "--owner", " ", "--scope", "*", "--expires", "1d")
    shell.store(lose)
    assert "amy has left" in shell.refuses(*ADD)
