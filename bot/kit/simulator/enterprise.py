"""The demo company: a small manufacturer of metal parts, with its people, departments, roles and groups."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import lru_cache

ROOT_DEPARTMENT = 1
COMPANY = "明川五金制造有限公司"


@lru_cache(maxsize=1024)
def opaque_id(kind: str, key: str) -> str:
    """Return a base64 id derived from the key, shaped like DingTalk's (may contain ``+`` and ``/``)."""
    return base64.b64encode(hashlib.sha256(f"{kind}:{key}".encode()).digest()[:16]).decode()


@dataclass(frozen=True, slots=True)
class Department:
    """``parent_id`` is 0 for the root."""

    id: int
    name: str
    english: str
    parent_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPerson:
    """A member of the company, or an outsider (``external``) in one of its groups."""

    user_id: str
    name: str
    english: str
    title: str
    department: int
    roles: tuple[str, ...] = ()
    mobile: str = ""
    manager: str = ""
    language: str = "zh_CN"
    external: bool = False
    admin: bool = False
    boss: bool = False
    leader: bool = False

    @property
    def union_id(self) -> str:
        """The person's id across organisations."""
        return opaque_id("union", self.user_id).replace("=", "")

    @property
    def dingtalk_id(self) -> str:
        """The encrypted id in bot messages (`senderId`)."""
        return f"$:LWCP_v1:${opaque_id('ding', self.user_id)}"


@dataclass(frozen=True, slots=True)
class SimGroup:
    """A chat group; ``id`` deliberately contains every awkward character of base64."""

    id: str
    title: str
    members: tuple[str, ...]
    webhook_token: str
    webhook_secret: str
    """The secret of the group's custom robot (`/robot/send`)."""


@dataclass(frozen=True, slots=True)
class Enterprise:
    """The company as a directory. Lookups return None for unknown keys."""

    name: str
    departments: Mapping[int, Department]
    people: MutableMapping[str, SimPerson]
    roles: Mapping[int, str]
    groups: tuple[SimGroup, ...]
    processes: Mapping[str, tuple[str, ...]]
    """OA approval forms: process code → approvers in order."""

    def staff(self, user_id: object) -> SimPerson | None:
        """Return the member with this userId; None for unknown people and outsiders."""
        person = self.people.get(user_id) if isinstance(user_id, str) else None
        return None if person is None or person.external else person

    def by_union_id(self, union_id: object) -> SimPerson | None:
        """Return the person with this unionId, including outsiders."""
        return next((person for person in self.people.values() if person.union_id == union_id), None)

    def by_mobile(self, mobile: object) -> SimPerson | None:
        """Return the member with this mobile number."""
        return next(
            (person for person in self.people.values() if person.mobile == mobile and not person.external), None
        )

    def members(self, department: int) -> tuple[SimPerson, ...]:
        """Return the direct members of a department."""
        return tuple(p for p in self.people.values() if p.department == department and not p.external)

    def role_id(self, name: str) -> int:
        """Return the number of an existing role."""
        return next(number for number, role in self.roles.items() if role == name)


_DEPARTMENTS = (
    Department(ROOT_DEPARTMENT, COMPANY, "Mingchuan Hardware", 0),
    Department(10, "总经办", "Management", 1),
    Department(20, "财务部", "Finance", 1),
    Department(30, "采购部", "Purchasing", 1),
    Department(40, "销售部", "Sales", 1),
    Department(50, "仓储部", "Warehouse", 1),
    Department(60, "生产部", "Production", 1),
    Department(70, "信息部", "IT", 1),
    Department(41, "外贸组", "Export", 40),
)

_PEOPLE = (
    SimPerson(user_id="boss01", name="林明川", english="Lin Mingchuan", title="总经理", department=10,
           roles=("boss", "approver"), mobile="13800000001", boss=True, leader=True),
    SimPerson(user_id="finance01", name="周慧", english="Zhou Hui", title="财务经理", department=20,
           roles=("finance", "approver"), mobile="13800000002", manager="boss01", leader=True),
    SimPerson(user_id="finance02", name="吴敏", english="Wu Min", title="出纳", department=20,
           roles=("finance",), mobile="13800000003", manager="finance01"),
    SimPerson(user_id="buyer01", name="陈立", english="Chen Li", title="采购员", department=30,
           roles=("purchaser",), mobile="13800000004", manager="buymanager01"),
    SimPerson(user_id="buymanager01", name="赵国强", english="Zhao Guoqiang", title="采购经理", department=30,
           roles=("purchaser", "approver"), mobile="13800000005", manager="boss01", leader=True),
    SimPerson(user_id="salesmanager01", name="孙悦", english="Sun Yue", title="销售经理", department=40,
           roles=("sales",), mobile="13800000006", manager="boss01", leader=True),
    SimPerson(user_id="sales01", name="李娜", english="Li Na", title="销售员", department=40,
           roles=("sales",), mobile="13800000007", manager="salesmanager01"),
    SimPerson(user_id="sales_en", name="Emma Clarke", english="Emma Clarke", title="Export sales", department=41,
           roles=("sales",), mobile="13800000008", manager="salesmanager01", language="en"),
    SimPerson(user_id="keeper01", name="王仓", english="Wang Cang", title="仓库管理员", department=50,
           roles=("warehouse",), mobile="13800000009", manager="keeper02"),
    SimPerson(user_id="keeper02", name="刘建国", english="Liu Jianguo", title="仓库主管", department=50,
           roles=("warehouse",), mobile="13800000010", manager="boss01", leader=True),
    SimPerson(user_id="planner01", name="黄蕾", english="Huang Lei", title="生产计划员", department=60,
           roles=("planner",), mobile="13800000011", manager="workshop01"),
    SimPerson(user_id="workshop01", name="何志远", english="He Zhiyuan", title="车间主任", department=60,
           roles=("production",), mobile="13800000012", manager="boss01", leader=True),
    SimPerson(user_id="quality01", name="徐静", english="Xu Jing", title="质检员", department=60,
           roles=("production",), mobile="13800000013", manager="workshop01"),
    SimPerson(user_id="it01", name="高翔", english="Gao Xiang", title="IT 管理员", department=70,
           roles=("it",), mobile="13800000014", manager="boss01", admin=True, leader=True),
    SimPerson(user_id="ext_carrier", name="顺通物流-小马", english="Ma (Shuntong Logistics)", title="承运商",
           department=0, mobile="13900000001", external=True),
)  # fmt: skip

_GROUPS = (
    SimGroup(
        "cidKp3Lr+9x/WhSales0001Aa==",
        "仓库与销售群",
        ("keeper01", "keeper02", "sales01", "sales_en", "salesmanager01", "planner01", "workshop01", "boss01", "it01",
         "ext_carrier"),
        "demo-warehouse-robot",
        "",
    ),
    SimGroup(
        "cidQm7Tz/4b+BuyFin00002Bb==",
        "采购与财务群",
        ("buyer01", "buymanager01", "finance01", "finance02", "boss01", "it01"),
        "demo-purchase-robot",
        "SECdemo0123456789abcdef",
    ),
    SimGroup(
        "cidRn5Vw/2c+Customers03Cc==",
        "客户项目群",
        ("keeper01", "sales01", "sales_en", "salesmanager01", "finance01", "boss01", "ext_carrier"),
        "demo-customer-robot",
        "",
    ),
)  # fmt: skip

PURCHASE_PROCESS = "PROC-DEMO-PURCHASE"


_DIVISION, _TEAM = 1_000, 10_000
"""First ids of generated departments."""
_TEAM_SIZE, _TEAMS_OF_DIVISION = 50, 20


def demo_enterprise() -> Enterprise:
    """Return the company that every simulator starts with."""
    return Enterprise(
        name=COMPANY,
        departments={department.id: department for department in _DEPARTMENTS},
        people={person.user_id: person for person in _PEOPLE},
        roles=dict(enumerate(_in_order(role for person in _PEOPLE for role in person.roles), start=1001)),
        groups=_GROUPS,
        processes={PURCHASE_PROCESS: ("buymanager01",), "PROC-DEMO-EXPENSE": ("finance01", "boss01")},
    )


def enlarged(company: Enterprise, staff: int) -> Enterprise:
    """Return the company with this many additional people, in teams of fifty."""
    if not staff:
        return company
    return replace(
        company,
        departments={
            **company.departments,
            **{department.id: department for department in _further_departments(staff)},
        },
        people={**company.people, **{person.user_id: person for person in _further_people(staff)}},
    )


def _further_departments(staff: int) -> Iterator[Department]:
    for team in range(-(-staff // _TEAM_SIZE)):
        division, place = divmod(team, _TEAMS_OF_DIVISION)
        if place == 0:
            yield Department(_DIVISION + division, f"第{division + 1}分厂", f"Plant {division + 1}", ROOT_DEPARTMENT)
        yield Department(_TEAM + team, f"第{team + 1}班组", f"Team {team + 1}", _DIVISION + division)


def _further_people(staff: int) -> Iterator[SimPerson]:
    for number in range(staff):
        team, place = divmod(number, _TEAM_SIZE)
        yield SimPerson(
            user_id=f"staff{number:05}",
            name=f"员工{number:05}",
            english=f"Staff {number:05}",
            title="员工",
            department=_TEAM + team,
            roles=("sales",) if place % 10 == 0 else (),
            mobile=f"137{number:08}",
            manager="boss01" if place == 0 else f"staff{team * _TEAM_SIZE:05}",
            leader=place == 0,
        )


def _in_order(names: Iterable[str]) -> list[str]:
    """Return each name once, in order of first appearance."""
    return list(dict.fromkeys(names))
