"""``dingerp run`` with time for questions of any age, and to end: ``python -m tests.scenario.patient_bot``.

Between two bots, or behind hundreds of questions, a question gets as old on a busy machine as people do not wait. What
is under way when a bot ends takes longer there as well.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot import app
from bot.bootstrap import questions
from bot.chat.answers import pipeline
from bot.mechanisms.log import configure_logging
from bot.settings import load_settings

if __name__ == "__main__":
    pipeline.MAX_QUESTION_AGE = questions.MAX_QUESTION_AGE = timedelta(hours=1)
    app.SHUTDOWN_GRACE = 120.0
    chosen = load_settings()
    configure_logging(chosen.log.level, chosen.log.format)
    asyncio.run(app.run_until_stopped(chosen))
