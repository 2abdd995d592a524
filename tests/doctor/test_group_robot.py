"""The doctor looks for the bot's own robot in a group, and takes no other for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.doctor.dingtalk import find_robot
from bot.doctor.results import CheckGrade


@pytest.mark.parametrize(
    ("codes", "grade"),
    [(["other", "ours"], CheckGrade.GOOD), (["other"], CheckGrade.BAD), ([], CheckGrade.BAD), (None, CheckGrade.BAD)],
)
async def test_only_the_bots_own_robot_counts(codes: list[str] | None, grade: CheckGrade) -> None:
    robots = codes and [{"robotCode": code, "name": "ERP 助手"} for code in codes]

    async def call(_api: object, _body: object) -> dict[str, Any]:
        return {"chatbotInstanceVOList": robots}

    api: Any = SimpleNamespace(keys=SimpleNamespace(robot_code="ours"), call=call)
    assert (await find_robot(api, "cidGroup")).grade is grade
