"""The directory: people, departments, roles (docs: platform/dingtalk/directory.md). Not billed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.enterprise import SimPerson
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiRoute, SimOapiError, oapi_result

Entry = TypeVar("Entry")

_SCOPE = "qyapi_get_member"
_ROLE_GROUP = "职务"


def user(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/v2/user/get`."""
    return oapi_result(engine, user_object(engine, _person(engine, call)))


def users(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/v2/user/list`."""
    members = engine.enterprise.members(_department(engine, call))
    page, following = _page(members, call, "cursor", largest=100)
    listed = [listed_object(engine, person) for person in page]
    result: Json = {"has_more": following is not None, "list": listed}
    return oapi_result(engine, result if following is None else {**result, "next_cursor": following})


def user_ids(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/user/listid`."""
    members = engine.enterprise.members(_department(engine, call))
    return oapi_result(engine, {"userid_list": [person.user_id for person in members]})


def sub_departments(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/v2/department/listsub`: direct children only."""
    parent = _department(engine, call, default=1)
    english = call.body.get("language") == "en_US"
    return oapi_result(
        engine,
        [
            {
                "dept_id": department.id,
                "name": department.english if english else department.name,
                "parent_id": department.parent_id,
                "create_dept_group": False,
                "auto_add_user": False,
            }
            for department in engine.enterprise.departments.values()
            if department.parent_id == parent
        ],
    )


def roles(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/role/list`."""
    page, following = _page(tuple(engine.enterprise.roles.items()), call, "offset", largest=200)
    group = {"groupId": 900, "name": _ROLE_GROUP, "roles": [{"id": number, "name": name} for number, name in page]}
    return oapi_result(engine, {"hasMore": following is not None, "list": [group]})


def role_members(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/role/simplelist`."""
    role = engine.enterprise.roles.get(call.body.get("role_id"))  # type: ignore[arg-type]  # None finds nothing
    if role is None:
        raise SimOapiError(400002, "参数错误：role_id")
    members = [person for person in engine.enterprise.people.values() if role in person.roles]
    page, following = _page(members, call, "offset", largest=100)
    result: Json = {
        "hasMore": following is not None,
        "list": [{"userid": person.user_id, "name": person.name} for person in page],
    }
    return oapi_result(engine, result if following is None else {**result, "nextCursor": following})


def by_union_id(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/user/getbyunionid`: 60121 for people outside the organisation."""
    person = engine.enterprise.by_union_id(call.body.get("unionid"))
    if person is None or person.external:
        raise SimOapiError(60121, "找不到该用户")
    return oapi_result(engine, {"contact_type": 0, "userid": person.user_id})


def by_mobile(engine: SimEngine, call: SimApiCall) -> Json:
    """`/topapi/v2/user/getbymobile`."""
    person = engine.enterprise.by_mobile(call.body.get("mobile"))
    if person is None:
        raise SimOapiError(60121, "找不到该用户")
    return oapi_result(engine, {"userid": person.user_id})


def user_object(engine: SimEngine, person: SimPerson) -> Json:
    """Return a person in the directory's form."""
    enterprise = engine.enterprise
    return {
        "userid": person.user_id,
        "unionid": person.union_id,
        "name": person.name,
        "avatar": "",
        "state_code": "86",
        "mobile": person.mobile,
        "hide_mobile": False,
        "job_number": person.user_id,
        "title": person.title,
        "email": f"{person.user_id}@mingchuan.example",
        "org_email": "",
        "work_place": "",
        "remark": "",
        "manager_userid": person.manager,
        "dept_id_list": [person.department],
        "dept_order_list": [{"dept_id": person.department, "order": 1}],
        "leader_in_dept": [{"dept_id": person.department, "leader": person.leader}],
        "role_list": [
            {"id": enterprise.role_id(role), "name": role, "group_name": _ROLE_GROUP} for role in person.roles
        ],
        "extension": "{}",
        "active": True,
        "real_authed": True,
        "senior": False,
        "admin": person.admin,
        "boss": person.boss,
        "exclusive_account": False,
    }


def listed_object(engine: SimEngine, person: SimPerson) -> Json:
    """Return a person in the form of a department's list."""
    missing = {"role_list", "manager_userid"}
    return {key: value for key, value in user_object(engine, person).items() if key not in missing}


def _person(engine: SimEngine, call: SimApiCall) -> SimPerson:
    wanted = call.body.get("userid")
    if not isinstance(wanted, str) or not wanted:
        raise SimOapiError(33012, "无效的USERID")
    person = engine.enterprise.staff(wanted)
    if person is None:
        raise SimOapiError(60121, "找不到该用户")
    return person


def _department(engine: SimEngine, call: SimApiCall, default: int | None = None) -> int:
    wanted = call.body.get("dept_id", default)
    if not isinstance(wanted, int):
        raise SimOapiError(400002, "参数错误：dept_id")
    if wanted not in engine.enterprise.departments:
        raise SimOapiError(60003, "部门不存在")
    return wanted


def _page(
    entries: Sequence[Entry], call: SimApiCall, start_key: str, *, largest: int
) -> tuple[Sequence[Entry], int | None]:
    """Return the requested page and the start of the next one (None at the end)."""
    start, size = call.body.get(start_key, 0), call.body.get("size", largest)
    if not isinstance(start, int) or not isinstance(size, int) or start < 0 or not 0 < size <= largest:
        raise SimOapiError(400002, f"参数错误：{start_key}, size")
    end = start + size
    return entries[start:end], end if end < len(entries) else None


def _contact_route(path: str, serve: Any) -> SimApiRoute:
    return SimApiRoute(method="POST", path=f"/topapi/{path}", serve=serve, host="oapi", billed=False, scope=_SCOPE)


ROUTES = (
    _contact_route("v2/user/get", user),
    _contact_route("v2/user/list", users),
    _contact_route("user/listid", user_ids),
    _contact_route("v2/department/listsub", sub_departments),
    _contact_route("role/list", roles),
    _contact_route("role/simplelist", role_members),
    _contact_route("user/getbyunionid", by_union_id),
    _contact_route("v2/user/getbymobile", by_mobile),
)
