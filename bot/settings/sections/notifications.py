"""Settings of unsolicited cards: alerts, approvals, and their delivery."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field

from bot.settings.sections.section import ConversationName, PersonName, SettingsSection


class OutboxSettings(SettingsSection):
    """The delivery of unsolicited cards: alerts, decisions, digests."""

    per_second: int = Field(
        10, gt=0, description="Calls per second and API, of all processes together; `limits.qps` is for questions too."
    )
    place_minute: int = Field(
        20, gt=0, description="New cards per minute in one group or with one person; more become a digest."
    )
    robot_minute: int = Field(
        20, gt=0, description="Plain messages per minute, which go where no cards can be made (DingTalk mutes at 20)."
    )
    reserve: float = Field(
        0.1, ge=0, lt=1, description="Part of the month's calls that is kept for questions and what is urgent."
    )
    urgent_reserve: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Last part of `reserve` (at most all of it), for what is urgent alone; a part of all calls.",
    )
    at_once: int = Field(16, gt=0, le=100, description="Deliveries that one process works on at the same time.")
    tries: int = Field(
        8,
        gt=0,
        le=50,
        description="Tries before a delivery is given up whose cause somebody has to correct; an outage ends none.",
    )
    keep_days: int = Field(90, gt=0, description="Days for which the record of deliveries is kept.")


class AlertSettings(SettingsSection):
    """The destinations of alerts."""

    default_groups: tuple[ConversationName, ...] = Field(
        (), description="openConversationIds of the groups for alerts that no rule sends elsewhere."
    )
    rules: Path | None = Field(
        None, description="File of the rules; by default alerts.toml beside the configuration or in the data folder."
    )


class OaFieldSettings(SettingsSection):
    """Names of the OA form's fields; empty if the form lacks one."""

    case: str = Field("单据标识", min_length=1, description="Text: the bot knows its approvals again by it.")
    number: str = Field("采购单号", description="Text: number of the purchase order.")
    source: str = Field("", description="Text: name of the ERP.")
    vendor: str = Field("供应商", description="Text: the vendor.")
    total: str = Field("金额", description="Number, amount or text: the total, without its currency.")
    currency: str = Field("", description="Text: the currency of the total.")
    due: str = Field("", description="Date or text: when delivery is due.")


class OaSettings(SettingsSection):
    """Decisions in DingTalk's own approvals (OA 审批) as well."""

    process: str = Field("", description="Process code of the OA form (`PROC-…`); empty: off.")
    originator: PersonName = Field(
        "",
        description="userId that starts approvals of orders whose requester nobody in DingTalk is known to be. Empty:"
        " these are decided in chat alone.",
    )
    fields: OaFieldSettings = OaFieldSettings.model_validate({})


class ApprovalSettings(SettingsSection):
    """Deciding purchase orders from chat."""

    rules: Path | None = Field(
        None, description="File of the rules; by default approvals.toml beside the configuration or in the data folder."
    )
    groups: tuple[ConversationName, ...] | None = Field(
        None,
        description="openConversationIds of the groups with a card without prices; by default those of"
        " `alerts.default_groups`, with `[]` none.",
    )
    backlog: bool = Field(
        False,
        description="Whether what waited before the bot's first start gets cards, too; else `/pending` lists it.",
    )
    undo_seconds: float = Field(
        0.0, ge=0, le=3600, description="Seconds in which a decision can be taken back before the ERP is told."
    )
    answer_hours: float = Field(
        24.0,
        gt=0,
        le=720,
        description="Hours after which a question to the requester ends without an answer; no vote counts before,"
        " unless the voter insists.",
    )
    price_above: Decimal = Field(
        Decimal(5),
        ge=0,
        le=1000,
        description="Per cent by which a price may exceed the last one paid for the product before it is flagged.",
    )
    split_days: int = Field(
        7,
        ge=1,
        le=90,
        description="Days before and after a purchase order in which others to the vendor may be parts of it.",
    )
    technical_account: str = Field(
        "",
        description="The bot's own account in the ERP, in whose name decisions are written of people without one there;"
        " they stand in the reason. Empty: such people cannot decide.",
    )
    one_card: bool = Field(
        True,
        description="Whether all who decide share one card with the prices, and the groups one without (all of them"
        " one, once `dingerp doctor --probe` has shown that values for single people arrive); else each place has a"
        " card of its own, and each costs calls.",
    )
    group_cards: Literal["auto", "waiting", "decided"] = Field(
        "auto",
        description="When groups get their card: while an order waits, or once it is decided. Then it is one card for"
        " the groups and the requester, and costs two calls less. `auto`: while it waits where everybody in the group"
        " may see what its approvers see, which costs no call, and once it is decided elsewhere.",
    )
    native: OaSettings = OaSettings.model_validate({})


class NotifySettings(SettingsSection):
    """The people the bot calls, besides showing cards."""

    name_asker: bool = Field(
        True,
        description="Whether an answer that everybody in a group sees names and calls (@) who asked. It costs no call.",
    )
    ding: Literal["off", "app", "sms", "phone"] = Field(
        "off",
        description="Whether people are also called (DING) about critical alerts in their own chat and about those that"
        " are passed on to them, where the alert rules do not say so themselves (`ding` of a route): in the app, by"
        " text message or by telephone. Each is a call; the last two cost extra.",
    )
    welcome: bool = Field(
        True,
        description="Whether the first answer in a group, or in somebody's chat with the bot, also shows three things"
        " to try, which fit the asker's role. It costs no call.",
    )
    top_box: bool = Field(
        False,
        description="Whether what is critical and open is also in a box at the top of its group (吊顶) until it is"
        " over, where the alert rules do not say so themselves (`top_box` of a route). Each costs two calls.",
    )
    todo: bool = Field(
        False,
        description="Whether those whose turn it is to decide a purchase order get a to-do (待办) in DingTalk, which is"
        " done when it is decided anywhere and decides nothing itself, where the approval rules do not say so"
        " themselves (`todo` of a rule). Each costs two calls; it needs `Todo.Todo.Write`, `Todo.Todo.Read` and"
        " `qyapi_get_member`.",
    )
