"""Settings of connections: DingTalk, the bot's web server, ERPs, and sources of events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.settings.sections.section import PersonName, SettingsSection, SourceName
from bot.words.secret_values import Secret


class DingTalkSettings(SettingsSection):
    """The app's keys and the route to DingTalk."""

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
    login_page: str = Field(
        "https://login.dingtalk.com/oauth2/auth", description="Where browsers are sent to log in to the pages."
    )
    proxy: str = Field("", description="HTTP proxy for calls and the stream; the usual proxy variables are not read.")

    @field_validator("client_id", "robot_code", "openapi_endpoint", "oapi_endpoint")
    @classmethod
    def _strip(cls, value: str) -> str:
        # A blank copied around a key from the console causes authFailed
        # (docs: platform/dingtalk/stream.md#opening).
        return value.strip().rstrip("/")


class HttpSettings(SettingsSection):
    """The bot's own HTTP server."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8788, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: str = Field(
        "",
        pattern=r"^(https://[^/?#@\s]+(/[^?#\s]*)?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?)?$",
        description="`https://` address under which people's browsers reach this server, by a reverse proxy that takes"
        " off the path it may end with; empty: there are no pages, and nobody can enter a key of their own for an ERP."
        " `http://` only on this machine, where port 0 stands for the one it listens on.",
    )

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")


class PageSettings(SettingsSection):
    """Pages for people who log in with DingTalk; there are none without `http.public_url`."""

    enabled: bool = Field(True, description="Whether there are pages where `http.public_url` is set.")
    idle_minutes: float = Field(240.0, gt=0, le=10_080, description="Minutes without use after which a login ends.")
    longest_hours: float = Field(24.0, gt=0, le=720, description="Hours after which a login ends in any case.")
    rules_second_person: bool = Field(
        False,
        description="Whether rules that one administrator wrote on a page are published by another one. By default"
        " their author publishes them, after a confirmation in their own chat.",
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
        """Return the keys known only to the adapter."""
        return dict(self.model_extra or {})


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


class QueueSettings(SettingsSection):
    """A message queue that holds one source's events as CloudEvents."""

    url: Secret = Field(
        description="`redis://`, `rediss://`, `amqp://`, `amqps://`, `nats://` or `kafka://host:port,host:port`."
    )
    name: str = Field(description="Stream, queue, subject or topic.")
    group: str = Field("dingerp", description="Readers of one group share the messages.")
    reader: str = Field("", description="Name of this process in the group; empty: the machine's name.")


class ReceiverSettings(SettingsSection):
    """A program that is told what happens, by signed webhooks or through a message broker."""

    url: Secret = Field(
        description="`https://` address that events are posted to, `http://` only with `private`; or a broker's, as in"
        " `queues`."
    )
    queue: str = Field("", description="Of a broker: the stream, queue, subject or topic that events are written to.")
    owner: PersonName = Field(
        min_length=1,
        description="userId of the person whom the program belongs to: it is told what they may see, as long as they"
        " are there.",
    )
    secret: Secret = Field(
        Secret(""),
        description="What webhooks are signed with: `whsec_` and at least 16 random bytes in base64.",
    )
    previous_secrets: tuple[Secret, ...] = Field(
        (), description="Secrets that webhooks are signed with as well while the receiver changes to the new one."
    )
    types: tuple[str, ...] = Field(
        ("alert.*", "decision.*"),
        min_length=1,
        description="Types of events, such as `alert.opened`; each `document.changed` is a call of its ERP.",
    )
    sources: tuple[SourceName, ...] = Field((), description="Only what concerns these ERPs; empty: all of them.")
    private: bool = Field(
        False, description="Whether the address may be inside your network; otherwise only public ones are called."
    )
    timeout: float = Field(10.0, gt=0, le=20, description="Seconds one call may take.")
    at_once: int = Field(8, gt=0, le=50, description="Calls at the same time, each for another subject.")
    give_up_hours: float = Field(
        72.0, gt=0, le=720, description="Hours after which an event that was not taken is given up (a dead letter)."
    )

    @field_validator("url")
    @classmethod
    def _whole(cls, value: Secret) -> Secret:
        if not re.fullmatch(r"https?://[^\s/?#@]+([/?]\S*)?|(?!https?:)[a-z]+://\S+", value.get_secret_value()):
            raise ValueError("no address that begins with https://, http:// or a broker's scheme")
        return value

    @property
    def is_webhook(self) -> bool:
        """Whether events are posted, and not written to a broker."""
        return self.url.get_secret_value().startswith(("https://", "http://"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return all secrets in force, the newest first."""
        return tuple(each.get_secret_value() for each in (self.secret, *self.previous_secrets))


class PollSettings(SettingsSection):
    """How ERPs are polled for changes, and for late, overdue, scarce or waiting documents."""

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


class SheetSettings(SettingsSection):
    """A list in an AI table of DingTalk that people share: fed with what one person may see, and kept current."""

    base: str = Field(
        min_length=1,
        description="Id of the AI table: the last part of its link, after `alidocs.dingtalk.com/i/nodes/`.",
    )
    sheet: str = Field(min_length=1, description="Name or id of the sheet in it.")
    owner: PersonName = Field(
        min_length=1,
        description="userId of the person whose list it is: it shows what they may see, as long as they are there, and"
        " they answer what is asked by edits.",
    )
    operator: PersonName = Field(
        "", description="userId of the person in whose name the table is edited; empty: the owner."
    )
    line: str = Field(min_length=2, description="Line of the list, such as `/order late`.")
    shared: bool = Field(
        False,
        description="Must be true: whoever may open the table in DingTalk sees what its owner may see.",
    )
    every: float = Field(30.0, ge=5, le=1440, description="Minutes between two refreshes, each at least one API call.")
    edits: dict[str, dict[str, str]] = Field(
        {},
        description="Column that people write into → text → line that it asks for, with `{number}` for the row's"
        " document and `{value}` for the text; `*` stands for any other text.",
    )
    answer_hours: float = Field(24.0, gt=0, le=168, description="Hours for which what an edit asks for waits.")
