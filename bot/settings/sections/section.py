"""What all sections of the settings share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict

from bot.words.names import NameKind

PersonName: TypeAlias = Annotated[str, NameKind.PERSON]
SenderName: TypeAlias = Annotated[str, NameKind.SENDER]
SourceName: TypeAlias = Annotated[str, NameKind.SOURCE]
ConversationName: TypeAlias = Annotated[str, NameKind.CONVERSATION, AfterValidator(str.strip)]
"""What a field holds by way of names, for `bot.settings.naming`; whether they lead anywhere is checked later."""


class SettingsSection(BaseModel):
    """Base of the sections: an unknown entry is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
