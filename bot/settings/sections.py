"""The sections of the settings, each with what its entries mean; the reference page is made of their descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.secret_values import Secret
from bot.settings.editions import EditionName, EditionPlan, MonthlyQuotas


class SettingsSection(BaseModel):
    """Base of the sections: an unknown entry is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DingTalkSettings(SettingsSection):
    """The app's keys and the way to DingTalk."""

    client_id: str = Field("", description="Client ID (AppKey) of the app; also `DINGTALK_CLIENT_ID`.")
    client_secret: Secret = Field(
        Secret(""),
        description="Client Secret (AppSecret) of the app; also `DINGTALK_CLIENT_SECRET`, or in a file that"
        " `DINGTALK_CLIENT_SECRET_FILE` names.",
    )
    robot_code: str = Field("", description="Robot code, where it differs from the client id.")
    robot_names: tuple[str, ...] = Field((), description="Names of the bot in groups: rich text repeats its mention.")
    corp_id: str = Field(
        "", description="The corpId of your organisation; empty: learnt from the first message. No other is obeyed."
    )
    openapi_endpoint: str = Field(
        "https://api.dingtalk.com", description="Base of the new API; also `DINGTALK_OPENAPI_ENDPOINT`."
    )
    oapi_endpoint: str = Field(
        "https://oapi.dingtalk.com", description="Base of the old API; also `DINGTALK_OAPI_ENDPOINT`."
    )
    proxy: str = Field("", description="HTTP proxy for calls and the stream; the usual proxy variables are not read.")

    @field_validator("client_id", "robot_code", "openapi_endpoint", "oapi_endpoint")
    @classmethod
    def _strip(cls, value: str) -> str:
        # Blanks around a key that was copied from the console give authFailed
        # (docs: platform/dingtalk/stream.md#opening).
        return value.strip().rstrip("/")


class HttpSettings(SettingsSection):
    """The bot's own HTTP server."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8788, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: str = Field(
        "",
        pattern="^(https://[^/?#]+)?/?$",
        description="`https://` address under which people's browsers reach `/keys/` of this server, by a reverse"
        " proxy; empty: nobody can enter a key of their own for an ERP.",
    )


class ErpSettings(BaseModel):
    """One source. Further keys belong to the vendor's adapter."""

    model_config = ConfigDict(extra="allow", frozen=True)

    vendor: str = Field(description="Adapter: `demo`, or one of an installed package.")
    timeout: float = Field(5.0, gt=0, le=60, description="Seconds one question may take at this source.")
    rate: float = Field(0.0, ge=0, description="Calls per second at most; 0: as many as there are.")
    breaker_failures: int = Field(
        5, ge=0, description="Failed reads in a row after which the source is left alone for a while; 0: never."
    )
    breaker_seconds: float = Field(
        15.0, gt=0, le=3600, description="Seconds for which it is left alone; then one call shows whether it is back."
    )
    cache_seconds: float = Field(
        2.0, ge=0, le=60, description="Seconds in which the same question is answered without asking again; 0: never."
    )
    negative_stock: bool = Field(
        True,
        description="Whether stock below zero is shown, with a mark; if not, it is kept aside as an error.",
    )

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the keys that only the adapter knows."""
        return dict(self.model_extra or {})


class RuleSettings(BaseModel):
    """One access rule; further keys are those of `access.toml`. They are checked with their lines, like its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    commands: frozenset[str] = Field(frozenset(), description="Command names, or `*`.")
    roles: frozenset[str] = Field(frozenset(), description="Role names, or `*` for every member.")
    conversations: frozenset[str] = Field(frozenset(), description="Only in these conversations; empty: everywhere.")

    @property
    def written(self) -> Mapping[str, Any]:
        """Return the keys as they are in a file."""
        values = {key: getattr(self, key) for key in self.model_fields_set}
        return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in values.items()}


class AccessSettings(SettingsSection):
    """Who may do what."""

    roles: dict[str, frozenset[str]] = Field({}, description="Role → user ids.")
    rules: tuple[RuleSettings, ...] = Field(
        (), description="[Access rules](access-rules.md); without any, members may ask and nobody may write."
    )
    presets: bool = Field(
        False, description="Puts the [ready rules](access-rules.md#ready-rules) for the usual roles in force."
    )
    read_only: bool = Field(False, description="Nothing is changed in any ERP, whatever the rules say.")
    file: Path | None = Field(
        None, description="File of further rules; by default `access.toml` beside this file or in the data folder."
    )
    accounts: dict[str, dict[str, str]] = Field(
        {}, description="User id → source name → their account in that ERP, for decisions under their own name."
    )
    match: tuple[Literal["job_number", "mobile", "mail"], ...] = Field(
        (),
        description="What DingTalk and an ERP both know of somebody, by which accounts are bound after each walk"
        " through the directory, where it is one person's and one account's; empty: none is.",
    )
    outsider_groups: tuple[str, ...] = Field(
        (),
        description="openConversationIds of groups with people from outside the organisation: shared cards show less"
        " there. Groups in which one writes or taps are known by themselves.",
    )
    directory: bool | None = Field(
        None,
        description="Whether DingTalk's directory says who is a member (needs `qyapi_get_member`): `true` takes its"
        " roles, too; `auto` asks it if the app may; with `false` members are those who have written to the bot.",
    )

    sync_hours: float = Field(
        24.0,
        ge=0,
        le=48,
        description="Hours between two walks through the whole directory; 0: only people who ask are looked up.",
    )

    @field_validator("directory", mode="before")
    @classmethod
    def _automatic(cls, value: object) -> object:
        return None if isinstance(value, str) and value.strip().lower() == "auto" else value

    @model_validator(mode="after")
    def _matched_in_walks(self) -> AccessSettings:
        if self.match and not (self.reads_directory and self.sync_hours):
            raise ValueError("match needs walks through the directory: directory must not be false, nor sync_hours 0")
        return self

    @property
    def reads_directory(self) -> bool:
        """Return whether the directory is asked at all."""
        return self.directory is not False

    @field_validator("outsider_groups")
    @classmethod
    def _conversations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return open_conversations(value)


class HookSettings(SettingsSection):
    """One source that posts its events to `/hooks/<name>`."""

    secret: Secret = Field(
        Secret(""), description="What the sender signs with (`whsec_…`), or the vendor's secret or token."
    )
    previous_secrets: tuple[Secret, ...] = Field((), description="Secrets that still count while they are changed.")
    scheme: Literal["standard", "erpnext", "yonbip", "odoo", "dolibarr"] = Field(
        "standard", description="How the sender proves itself and what its body looks like."
    )
    max_bytes: int = Field(1_000_000, ge=1_000, le=20_000_000, description="Size of a request's body at most.")
    company: str = Field("", description="Company of events that name none.")
    currency: str = Field(
        "", pattern="^([A-Z]{3})?$", description="ISO code, of amounts in a vendor's body that come without one."
    )
    app_key: str = Field("", description="YonBIP: the application's key.")
    aes_key: Secret = Field(Secret(""), description="YonBIP: the EncodingAESKey of the event subscription.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return all secrets in force, the newest first."""
        return tuple(each.get_secret_value() for each in (self.secret, *self.previous_secrets))


class EventSettings(SettingsSection):
    """Events that are kept."""

    keep_days: int = Field(30, ge=1, le=3650, description="Days for which events that were worked on are kept.")
    keep_rejected_days: int = Field(
        90, ge=1, le=3650, description="Days for which events are kept that could not be understood."
    )
    waiting_per_source: int = Field(
        20_000,
        ge=1,
        description="Events of one source that may wait to be processed; until there is room, more are refused.",
    )


class TemplateSettings(SettingsSection):
    """A card template of your own, made in DingTalk's card builder."""

    template_id: str = Field(description="`<uuid>.schema` of a published template.")
    button_style: Literal["msgButtons", "buttonGroup", "static"] = Field(
        "buttonGroup", description="How the template takes its buttons."
    )
    variables: dict[str, str] = Field(
        {"title": "title", "markdown": "body", "tips": "tips", "btns": "buttons"},
        description="Template variable → card part (`title`, `body`, `tips`, `buttons`) or field of the view.",
    )


class CardSettings(SettingsSection):
    """How answers look."""

    body_bytes: int = Field(1024, ge=256, le=8192, description="Byte budget of a card's text.")
    buttons_bytes: int = Field(1024, ge=256, le=8192, description="Byte budget of a card's buttons.")
    private_way: Literal["recipients", "private_data", "direct"] = Field(
        "recipients",
        description="How who asks in a group sees what the group may not: a card there for the asker alone, values for"
        " the asker in the group's card, or a card in the asker's own chat with the bot.",
    )
    folder: Path | None = Field(None, description="Folder with your own versions of card templates.")
    chart_font: Path | None = Field(
        None,
        description="Font file of the charts, with Chinese letters; empty: the first in the places where systems keep"
        " one (Debian and Ubuntu: package `fonts-noto-cjk`).",
    )
    form_template: str = Field(
        "",
        description="Template in DingTalk by which people fill in what is asked for, such as the reason of a rejection;"
        " empty: they tap or type it. `c2a6355b-9724-4f7e-9653-d33fcb3311bb.schema` is a public one, which not every"
        " organisation may use. A form is a call.",
    )
    templates: dict[str, TemplateSettings] = Field(
        {}, description="Card name (or `default`) → template of your own in DingTalk."
    )


class AllowanceSettings(SettingsSection):
    """How much one person may ask and see; 0: as much as wanted."""

    questions_minute: int = Field(30, ge=0, description="Questions and clicks within a minute.")
    documents_day: int = Field(500, ge=0, description="Different documents within a day.")
    documents_row: int = Field(60, ge=0, description="Different documents within `limits.row_minutes`.")


class ConversationAllowanceSettings(AllowanceSettings):
    """How much all people of one group together may ask and see; 0: as much as wanted."""

    questions_minute: int = Field(120, ge=0, description="Questions and clicks within a minute.")
    documents_day: int = Field(2_000, ge=0, description="Different documents within a day.")
    documents_row: int = Field(240, ge=0, description="Different documents within `limits.row_minutes`.")


class LimitSettings(SettingsSection):
    """What DingTalk allows and what the bot allows itself."""

    qps: float = Field(20.0, gt=0, description="Calls per second and API (Standard edition: 20).")
    directory_qps: float = Field(
        10.0, gt=0, description="Calls per second and API for walks through the whole directory."
    )
    edition: EditionName = Field(
        "standard",
        description="DingTalk's edition, which gives the quotas of a month; `standard-2024` for contracts from before"
        " 2025-11-19.",
    )
    packs: int = Field(0, ge=0, le=1_000, description="Add-on packs: 5 000 000 calls and 500 000 uses each.")
    monthly_calls: int | None = Field(None, gt=0, description="API calls per month, if not those of the edition.")
    monthly_uses: int | None = Field(
        None, gt=0, description="Webhook & Stream uses per month, if not those of the edition."
    )
    clicks_count: bool = Field(True, description="Whether a click on a card is a use, which DingTalk does not say.")
    questions_at_once: int = Field(256, gt=0, description="Questions that are worked on at the same time.")
    question_seconds: float = Field(20.0, gt=0, description="Time for finding one answer.")
    interim_seconds: float = Field(
        2.0,
        ge=0,
        description="Seconds after which a card says that the ERP is being asked, and becomes the answer by one more"
        " call; 0: never.",
    )
    interim_most: int = Field(
        8,
        ge=0,
        description="Questions at work at the same time up to which such a card is shown: a burst goes without.",
    )
    interim_share: float = Field(
        0.7, ge=0, le=1, description="Part of the month's calls after which no such card is shown any more."
    )
    click_seconds: float = Field(1.6, gt=0, lt=2, description="Time for a click's answer; DingTalk waits 2 s.")
    row_minutes: float = Field(10.0, gt=0, le=1440, description="Minutes within which documents count as in a row.")
    exports_day: int = Field(10, ge=0, description="Files that one person may export in a day; 0: as many as wanted.")
    export_rows: int = Field(1_000, ge=1, le=10_000, description="Rows of one exported file.")
    person: AllowanceSettings = AllowanceSettings.model_validate({})
    conversation: ConversationAllowanceSettings = ConversationAllowanceSettings.model_validate({})

    @property
    def month(self) -> MonthlyQuotas:
        """What a month allows."""
        quotas = EditionPlan(self.edition, self.packs).quotas
        return MonthlyQuotas(self.monthly_calls or quotas.calls, self.monthly_uses or quotas.uses)


class AuditSettings(SettingsSection):
    """The audit log."""

    keep_days: int = Field(1095, ge=30, le=36_500, description="Days for which entries are kept.")


class QueueSettings(SettingsSection):
    """A message queue that holds one source's events as CloudEvents."""

    url: Secret = Field(
        description="`redis://`, `rediss://`, `amqp://`, `amqps://`, `nats://` or `kafka://host:port,host:port`."
    )
    name: str = Field(description="Stream, queue, subject or topic.")
    group: str = Field("dingerp", description="Readers of one group share the messages.")
    reader: str = Field("", description="Name of this process in the group; empty: the machine's name.")


class IndexSettings(SettingsSection):
    """The local index of products, by which names are found without asking the ERP."""

    enabled: bool = Field(True, description="Whether it is kept, for each ERP that tells which products changed.")
    seconds: float = Field(60.0, ge=1, le=3600, description="Seconds between two looks at what changed.")


class ReadModelSettings(SettingsSection):
    """The documents kept of the ERPs, from which sums and lists over months are answered without asking an ERP."""

    enabled: bool = Field(True, description="Whether they are kept, for each ERP that tells which documents changed.")
    seconds: float = Field(60.0, ge=1, le=3600, description="Seconds between two looks at what changed.")
    keep_days: int = Field(
        400, ge=62, le=3650, description="Days for which documents that are over are kept; open ones always are."
    )
    stock_days: int = Field(
        400,
        ge=0,
        le=3650,
        description="Days for which what lay in each warehouse is kept, as polling sees it; 0: it is not kept.",
    )


class LanguageModelSettings(SettingsSection):
    """A language model for sentences that the rules do not read. It gets the sentence and how commands are typed."""

    url: str = Field(
        "",
        pattern="^(https?://[^?#]+)?$",
        description="Base URL of an endpoint that speaks OpenAI's chat completions, such as `https://…/v1`; empty: no"
        " model is asked.",
    )
    key: Secret = Field(Secret(""), description="Key of the endpoint; empty for one without.")
    model: str = Field("", description="Name of the model there.")
    seconds: float = Field(3.0, gt=0, le=10, description="Time for one sentence; after that the rules alone count.")
    monthly_calls: int = Field(2_000, ge=1, le=10_000_000, description="Calls in a month at most.")
    answers: Literal["schema", "json"] = Field(
        "schema", description="`schema`: the endpoint takes JSON schemas; `json`: only JSON, as DeepSeek's does."
    )
    excluded_conversations: frozenset[str] = Field(
        frozenset(), description="openConversationIds whose sentences are kept from the model."
    )
    excluded_words: frozenset[str] = Field(
        frozenset(), description="Sentences with one of these words are kept from the model."
    )

    @model_validator(mode="after")
    def _names_a_model(self) -> LanguageModelSettings:
        if self.url and not self.model:
            raise ValueError("the model has a url and no name; set understanding.model.model")
        return self


class UnderstandingSettings(SettingsSection):
    """How sentences are read."""

    enabled: bool = Field(True, description="Whether sentences are read; otherwise only commands, numbers and names.")
    sentences: Path | None = Field(None, description="File with the company's own words (form of commands/sentences).")
    model: LanguageModelSettings = LanguageModelSettings.model_validate({})


class PollSettings(SettingsSection):
    """How the ERPs are asked for what changed, and for what is late, overdue, short or waiting."""

    enabled: bool = Field(True, description="Whether they are asked at all.")
    areas: tuple[Literal["purchasing", "stock", "invoices", "orders", "receipts", "production", "order_news"], ...] = (
        Field(
            ("purchasing", "stock", "invoices", "orders", "receipts", "production"),
            description="What is asked for; `receipts`: late purchases, `order_news`: new and changed orders.",
        )
    )
    seconds: float = Field(60.0, ge=1, le=600, description="Seconds between two looks at what changed.")
    list_seconds: float = Field(
        300.0, ge=5, le=600, description="Seconds between two looks through the lists of what is late or overdue."
    )
    calls: int = Field(
        100, ge=10, le=10_000, description="Calls that one look may make for one area; what is left waits for the next."
    )
    backlog: bool = Field(
        True, description="Whether what is late or short already, when an ERP is asked for the first time, is told."
    )


class OutboxSettings(SettingsSection):
    """How cards that nobody asked for are sent: alerts, decisions, digests."""

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
    tries: int = Field(8, gt=0, le=50, description="Tries before a delivery is given up; eight take about two hours.")
    keep_days: int = Field(90, gt=0, description="Days for which the record of deliveries is kept.")


def open_conversations(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids without blanks. Raises `ValueError` for one that cannot be an openConversationId."""
    for group in value:
        if not group.strip() or ":" in group:
            raise ValueError(f"{group!r} is no openConversationId, an example is cidKp3Lr0000000000000000==")
    return tuple(group.strip() for group in value)


class AlertSettings(SettingsSection):
    """Where alerts go."""

    default_groups: tuple[str, ...] = Field(
        (), description="openConversationIds of the groups for alerts that no rule sends elsewhere."
    )
    rules: Path | None = Field(
        None, description="File of the rules; by default alerts.toml beside the configuration or in the data folder."
    )

    @field_validator("default_groups")
    @classmethod
    def _conversations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return open_conversations(value)


class NativeFields(SettingsSection):
    """Names of the fields of the OA form; empty: the form has none for it."""

    case: str = Field("单据标识", min_length=1, description="Text: the bot knows its approvals again by it.")
    number: str = Field("采购单号", description="Text: number of the purchase order.")
    source: str = Field("", description="Text: name of the ERP.")
    vendor: str = Field("供应商", description="Text: the vendor.")
    total: str = Field("金额", description="Number, amount or text: the total, without its currency.")
    currency: str = Field("", description="Text: the currency of the total.")
    due: str = Field("", description="Date or text: when delivery is due.")


class NativeSettings(SettingsSection):
    """Decisions in DingTalk's own approvals (OA 审批) as well."""

    process: str = Field("", description="Process code of the OA form (`PROC-…`); empty: off.")
    originator: str = Field(
        "",
        description="userId that starts approvals of orders whose requester nobody in DingTalk is known to be. Empty:"
        " these are decided in chat alone.",
    )
    fields: NativeFields = NativeFields.model_validate({})


class ApprovalSettings(SettingsSection):
    """How purchase orders are decided from chat."""

    rules: Path | None = Field(
        None, description="File of the rules; by default approvals.toml beside the configuration or in the data folder."
    )
    groups: tuple[str, ...] | None = Field(
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
    technical_account: str = Field(
        "",
        description="The bot's own account in the ERP, in whose name decisions are written of people without one there;"
        " they stand in the reason. Empty: such people cannot decide.",
    )
    one_card: bool = Field(
        True,
        description="Whether the groups and all who decide share one card, on which each of them sees values of their"
        " own, such as prices; else each place has a card of its own, and each costs calls.",
    )
    native: NativeSettings = NativeSettings.model_validate({})

    @field_validator("groups")
    @classmethod
    def _conversations(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else open_conversations(value)


class NotifySettings(SettingsSection):
    """Whom the bot calls, besides showing cards."""

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


class RetentionSettings(SettingsSection):
    """How long what is over stays known; `events.keep_days` and `outbox.keep_days` say it for events and deliveries."""

    alert_days: int = Field(90, ge=1, le=3650, description="Days for which alerts that are over are known.")
    case_days: int = Field(
        3650, ge=30, le=36500, description="Days for which purchase orders that were decided from chat are known."
    )
    answer_days: int = Field(
        30, ge=1, le=3650, description="Days for which an ERP's last answers are known, and its invalid records."
    )


class LogSettings(SettingsSection):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["console", "json"] = Field("json", description="`console` for people, `json` for collectors.")
