"""What authors of commands and adapters test with; needs pytest, and the running bot never imports it."""

import pytest

pytest.register_assert_rewrite(
    *(f"bot.testing.contract_{part}" for part in ("base", "reads", "lists", "goods", "changes", "faults", "decisions")),
    "bot.testing.commands",
    "bot.testing.erp_checks",
)
