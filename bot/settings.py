"""Typed settings from a TOML file and the environment; the environment wins.

Names in the environment: ``DINGERP_`` + path with ``__`` between levels (``DINGERP_HTTP__PORT``); the four names that
DingTalk's own SDK and samples use (``DINGTALK_CLIENT_ID`` …) are read as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bot.errors import ConfigurationError

DEFAULT_FILE = Path("dingerp.toml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DingTalkSettings(_Part):
    """The app's keys and the way to DingTalk."""

    client_id: str = Field("", description="Client ID (AppKey) of the app; also `DINGTALK_CLIENT_ID`.")
    client_secret: SecretStr = Field(
        SecretStr(""), description="Client Secret (AppSecret) of the app; also `DINGTALK_CLIENT_SECRET`."
    )
    robot_code: str = Field("", description="Robot code, where it differs from the client id.")
    robot_names: tuple[str, ...] = Field((), description="Names of the bot in groups: rich text repeats its mention.")
    corp_id: str = Field("", description="Only clicks from this organisation are obeyed; empty: any.")
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
        # Blanks around a key that was copied from the console give authFailed (DingTalk sheet, 1.1).
        return value.strip().rstrip("/")


class HttpSettings(_Part):
    """The bot's own HTTP server."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8788, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")


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
    negative_stock: bool = Field(False, description="Whether stock on hand may be below zero in this ERP.")

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the keys that only the adapter knows."""
        return dict(self.model_extra or {})


class RuleSettings(_Part):
    """Grants commands to roles."""

    commands: frozenset[str] = Field(description="Command names, or `*`.")
    roles: frozenset[str] = Field(description="Role names, or `*` for every member.")
    conversations: frozenset[str] = Field(frozenset(), description="Only in these conversations; empty: everywhere.")


class AccessSettings(_Part):
    """Who may do what."""

    roles: dict[str, frozenset[str]] = Field({}, description="Role → user ids.")
    rules: tuple[RuleSettings, ...] = Field(
        (), description="Grants; without any, members may ask and nobody may write."
    )
    directory: bool = Field(False, description="Also take roles from DingTalk's directory (needs `qyapi_get_member`).")


class TemplateSettings(_Part):
    """A card template of your own, made in DingTalk's card builder."""

    template_id: str = Field(description="`<uuid>.schema` of a published template.")
    button_style: Literal["msgButtons", "buttonGroup", "static"] = Field(
        "buttonGroup", description="How the template takes its buttons."
    )
    variables: dict[str, str] = Field(
        {"title": "title", "markdown": "body", "tips": "tips", "btns": "buttons"},
        description="Template variable → card part (`title`, `body`, `tips`, `buttons`) or field of the view.",
    )


class CardSettings(_Part):
    """How answers look."""

    body_bytes: int = Field(1024, ge=256, le=8192, description="Byte budget of a card's text.")
    buttons_bytes: int = Field(1024, ge=256, le=8192, description="Byte budget of a card's buttons.")
    folder: Path | None = Field(None, description="Folder with your own versions of card templates.")
    templates: dict[str, TemplateSettings] = Field(
        {}, description="Card name (or `default`) → template of your own in DingTalk."
    )


class LimitSettings(_Part):
    """What DingTalk allows and what the bot allows itself."""

    qps: float = Field(20.0, gt=0, description="Calls per second and API (Standard edition: 20).")
    monthly_calls: int = Field(10_000, gt=0, description="Calls per month (Standard edition: 10 000), for the metrics.")
    questions_at_once: int = Field(256, gt=0, description="Questions that are worked on at the same time.")
    question_seconds: float = Field(20.0, gt=0, description="Time for finding one answer.")
    click_seconds: float = Field(1.6, gt=0, lt=2, description="Time for a click's answer; DingTalk waits 2 s.")


class LogSettings(_Part):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["console", "json"] = Field("json", description="`console` for people, `json` for collectors.")


class Settings(BaseSettings):
    """Everything that can be configured."""

    model_config = SettingsConfigDict(
        env_prefix="DINGERP_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )
    _file: ClassVar[Path | None] = None

    dingtalk: DingTalkSettings = DingTalkSettings.model_validate({})
    http: HttpSettings = HttpSettings.model_validate({})
    erp: dict[str, ErpSettings] = Field({}, description="Source name → ERP.")
    products: dict[str, dict[str, str]] = Field(
        {}, description="Our code → source name → the code there; empty where the source lacks the product."
    )
    units: dict[str, str] = Field(
        {}, description='Unit → number and unit, such as `"千个" = "1000 个"`, `"pcs" = "1 个"`.'
    )
    access: AccessSettings = AccessSettings.model_validate({})
    cards: CardSettings = CardSettings.model_validate({})
    limits: LimitSettings = LimitSettings.model_validate({})
    log: LogSettings = LogSettings.model_validate({})
    data_dir: Path = Field(Path("data"), description="Folder of the SQLite files.")
    database_url: SecretStr = Field(SecretStr(""), description="SQLAlchemy URL; empty: SQLite in the data folder.")
    zone: str = Field("Asia/Shanghai", description="Time zone in which dates and times are shown.")
    language: Literal["zh_CN", "en"] = Field("zh_CN", description="Language of people who chose none.")
    languages: dict[str, Literal["zh_CN", "en"]] = Field({}, description="User id → language, until they choose.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}, an example is Asia/Shanghai") from error
        return value

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL of the bot's own database (it may hold a password)."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'dingerp.sqlite3'}"

    @property
    def keys_missing(self) -> bool:
        """Whether the app's keys still have to be entered."""
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
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings, _SdkEnvironment(settings_cls)]
        if cls._file is not None:
            sources.append(TomlConfigSettingsSource(settings_cls, cls._file))
        return tuple(sources)


class _SdkEnvironment(PydanticBaseSettingsSource):
    """Reads the variables that DingTalk's SDK and samples made known."""

    names: ClassVar[Mapping[str, str]] = {
        "client_id": "DINGTALK_CLIENT_ID",
        "client_secret": "DINGTALK_CLIENT_SECRET",
        "openapi_endpoint": "DINGTALK_OPENAPI_ENDPOINT",
        "oapi_endpoint": "DINGTALK_OAPI_ENDPOINT",
    }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {key: os.environ[name] for key, name in self.names.items() if os.environ.get(name)}
        return {"dingtalk": found} if found else {}


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings; ``file`` defaults to ``dingerp.toml`` if present.

    Raises `ConfigurationError` that names every wrong entry.
    """
    if file is not None and not file.is_file():
        raise ConfigurationError(f"no such configuration file: {file}")
    chosen = file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    source = type("Settings", (Settings,), {"_file": chosen, "__doc__": Settings.__doc__})
    try:
        return source(**overrides)  # type: ignore[no-any-return]  # made one line above
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"wrong settings: {wrong}") from None
    except ValueError as error:
        raise ConfigurationError(f"unreadable settings in {chosen or 'the environment'}: {error}") from None
