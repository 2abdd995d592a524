from __future__ import annotations

from pydantic import SecretStr

from bot.dingtalk.apis import AppKeys, Endpoints, Host
from tests.rows import each_row


def test_bases_are_without_a_slash_at_the_end() -> None:
    assert Endpoints(api="http://127.0.0.1:1/").base(Host.API) == "http://127.0.0.1:1"
    assert Endpoints().base(Host.OAPI) == "https://oapi.dingtalk.com"
    assert Endpoints().base(Host.WEBHOOK) == ""


def test_keys_hide_their_secret() -> None:
    assert "hunter2" not in repr(AppKeys("id", SecretStr("hunter2")))


@each_row(("announced", "expected"), [("dingother", "dingother"), ("normal", "dingapp"), ("", "dingapp")])
def test_the_robot_code(announced: str, expected: str) -> None:
    assert AppKeys("dingapp", SecretStr("s")).robot(announced) == expected
    assert AppKeys("dingapp", SecretStr("s"), "dingrobot").robot("normal") == "dingrobot"
