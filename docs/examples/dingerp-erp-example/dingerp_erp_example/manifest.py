"""The vendor ``example``."""

from bot.api import erps

from .options import ExampleOptions


async def _open(context: erps.AdapterContext, options: ExampleOptions) -> erps.Erp:
    from .adapter import ExampleErp

    return ExampleErp(context, options)


vendor = erps.Vendor(title="Example ERP", options=ExampleOptions, open=_open)
