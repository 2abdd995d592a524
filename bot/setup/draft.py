"""What was entered in the set-up, over what the installation has already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.access.policy import ADMIN
from bot.settings import ErpSettings, Settings
from bot.words.phrase import Phrase, phrase
from bot.words.secret_values import Secret


class SetupStep(StrEnum):
    """The steps, in their order; each is a page."""

    APP = "app"
    ERP = "erp"
    ACCESS = "access"
    GROUP = "group"
    WRITE = "write"


STEP_TITLES: Mapping[SetupStep, Phrase] = MappingProxyType(
    {
        SetupStep.APP: phrase("The app in DingTalk"),
        SetupStep.ERP: phrase("The ERP"),
        SetupStep.ACCESS: phrase("Who may ask"),
        SetupStep.GROUP: phrase("The first group"),
        SetupStep.WRITE: phrase("Write the files"),
    }
)


class AccessChoice(StrEnum):
    """Who may ask what, at the beginning."""

    ROLES = "roles"
    EVERYBODY = "everybody"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True, slots=True)
class EnteredKeys:
    """The app's keys."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnteredSource:
    """An ERP: its ``options`` as its vendor takes them, and the names of those that are ``secrets``."""

    vendor: str
    options: Mapping[str, Any] = field(repr=False)
    secrets: frozenset[str]


@dataclass(frozen=True, slots=True)
class EnteredAccess:
    """Who may ask. ``administrators`` are user ids; ``by_directory``: roles count as DingTalk's directory has them."""

    choice: AccessChoice
    administrators: tuple[str, ...]
    by_directory: bool


@dataclass(frozen=True, slots=True)
class EnteredAlerts:
    """The first alerts: ``types`` of events, and the group that gets them."""

    conversation_id: str
    title: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupDraft:
    """All that was entered; None for what was not, or what stays as it is."""

    keys: EnteredKeys | None = None
    source: EnteredSource | None = None
    access: EnteredAccess | None = None
    alerts: EnteredAlerts | None = None
    without_group: bool = False
    """Whether the first group was left for later."""

    def over(self, settings: Settings) -> Settings:
        """Return the settings as they would be."""
        changes: dict[str, Any] = {}
        if self.keys:
            secret = Secret(self.keys.client_secret)
            keys = {"client_id": self.keys.client_id, "client_secret": secret}
            changes["dingtalk"] = settings.dingtalk.model_copy(update=keys)
        if self.source:
            source = ErpSettings(vendor=self.source.vendor, **self.source.options)
            changes["erp"] = {**settings.erp, source_name(settings): source}
        if self.access:
            roles = {**settings.access.roles, ADMIN: frozenset(self.access.administrators)}
            changes["access"] = settings.access.model_copy(update={"roles": roles})
        return settings.model_copy(update=changes)

    def done(self, settings: Settings) -> frozenset[SetupStep]:
        """Return the steps for which nothing is left to do, with what is installed already."""
        would = self.over(settings)
        found = {
            SetupStep.APP: not would.keys_missing,
            SetupStep.ERP: bool(would.erp),
            SetupStep.ACCESS: self.access is not None or chooses_access(settings),
            SetupStep.GROUP: self.alerts is not None or self.without_group or has_alerts(settings),
        }
        return frozenset(step for step, is_done in found.items() if is_done)

    def next_step(self, settings: Settings) -> SetupStep:
        """Return the first step for which something is left."""
        done = self.done(settings)
        return next(step for step in SetupStep if step not in done)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered that could be written."""
        return not (self.keys or self.source or self.access or self.alerts)


def source_name(settings: Settings) -> str:
    """Return the name of the source that the set-up is about: the first one, or what the first one is called."""
    return next(iter(settings.erp), "main")


def chooses_access(settings: Settings) -> bool:
    """Return whether somebody has said who may ask what."""
    access = settings.access
    return access.open or access.presets or bool(access.rules) or any(map(_has_text, settings.access_rules))


def has_alerts(settings: Settings) -> bool:
    """Return whether alerts go anywhere."""
    return bool(settings.alerts.default_groups) or any(map(_has_text, settings.alert_rules))


def _has_text(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
