"""Builds the language-model reader, if one is configured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from bot.chat.registry import Commands
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.understanding.language_model.ports import ModelUseStore
from bot.understanding.language_model.reader import ModelReader, ModelRules
from bot.understanding.language_model.spending import ModelBudget
from bot.understanding.sentences import Sentences
from bot.words.errors import ConfigurationError


async def open_model(
    stack: AsyncExitStack,
    settings: Settings,
    commands: Commands,
    sentences: Callable[[], Sentences],
    store: ModelUseStore,
    metrics: Metrics,
    now: Callable[[], datetime],
) -> ModelReader | None:
    """Return the reader for the lifetime of ``stack``; None without a model in the settings.

    Raises `ConfigurationError` if its package is not installed.
    """
    wanted = settings.understanding.model
    if not wanted.url:
        return None
    try:
        from bot.understanding.language_model.endpoint import OpenAiEndpoint
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"understanding.model needs the package {error.name}: pip install 'dingerp[model]'"
        ) from error
    endpoint = OpenAiEndpoint(
        url=wanted.url,
        key=wanted.key.get_secret_value(),
        model=wanted.model,
        follows_schema=wanted.answers == "schema",
        seconds=wanted.seconds,
    )
    stack.push_async_callback(endpoint.close)
    budget = ModelBudget(store, monthly_calls=wanted.monthly_calls, now=now)
    await budget.load()
    return ModelReader(
        commands,
        sentences().commands,
        endpoint,
        budget=budget,
        rules=ModelRules.of(wanted.excluded_conversations, wanted.excluded_words),
        seconds=wanted.seconds,
        metrics=metrics,
    )
