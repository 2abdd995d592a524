"""Settings for the appearance of answers, and for the data behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from bot.settings.sections.section import ConversationName, SettingsSection
from bot.words.phrase import phrase
from bot.words.secret_values import Secret


class TemplateSettings(SettingsSection):
    """A card template of your own, made in DingTalk's card builder."""

    template_id: str = Field(description="`<uuid>.schema` of a published template.")
    button_style: Literal["msgButtons", "buttonGroup", "static"] = Field(
        "buttonGroup", description="How the template takes its buttons."
    )
    variables: dict[str, str] = Field(
        {"title": "title", "markdown": "body", "tips": "tips", "btns": "buttons"},
        description="Template variable → card part (`title`, `body`, `tips`, `buttons`; `body2`, `buttons2` and so on"
        " for what the variable before has no room for) or field of the view.",
    )


class CardSettings(SettingsSection):
    """The appearance of answers."""

    body_bytes: int = Field(1024, ge=256, le=8192, description="Bytes of text in each variable of a card's template.")
    buttons_bytes: int = Field(1024, ge=256, le=8192, description="Bytes of buttons in each variable of its template.")
    private_way: Literal["recipients", "private_data", "direct"] = Field(
        "recipients",
        description="How who asks or taps in a group sees what the group may not: a card there for them alone, values"
        " for the asker in the group's card (once `dingerp doctor --probe` has shown that they arrive), or a card in"
        " their own chat with the bot.",
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


class IndexSettings(SettingsSection):
    """The local product index, which finds names without asking the ERP."""

    enabled: bool = Field(True, description="Whether it is kept, for each ERP that tells which products changed.")
    seconds: float = Field(60.0, ge=1, le=3600, description="Seconds between two looks at what changed.")


class ReadModelSettings(SettingsSection):
    """The documents kept of the ERPs, which answer sums and lists over months without asking an ERP."""

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
    """A language model for sentences that the rules do not understand. It receives the sentence and the commands'
    usage.
    """

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
    excluded_conversations: frozenset[ConversationName] = Field(
        frozenset(), description="openConversationIds whose sentences are kept from the model."
    )
    excluded_words: frozenset[str] = Field(
        frozenset(), description="Sentences with one of these words are kept from the model."
    )

    @model_validator(mode="after")
    def _names_a_model(self) -> LanguageModelSettings:
        if self.url and not self.model:
            raise ValueError(phrase("the model has a url and no name; set understanding.model.model"))
        return self


class QuestionDatabaseSettings(SettingsSection):
    """A database that the company's own questions ask, besides those of the sources."""

    url: Secret = Field(description="SQLAlchemy URL, of an account that may only read.")


class QuestionSettings(SettingsSection):
    """[Questions of the company's own](../how-to/ask-your-own-questions.md)."""

    file: Path | None = Field(
        None, description="File of the questions; by default `questions.toml` beside this file or in the data folder."
    )
    databases: dict[str, QuestionDatabaseSettings] = Field(
        {},
        description="Name → database. One with the name of an ERP source is that ERP's own database; sources of the"
        " vendors `sql` and `demo` are there without being named.",
    )


class UnderstandingSettings(SettingsSection):
    """The reading of sentences."""

    enabled: bool = Field(True, description="Whether sentences are read; otherwise only commands, numbers and names.")
    sentences: Path | None = Field(None, description="File with the company's own words (form of commands/sentences).")
    unread_days: int = Field(
        90,
        ge=0,
        le=366,
        description="Days for which sentences that were not understood are counted, without names; 0: none are.",
    )
    model: LanguageModelSettings = LanguageModelSettings.model_validate({})
