"""``dingerp simulator`` as a process of its own, and in it a bot on DingTalk's unmodified SDK, through the control API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.simulator.config import SimulatorConfig
from tests.scenario.processes import dingerp, environment, program
from tests.scenario.traffic import eventually
from tests.simulator import sdk_bot

pytestmark = pytest.mark.process
