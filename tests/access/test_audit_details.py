"""What the audit log says in words is told to each reader in their language."""

from __future__ import annotations

from bot.access.audit import HIDDEN_DOCUMENT, NO_MEMBER, read_detail, say_key, say_limit, say_rows
from bot.cards.language import load_languages
from tests.rows import each_row


@each_row(
    ("kept", "told"),
    [
        (str(say_rows(300, 1200)), "共 1200 行，取 300 行"),
        (str(say_limit(30)), "超过 30"),
        (str(say_key("409c3ba7")), "通过接口密钥 409c3ba7"),
        (str(HIDDEN_DOCUMENT), "按规则没有可看的"),
        (str(NO_MEMBER), "不是已知成员"),
        ("entry 3 was changed: its content does not have its hash", "第 3 条被改过：内容与校验值不符"),
        ("entry 3 is missing", "缺少第 3 条"),
        (
            "entry 3 to 7 are missing at the end: a link to entry 7 is known",
            "末尾缺少第 3 至 7 条：别处记有第 7 条的校验值",
        ),
        ("entry 4 is inserted: entry 5 follows entry 3", "第 4 条是插入的：第 5 条原本接在第 3 条之后"),
        ("the guard audit_update was taken away", "保护措施 audit_update 被拆除"),
        ("/order is not open in this conversation.", None),
        ("Nobody may change the ERP unless a rule grants it.", None),
        ("zhang at main: u_zhang", "zhang at main: u_zhang"),
        ("100% *sure* %(x)s", "100% *sure* %(x)s"),
        ("", ""),
    ],
)
def test_what_is_kept_in_english_is_told_in_chinese(kept: str, told: str | None) -> None:
    chinese = load_languages()["zh_CN"].say(read_detail(kept))
    assert chinese == told if told is not None else chinese != kept
    assert load_languages()["en"].say(read_detail(kept)) == kept
