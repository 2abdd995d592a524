"""Asks a language model for the meaning of a sentence, within its rules: what may be asked, for how long, and how
often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from bot.chat.parsing import normalise
from bot.chat.questions.reading import ReadBy, Reading
from bot.chat.registry import Commands
from bot.erp.errors import ErpError, Unavailable
from bot.erp.limits import BreakerState, CircuitBreaker
from bot.mechanisms.health import PartHealth, PartStatus, degraded
from bot.mechanisms.metrics import Metrics
from bot.understanding.grammar import MAX_SENTENCE
from bot.understanding.language_model.ports import BadReply, ModelEndpoint, ModelReply, PassingFailure
from bot.understanding.language_model.reply import check_line, read_answer
from bot.understanding.language_model.request import ModelRequest, make_request
from bot.understanding.language_model.spending import ModelBudget
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

_FAILURES = 3
"""Failures in a row after which the model is left alone."""
_PAUSE = 60.0
"""Seconds for which it is."""
_SHORTEST = 3
"""Characters of a sentence: shorter texts are codes or names that nobody knows."""


class ModelOutcome(StrEnum):
    """The outcome for a sentence; a bounded set, because it labels a metric."""

    READ = "read"
    NOTHING = "nothing"
    """The model says that no command fits."""
    REFUSED = "refused"
    """Its line may not run: a command that changes something, or words that nobody said."""
    BAD_REPLY = "bad_reply"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    PAUSED = "paused"
    """It was not asked because it failed before."""
    SPENT = "spent"
    """It was not asked because the month's calls are used up, or cannot be counted."""
    EXCLUDED = "excluded"
    """A rule keeps the sentence from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """The sentences withheld from every model: those of some conversations, and those with some words (lower-case)."""

    conversations: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, conversations: Iterable[str], words: Iterable[str]) -> ModelRules:
        """Return the rules from the settings."""
        return cls(
            conversations=frozenset(conversations), words=frozenset(normalise(word).casefold() for word in words)
        )

    def exclude(self, sentence: str, conversation_id: str) -> bool:
        """Return whether the sentence is withheld from the model."""
        said = normalise(sentence).casefold()
        return conversation_id in self.conversations or any(word in said for word in self.words)


class ModelReader:
    """Reads sentences with a language model."""

    def __init__(
        self,
        commands: Commands,
        sayable: frozenset[str],
        endpoint: ModelEndpoint,
        *,
        budget: ModelBudget,
        rules: ModelRules,
        seconds: float,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``sayable`` are the commands available to sentences; ``seconds`` is the time limit per sentence."""
        self._commands = commands
        self._sayable = frozenset(name for name in sayable if commands[name].only_asks)
        self._endpoint = endpoint
        self._budget = budget
        self._rules = rules
        self._seconds = seconds
        self._metrics = metrics
        self._monotonic = monotonic
        self._breaker = CircuitBreaker(
            "language model", failures=_FAILURES, pause=_PAUSE, monotonic=monotonic, on_change=self._changed
        )

    @property
    def health(self) -> PartHealth:
        """The model's health, with its cost this month."""
        used = self._budget.used
        cost = phrase(
            "%(used)d of %(limit)d calls of this month, %(asked)d + %(answered)d tokens",
            used=used.calls,
            limit=self._budget.monthly_calls,
            asked=used.prompt_tokens,
            answered=used.answer_tokens,
        )
        if self._budget.is_spent:
            return degraded(
                phrase(
                    "the language model's calls are used up (%(cost)s): sentences are read by rules alone", cost=cost
                )
            )
        if trouble := self._breaker.trouble:
            return degraded(
                phrase(
                    "the language model does not answer (%(error)s): sentences are read by rules alone", error=trouble
                )
            )
        return PartHealth(PartStatus.OK, cost)

    async def read(self, sentence: str, conversation_id: str, usable: frozenset[str]) -> Reading | None:
        """Return the model's reading of a sentence, among the commands ``usable``; None if there is none.

        Raises nothing but cancellation: if the model fails, the rules continue alone.
        """
        readable = self._sayable & usable
        if not readable or not _SHORTEST <= len(sentence) <= MAX_SENTENCE:
            return None
        if self._rules.exclude(sentence, conversation_id):
            outcome, line = ModelOutcome.EXCLUDED, None
        else:
            outcome, line = await self._read(sentence, readable)
        self._metrics.model_sentences.labels(outcome).inc()
        return Reading(line=line, by=ReadBy.MODEL) if line else None

    async def _read(self, sentence: str, readable: frozenset[str]) -> tuple[ModelOutcome, str | None]:
        started = self._monotonic()
        reply = await self._ask(make_request(self._commands, readable, sentence))
        if isinstance(reply, ModelOutcome):
            return reply, None
        self._metrics.model_seconds.observe(self._monotonic() - started)
        answer = read_answer(reply.text)
        if not answer:
            return ModelOutcome.BAD_REPLY if answer is None else ModelOutcome.NOTHING, None
        line = check_line(answer, sentence, self._commands, readable)
        return ModelOutcome.READ if line else ModelOutcome.REFUSED, line

    async def _ask(self, request: ModelRequest) -> ModelReply | ModelOutcome:
        try:
            self._breaker.admit()
        except ErpError:
            return ModelOutcome.PAUSED
        try:
            reply = await self._ask_in_time(request)
        except TimeoutError:
            return self._fail(Unavailable(f"no answer in {self._seconds:g} s"), ModelOutcome.TIMEOUT)
        except BadReply as error:
            return self._fail(error, ModelOutcome.BAD_REPLY)
        except ErpError as error:
            return self._fail(error, ModelOutcome.UNAVAILABLE)
        except DingerpError as error:
            self._breaker.abandoned()
            log.warning("understanding.model_not_counted", error=type(error).__name__, detail=error.detail)
            return ModelOutcome.SPENT
        except BaseException:
            self._breaker.abandoned()
            raise
        if reply is None:
            self._breaker.abandoned()
            return ModelOutcome.SPENT
        self._breaker.succeeded()
        return reply

    async def _ask_in_time(self, request: ModelRequest) -> ModelReply | None:
        """Ask, with one retry after a passing failure; None if the month allows no more calls."""
        ends_at = asyncio.get_running_loop().time() + self._seconds
        if not await self._budget.reserve():
            return None
        try:
            reply = await self._ask_until(ends_at, request)
        except PassingFailure:
            if not await self._budget.reserve():
                raise
            reply = await self._ask_until(ends_at, request)
        await self._note(reply)
        return reply

    async def _ask_until(self, ends_at: float, request: ModelRequest) -> ModelReply:
        self._metrics.model_calls.inc()
        async with asyncio.timeout_at(ends_at):
            return await self._endpoint.ask(request)

    async def _note(self, reply: ModelReply) -> None:
        self._metrics.model_tokens.labels("prompt").inc(reply.prompt_tokens)
        self._metrics.model_tokens.labels("answer").inc(reply.answer_tokens)
        try:
            await self._budget.note(reply.prompt_tokens, reply.answer_tokens)
        except DingerpError as error:
            log.warning("understanding.model_not_counted", error=type(error).__name__, detail=error.detail)

    def _fail(self, error: ErpError, outcome: ModelOutcome) -> ModelOutcome:
        self._breaker.failed(error)
        log.warning("understanding.model_failed", error=type(error).__name__, detail=error.detail)
        return outcome

    def _changed(self, state: BreakerState) -> None:
        self._metrics.model_open.set(state is not BreakerState.CLOSED)
