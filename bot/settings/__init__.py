"""Typed settings from a TOML file and the environment; the environment wins.

Names in the environment: ``DINGERP_`` + path with ``__`` between levels (``DINGERP_HTTP__PORT``); the four names used
by DingTalk's own SDK and samples (``DINGTALK_CLIENT_ID`` …) are accepted as well.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.settings.file_variables import SUFFIX, read_named_files, settings_beside, takes_json, value_of_file
from bot.settings.sealed_values import find_sealed, open_values
from bot.settings.sections.answers import CardSettings as CardSettings
from bot.settings.sections.answers import IndexSettings as IndexSettings
from bot.settings.sections.answers import LanguageModelSettings as LanguageModelSettings
from bot.settings.sections.answers import QuestionDatabaseSettings as QuestionDatabaseSettings
from bot.settings.sections.answers import QuestionSettings as QuestionSettings
from bot.settings.sections.answers import ReadModelSettings as ReadModelSettings
from bot.settings.sections.answers import TemplateSettings as TemplateSettings
from bot.settings.sections.answers import UnderstandingSettings as UnderstandingSettings
from bot.settings.sections.connections import DingTalkSettings as DingTalkSettings
from bot.settings.sections.connections import ErpSettings as ErpSettings
from bot.settings.sections.connections import HookSettings as HookSettings
from bot.settings.sections.connections import HttpSettings as HttpSettings
from bot.settings.sections.connections import PageSettings as PageSettings
from bot.settings.sections.connections import PollSettings as PollSettings
from bot.settings.sections.connections import QueueSettings as QueueSettings
from bot.settings.sections.connections import ReceiverSettings as ReceiverSettings
from bot.settings.sections.connections import SheetSettings as SheetSettings
from bot.settings.sections.notifications import AlertSettings as AlertSettings
from bot.settings.sections.notifications import ApprovalSettings as ApprovalSettings
from bot.settings.sections.notifications import NotifySettings as NotifySettings
from bot.settings.sections.notifications import OaFieldSettings as OaFieldSettings
from bot.settings.sections.notifications import OaSettings as OaSettings
from bot.settings.sections.notifications import OutboxSettings as OutboxSettings
from bot.settings.sections.rights import AccessSettings as AccessSettings
from bot.settings.sections.rights import AllowanceSettings as AllowanceSettings
from bot.settings.sections.rights import AuditSettings as AuditSettings
from bot.settings.sections.rights import LimitSettings as LimitSettings
from bot.settings.sections.rights import RuleSettings as RuleSettings
from bot.settings.sections.section import PersonName, SenderName, SourceName
from bot.settings.sections.upkeep import EventSettings as EventSettings
from bot.settings.sections.upkeep import HoursSettings as HoursSettings
from bot.settings.sections.upkeep import LogSettings as LogSettings
from bot.settings.sections.upkeep import OtelSettings as OtelSettings
from bot.settings.sections.upkeep import RetentionSettings as RetentionSettings
from bot.settings.sections.upkeep import TraceSettings as TraceSettings
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, join_words, phrase, reason_of
from bot.words.secret_values import Secret
from bot.words.spelling import most_alike
from bot.words.toml_errors import explain_toml_error
from bot.words.wrong_values import explain_wrong_values

DEFAULT_FILE = Path("dingerp.toml")
SETUP_JOURNAL = Path(".dingerp-setup")
"""Beside the settings, while a set-up replaces several files: who reads them finishes that first."""
ACCESS_RULES = "access.toml"
ALERT_RULES = "alerts.toml"
EMBEDDED = "demo"
"""The vendor of the demo company."""

APPROVER = "approver"
"""The role of the approvers of purchase orders without rules."""

APPROVAL_RULES = "approvals.toml"
QUESTIONS = "questions.toml"


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix="DINGERP_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )
    _file: ClassVar[Path | None] = None
    _sealed: ClassVar[tuple[str, ...]] = ()
    _rule_places: Mapping[str, tuple[Path, ...]] = PrivateAttr(default_factory=dict)
    _ready_rules: frozenset[Path] = PrivateAttr(default_factory=frozenset)

    dingtalk: DingTalkSettings = DingTalkSettings.model_validate({})
    http: HttpSettings = HttpSettings.model_validate({})
    pages: PageSettings = PageSettings.model_validate({})
    erp: dict[str, ErpSettings] = Field({}, description="Source name → ERP.")
    products: dict[str, dict[SourceName, str]] = Field(
        {}, description="Our code → source name → the code there; empty where the source lacks the product."
    )
    units: dict[str, str] = Field(
        {}, description='Unit → number and unit, such as `"千个" = "1000 个"`, `"pcs" = "1 个"`.'
    )
    hooks: dict[SenderName, HookSettings] = Field({}, description="Source name → webhook.")
    events: EventSettings = EventSettings.model_validate({})
    access: AccessSettings = AccessSettings.model_validate({})
    cards: CardSettings = CardSettings.model_validate({})
    limits: LimitSettings = LimitSettings.model_validate({})
    queues: dict[SenderName, QueueSettings] = Field({}, description="Source name → message queue with its events.")
    receivers: dict[str, ReceiverSettings] = Field({}, description="Name → program that is told what happens.")
    sheets: dict[str, SheetSettings] = Field({}, description="Name → list in a shared table.")
    index: IndexSettings = IndexSettings.model_validate({})
    read_model: ReadModelSettings = ReadModelSettings.model_validate({})
    questions: QuestionSettings = QuestionSettings.model_validate({})
    understanding: UnderstandingSettings = UnderstandingSettings.model_validate({})
    poll: PollSettings = PollSettings.model_validate({})
    outbox: OutboxSettings = OutboxSettings.model_validate({})
    alerts: AlertSettings = AlertSettings.model_validate({})
    approvals: ApprovalSettings = ApprovalSettings.model_validate({})
    notify: NotifySettings = NotifySettings.model_validate({})
    audit: AuditSettings = AuditSettings.model_validate({})
    hours: HoursSettings = HoursSettings.model_validate({})
    retention: RetentionSettings = RetentionSettings.model_validate({})
    log: LogSettings = LogSettings.model_validate({})
    trace: TraceSettings = TraceSettings.model_validate({})
    otel: OtelSettings = OtelSettings.model_validate({})
    data_dir: Path = Field(Path("data"), description="Folder of the SQLite files.")
    database_url: Secret = Field(
        Secret(""), description="SQLAlchemy URL, with `?pooled=true` for PgBouncer; empty: SQLite in the data folder."
    )
    data_key: Secret = Field(
        Secret(""),
        description="Opens what is sealed in the database, a line that `dingerp data new-key` prints; while it is"
        " changed, the new and the old one with a blank between.",
    )
    data_key_file: Path | None = Field(
        None, description="File with that key; without either the bot makes `dingerp.key` in the data folder."
    )
    replicas: int = Field(
        1,
        ge=1,
        le=16,
        description="Processes that [work together](../how-to/run-several-replicas.md) on one PostgreSQL database; with"
        " 1 a second is refused.",
    )
    zone: str = Field(
        "Asia/Shanghai",
        description="Time zone in which dates and times are shown, and whose day is today: in words such as today, and"
        " for what is late or overdue in every ERP.",
    )
    language: Literal["zh_CN", "en"] = Field("zh_CN", description="Language of people who chose none.")
    languages: dict[PersonName, Literal["zh_CN", "en"]] = Field(
        {}, description="User id → language, until they choose."
    )

    @model_validator(mode="before")
    @classmethod
    def _open_sealed(cls, values: dict[str, Any]) -> dict[str, Any]:
        cls._sealed = tuple(find_sealed(values))
        return open_values(values)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                phrase('unknown time zone %(value)s, an example is "Asia/Shanghai"', value=f"{value!r}")
            ) from error
        return value

    @property
    def file(self) -> Path | None:
        """Return the file that was read, if any."""
        return self._file

    @property
    def sealed(self) -> tuple[str, ...]:
        """Return the paths of the settings that are sealed with the company's key."""
        return self._sealed

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL of the bot's own database (it may hold a password)."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'dingerp.sqlite3'}"

    @property
    def has_pages(self) -> bool:
        """Return whether people can log in to pages."""
        return bool(self.http.public_url) and self.pages.enabled

    @property
    def access_rules(self) -> tuple[Path, ...]:
        """The places searched for the file of further access rules; the first existing one counts."""
        return self._places(self.access.file, ACCESS_RULES)

    @property
    def real_sources(self) -> tuple[str, ...]:
        """The sources with a company's own figures, which excludes the demo company."""
        return tuple(name for name, source in self.erp.items() if source.vendor != EMBEDDED)

    @property
    def alert_rules(self) -> tuple[Path, ...]:
        """The places searched for the file of alert rules; the first existing one counts."""
        return self._places(self.alerts.rules, ALERT_RULES)

    @property
    def approval_rules(self) -> tuple[Path, ...]:
        """The places searched for the file of approval rules; the first existing one counts."""
        return self._places(self.approvals.rules, APPROVAL_RULES)

    @property
    def question_files(self) -> tuple[Path, ...]:
        """The places searched for the file of the company's own questions; the first existing one counts."""
        return self._places(self.questions.file, QUESTIONS)

    @property
    def approvers(self) -> frozenset[str]:
        """The approvers of purchase orders without any rules."""
        return self.access.roles.get(APPROVER, frozenset())

    @property
    def event_sources(self) -> tuple[str, ...]:
        """The names of the systems that events may be of."""
        return tuple(dict.fromkeys((*self.erp, *self.hooks, *self.queues)))

    @property
    def approval_groups(self) -> tuple[str, ...]:
        """The groups that get a card without prices for each waiting purchase order."""
        return self.alerts.default_groups if self.approvals.groups is None else self.approvals.groups

    @property
    def ready_rules(self) -> frozenset[Path]:
        """The rule files that apply where the operator has none."""
        return self._ready_rules

    def with_rules_of(self, other: Settings, ready: Mapping[str, Path]) -> Self:
        """Return these settings with rule files searched where ``other`` does, in the data folder, and at last the
        ``ready`` ones, which nobody edits.

        ``ready`` maps the names of the operator's files to these.
        """
        places = {
            ACCESS_RULES: other.access_rules,
            ALERT_RULES: other.alert_rules,
            APPROVAL_RULES: other.approval_rules,
            QUESTIONS: other.question_files,
        }
        copy = self.model_copy()
        copy._rule_places = {
            name: (*own, self.data_dir / name, *filter(None, (ready.get(name),))) for name, own in places.items()
        }
        copy._ready_rules = frozenset(ready.values())
        return copy

    def _places(self, chosen: Path | None, name: str) -> tuple[Path, ...]:
        if name in self._rule_places:
            return self._rule_places[name]
        if chosen is not None:
            return (chosen,)
        beside = (self._file or DEFAULT_FILE).with_name(name)
        inside = self.data_dir / name
        return (beside,) if beside.absolute() == inside.absolute() else (beside, inside)

    @property
    def keys_missing(self) -> bool:
        """Whether the app's keys are still missing."""
        return not (self.dingtalk.client_id and self.dingtalk.client_secret.get_secret_value())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, file."""
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = read_named_files(env_settings.env_vars, cls)
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings, _SdkEnvironment(settings_cls)]
        if cls._file is not None:
            sources.append(TomlConfigSettingsSource(settings_cls, cls._file))
        return tuple(sources)


class _SdkEnvironment(PydanticBaseSettingsSource):
    """Reads the variables used by DingTalk's SDK and samples."""

    names: ClassVar[Mapping[str, str]] = {
        "client_id": "DINGTALK_CLIENT_ID",
        "client_secret": "DINGTALK_CLIENT_SECRET",
        "openapi_endpoint": "DINGTALK_OPENAPI_ENDPOINT",
        "oapi_endpoint": "DINGTALK_OAPI_ENDPOINT",
    }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {key: value for key, name in self.names.items() if (value := _sdk_variable(name))}
        return {"dingtalk": found} if found else {}


def _sdk_variable(name: str) -> str:
    value, file = os.environ.get(name, ""), os.environ.get(f"{name}{SUFFIX}", "")
    return value_of_file(f"{name}{SUFFIX}", file, given=bool(value)) if file else value


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings; ``file`` defaults to ``dingerp.toml`` if present.

    Raises `ConfigurationError` naming every wrong entry.
    """
    if file is not None and not file.is_file():
        raise ConfigurationError(phrase("no such configuration file: %(file)s", file=str(file)))
    _check_environment()
    chosen = file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    try:
        return _settings_from(chosen)(**overrides)
    except ValidationError as error:
        wrong = explain_wrong_values(error, partial(settings_beside, settings=Settings))
        raise ConfigurationError(phrase("wrong settings: %(wrong)s", wrong=wrong)) from None
    except SettingsError as error:
        found = (*_variables_that_are_no_json(),)
        wrong = join_words(found) if found else str(error)
        raise ConfigurationError(phrase("unreadable settings in the environment: %(wrong)s", wrong=wrong)) from None
    except ValueError as error:
        raise ConfigurationError(_why_unreadable(chosen, error)) from None


@cache
def _settings_from(file: Path | None) -> type[Settings]:
    """Return the settings as a class that reads this file."""
    return type("Settings", (Settings,), {"_file": file, "__doc__": Settings.__doc__})


def _why_unreadable(file: Path | None, error: ValueError) -> Phrase:
    """Return why the settings file is not TOML, or not text."""
    if file is None or not isinstance(error, tomllib.TOMLDecodeError):
        where = str(file or "the environment")
        return phrase("unreadable settings in %(file)s: %(wrong)s", file=where, wrong=reason_of(error))
    line, reason = explain_toml_error(error, file.read_text(encoding="utf-8"))
    wrong = phrase("line %(line)s: %(reason)s", line=str(line), reason=reason)
    return phrase("unreadable settings in %(file)s: %(wrong)s", file=str(file), wrong=wrong)


def _variables_that_are_no_json() -> Iterator[Phrase]:
    """Yield the error of each variable for a list or table that is not JSON, without its value."""
    for variable, value in sorted(os.environ.items()):
        if not variable.upper().startswith("DINGERP_") or not takes_json(variable.lower(), Settings):
            continue
        try:
            json.loads(value)
        except ValueError as error:
            yield phrase("%(variable)s is no JSON: %(why)s", variable=variable, why=str(error))


_SERVICE_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)")
"""What Kubernetes tells every container of the services beside it, one called ``dingerp`` among them, besides their
``…PORT=tcp://…``. No setting is called like that.

Source: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""


def _check_environment() -> None:
    """Refuse variables with our prefix that set nothing: a misspelt one would silently leave a door open."""
    known = [name.upper() for name in Settings.model_fields]
    for variable, value in sorted(os.environ.items()):
        prefix, _, path = variable.upper().partition("_")
        first = path.partition("__")[0]
        if prefix != "DINGERP" or not path or first in known or first.removesuffix(SUFFIX) in known:
            continue
        if _SERVICE_LINK.fullmatch(path) or (path.endswith("PORT") and "://" in value):
            continue
        part_of_it = [name for name in known if name in path]
        (nearest,) = most_alike(path, part_of_it or known, limit=1)
        raise ConfigurationError(
            phrase(
                "wrong settings: %(variable)s is no setting; did you mean DINGERP_%(nearest)s? Levels are separated by"
                " two underscores: DINGERP_ERP__MAIN__VENDOR",
                variable=variable,
                nearest=nearest,
            )
        )
