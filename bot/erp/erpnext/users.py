"""Accounts of people in ERPNext, with what it knows of them as employees.

Docs: platform/erp/erpnext.md
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.erp.erpnext.client import ErpNextClient, ListRequest, Row
from bot.erp.errors import NotFound, NotPermitted
from bot.erp.model import ErpUser
from bot.erp.values import text

_BUILT_IN = frozenset({"Administrator", "Guest"})
_USERS = ListRequest(
    "User",
    ("name", "full_name", "email", "mobile_no", "enabled"),
    [("user_type", "=", "System User")],
    order_by="name asc",
)
"""Website users are partners of the company, not its people."""
_EMPLOYEES = ListRequest(
    "Employee",
    ("name", "user_id", "employee_number", "cell_number", "company_email"),
    [("status", "=", "Active"), ("user_id", "is", "set")],
    order_by="name asc",
)


async def read_users(client: ErpNextClient) -> tuple[ErpUser, ...]:
    """Return the users of the desk but for the bot's own. Raises `NotPermitted` where the bot may not list users."""
    own = await client.call("frappe.auth.get_logged_user")
    employees = await _employees(client)
    rows = await client.rows(_USERS)
    return tuple(_user(row, employees.get(row["name"], {})) for row in rows if row["name"] not in {*_BUILT_IN, own})


async def _employees(client: ErpNextClient) -> Mapping[str, Row]:
    """Return the employees by their user ids; none where HR's data is closed to the bot, or its app is missing."""
    try:
        rows = await client.rows(_EMPLOYEES)
    except (NotFound, NotPermitted):
        return {}
    return {str(row["user_id"]): row for row in rows if row.get("user_id")}


def _user(row: Row, employee: Row) -> ErpUser:
    return ErpUser(
        account=str(row["name"]),
        name=text(row.get("full_name")) or str(row["name"]),
        # Without numbers of their own, employees are known by the names of their records.
        job_number=text(employee.get("employee_number")) or text(employee.get("name")),
        mobile=text(employee.get("cell_number")) or text(row.get("mobile_no")),
        mail=text(employee.get("company_email")) or text(row.get("email")),
        is_active=bool(row.get("enabled")),
    )
