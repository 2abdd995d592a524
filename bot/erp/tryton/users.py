"""Accounts of people in Tryton, with the parties that they are as employees.

Tryton's employees have no number of their own, so that people are found by mobile and mail alone.

Docs: platform/erp/tryton.md
"""

from __future__ import annotations

from bot.erp.model import ErpUser
from bot.erp.tryton.client import Account, Row, at, some
from bot.erp.values import text

_FIELDS = ("login", "name", "email", "employees.party.mobile", "employees.party.email")


async def read_users(account: Account) -> tuple[ErpUser, ...]:
    """Return the active users but for the bot's own; inactive ones are not found by a search."""
    rows = await account.search("res.user", [["login", "!=", account.user]], _FIELDS)
    return tuple(map(_user, rows))


def _user(row: Row) -> ErpUser:
    parties = some(row, "employees")
    return ErpUser(
        account=str(row["login"]),
        name=text(row.get("name")),
        mobile=_only([text(at(employee, "party.mobile")) for employee in parties]),
        mail=text(row.get("email")) or _only([text(at(employee, "party.email")) for employee in parties]),
    )


def _only(values: list[str]) -> str:
    """Return what all employees of an account say; empty where they differ."""
    found = set(filter(None, values))
    return found.pop() if len(found) == 1 else ""
