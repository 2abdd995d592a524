"""What authors of commands and adapters test with; needs pytest, and the running bot never imports it."""

import pytest

pytest.register_assert_rewrite("bot.testing.erp_contract", "bot.testing.erp_checks")
