"""Options of a source of the vendor ``example``."""

from pydantic import Field, SecretStr

from bot.api import erps


class ExampleOptions(erps.HttpOptions):
    user: str = Field(description="The bot's account at the ERP.")
    password: SecretStr = Field(description="Its password.")
