"""What authors of commands and adapters test with; needs pytest, and the running bot never imports it."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"bot.kit.testing.contract_{part}"
        for part in ("base", "reads", "lists", "goods", "changes", "faults", "decisions")
    ),
    "bot.kit.testing.commands",
    "bot.kit.testing.erp_checks",
)
