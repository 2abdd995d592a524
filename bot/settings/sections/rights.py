"""Settings of rights, of limits, and of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.settings.editions import EditionName, EditionPlan, MonthlyQuotas
from bot.settings.sections.section import ConversationName, PersonName, SettingsSection, SourceName
from bot.words.phrase import phrase


class RuleSettings(BaseModel):
    """One access rule; further keys are those of `access.toml`, validated with their lines as in that file."""

    model_config = ConfigDict(extra="allow", frozen=True)

    commands: frozenset[str] = Field(frozenset(), description="Command names, or `*`.")
    roles: frozenset[str] = Field(frozenset(), description="Role names, or `*` for every member.")
    conversations: frozenset[str] = Field(frozenset(), description="Only in these conversations; empty: everywhere.")

    @property
    def written(self) -> Mapping[str, Any]:
        """Return the keys as written in a file."""
        values = {key: getattr(self, key) for key in self.model_fields_set}
        return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in values.items()}


class AccessSettings(SettingsSection):
    """Access rights."""

    roles: dict[str, frozenset[PersonName]] = Field({}, description="Role → user ids.")
    rules: tuple[RuleSettings, ...] = Field(
        (), description="[Access rules](access-rules.md); where none is about a command, every member may use it."
    )
    presets: bool = Field(
        False, description="Puts the [ready rules](access-rules.md#ready-rules) for the usual roles in force."
    )
    open: bool = Field(
        False,
        description="Every member may ask all that no rule is about, and sees all of it. With any ERP but the demo's,"
        " this, `presets` or rules must be chosen before the bot starts.",
    )
    read_only: bool = Field(False, description="Nothing is changed in any ERP, whatever the rules say.")
    file: Path | None = Field(
        None, description="File of further rules; by default `access.toml` beside this file or in the data folder."
    )
    accounts: dict[PersonName, dict[SourceName, str]] = Field(
        {}, description="User id → source name → their account in that ERP, for decisions under their own name."
    )
    match: tuple[Literal["job_number", "mobile", "mail"], ...] = Field(
        (),
        description="What DingTalk and an ERP both know of somebody, by which accounts are bound after each walk"
        " through the directory, where it is one person's and one account's; empty: none is.",
    )
    outsider_groups: tuple[ConversationName, ...] = Field(
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
            raise ValueError(
                phrase("match needs walks through the directory: directory must not be false, nor sync_hours 0")
            )
        return self

    @property
    def reads_directory(self) -> bool:
        """Return whether the directory is used at all."""
        return self.directory is not False


class AllowanceSettings(SettingsSection):
    """How much one person may ask and see; 0: unlimited."""

    questions_minute: int = Field(30, ge=0, description="Questions and clicks within a minute.")
    documents_day: int = Field(500, ge=0, description="Different documents opened within a day.")
    documents_row: int = Field(60, ge=0, description="Different documents opened within `limits.row_minutes`.")


class ConversationAllowanceSettings(AllowanceSettings):
    """How much the people of one group together may ask and see; 0: unlimited."""

    questions_minute: int = Field(120, ge=0, description="Questions and clicks within a minute.")
    documents_day: int = Field(2_000, ge=0, description="Different documents opened within a day.")
    documents_row: int = Field(240, ge=0, description="Different documents opened within `limits.row_minutes`.")


class KeyAllowanceSettings(AllowanceSettings):
    """How much one program may ask and see by its key; 0: unlimited."""

    questions_minute: int = Field(120, ge=0, description="Requests within a minute.")
    documents_day: int = Field(5_000, ge=0, description="Different documents opened within a day.")
    documents_row: int = Field(600, ge=0, description="Different documents opened within `limits.row_minutes`.")


class LimitSettings(SettingsSection):
    """DingTalk's limits, and the bot's own."""

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
    use_grace: bool = Field(
        False,
        description="Whether nothing is spared before DingTalk refuses a call: it grants up to five days when a month's"
        " calls are used up.",
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
    key: KeyAllowanceSettings = KeyAllowanceSettings.model_validate({})

    @property
    def month(self) -> MonthlyQuotas:
        """The monthly allowance."""
        quotas = EditionPlan(self.edition, self.packs).quotas
        return MonthlyQuotas(self.monthly_calls or quotas.calls, self.monthly_uses or quotas.uses)


class AuditSettings(SettingsSection):
    """The audit log."""

    keep_days: int = Field(1095, ge=30, le=36_500, description="Days for which entries are kept.")
    required: bool = Field(
        False,
        description="Whether what has to be recorded is answered, done and exported only once its entry can be kept.",
    )
