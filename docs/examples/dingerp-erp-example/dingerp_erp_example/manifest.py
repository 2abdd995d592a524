"""What the vendor ``example`` is and how a source of it is configured."""

from pydantic import Field, SecretStr

from bot.erp.http import HttpOptions
from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


class ExampleOptions(HttpOptions):
    user: str = Field(description="The bot's account at the ERP.")
    password: SecretStr = Field(description="Its password.")


async def _open(context: AdapterContext, options: ExampleOptions) -> Erp:
    from .adapter import ExampleErp

    return ExampleErp(context, options)


vendor = Vendor(title="Example ERP", options=ExampleOptions, open=_open)
