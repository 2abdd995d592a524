"""Accounts of people in Odoo, with what it knows of them as employees.

Docs: platform/erp/odoo.md
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.model import ErpUser
from bot.erp.odoo import mapping
from bot.erp.odoo.client import Domain, OdooClient, Row
from bot.erp.values import text

_MOST = 50_000
_PEOPLE: Domain = [["share", "=", False]]
"""Users of portals are partners of the company, not its people."""
_JOB_NUMBERS = ("registration_number", "barcode")
"""Which of them a database has depends on its release and apps; the badge's number is the older one."""
_EMPLOYEE = (*_JOB_NUMBERS, "user_id", "mobile_phone", "work_email")


async def read_users(client: OdooClient, *, own: str) -> tuple[ErpUser, ...]:
    """Return the internal users but for the bot's ``own`` one; an archived one is left out, for it cannot log in."""
    rows = await client.rows("res.users", _PEOPLE, ("login", "name", "email"), order="id asc", limit=_MOST)
    employees = await _employees(client)
    return tuple(_user(row, employees.get(row["id"], {})) for row in rows if text(row.get("login")) != own)


async def _employees(client: OdooClient) -> Mapping[int, Row]:
    """Return the employees by the ids of their users; none where the app is missing, or closed to the bot."""
    try:
        rows = await client.rows("hr.employee", [["user_id", "!=", False]], _EMPLOYEE, order="id asc", limit=_MOST)
    except (NotPermitted, Unsupported):
        return {}
    return {user: row for row in rows if (user := mapping.reference(row.get("user_id"))) is not None}


def _user(row: Row, employee: Row) -> ErpUser:
    return ErpUser(
        account=text(row.get("login")),
        name=text(row.get("name")),
        job_number=next(filter(None, (text(employee.get(name)) for name in _JOB_NUMBERS)), ""),
        mobile=text(employee.get("mobile_phone")),
        mail=text(employee.get("work_email")) or text(row.get("email")),
    )
