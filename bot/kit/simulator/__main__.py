"""`python -m bot.kit.simulator`: the simulator alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator


async def _serve(host: str, port: int, config: SimulatorConfig) -> None:
    async with open_simulator(config, host=host, port=port) as simulator:
        sys.stdout.write(f"{simulator.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Parse the command line and listen until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bot.kit.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787)
    parser.add_argument("--redelivery-delay", type=float, default=60.0, help="seconds without ACK")
    parser.add_argument("--unlimited", action="store_true", help="no QPS limit and no monthly quota")
    options = parser.parse_args()
    config = SimulatorConfig(redelivery_delay=options.redelivery_delay)
    if options.unlimited:
        config = SimulatorConfig(redelivery_delay=options.redelivery_delay, qps_limit=None, quota_limit=None)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.host, options.port, config))


if __name__ == "__main__":
    main()
