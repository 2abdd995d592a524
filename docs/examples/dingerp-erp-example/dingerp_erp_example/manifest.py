"""What the vendor ``example`` is and how a source of it is configured."""

from pydantic import Field, SecretStr

from bot.api import erps


class ExampleOptions(erps.HttpOptions):
    user: str = Field(description="The bot's account at the ERP.")
    password: SecretStr = Field(description="Its password.")


async def _open(context: erps.AdapterContext, options: ExampleOptions) -> erps.Erp:
    from .adapter import ExampleErp

    return ExampleErp(context, options)


vendor = erps.Vendor(title="Example ERP", options=ExampleOptions, open=_open)
