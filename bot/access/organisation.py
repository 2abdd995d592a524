"""Whose bot this is: the organisation that alone may talk to it.

A userId is unique within one organisation only, and a group may hold people of several (docs:
platform/dingtalk/callbacks.md#who-clicked). So nothing counts before the bot knows its own organisation.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from typing import Protocol

import structlog
from cachetools import TTLCache

from bot.mechanisms.single_flight import SingleFlights
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


class OrganisationStore(Protocol):
    """Keeps the organisation across restarts; implemented by `bot.store.people`."""

    async def load(self) -> str:
        """Return the corpId that is kept, empty for none. Like `keep` it may raise a `DingerpError`."""
        ...

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        """Keep the corpId and return the valid one: an earlier one, unless this one is kept ``instead``."""
        ...


class AppOrganisation(Protocol):
    """Knows where the app belongs; implemented by `bot.dingtalk.app_organisation`."""

    async def has_app(self, corp_id: str) -> bool:
        """Return whether the app belongs to this organisation. Raises a `DingerpError` when there is no answer."""
        ...


_REMEMBER_REFUSAL = 60.0
"""Seconds before the app is asked again about an organisation that is not its own."""


class OwnOrganisation:
    """The bot's organisation: configured, or learnt from the first message, which names it as ``chatbotCorpId``.

    A click before any message names the clicker's organisation; the app is asked whether it is the bot's.
    """

    def __init__(
        self, configured: str = "", store: OrganisationStore | None = None, app: AppOrganisation | None = None
    ) -> None:
        """Without ``store``, what is learnt ends with the process; without ``app``, clicks teach nothing."""
        self._configured = configured.strip()
        self._store = store
        self._app = app
        self._asking: SingleFlights[str, None] = SingleFlights()
        self._foreign: MutableMapping[str, bool] = TTLCache(1_000, _REMEMBER_REFUSAL)
        self._own = self._configured
        self._kept = ""
        self._saving = False

    @property
    def is_known(self) -> bool:
        """Whether the organisation is configured or learnt."""
        return bool(self._own)

    def is_own(self, corp_id: str) -> bool:
        """Return whether this is the bot's organisation; False for all while that is unknown."""
        return bool(corp_id) and corp_id == self._own

    def admits(self, corp_id: str) -> bool:
        """Return whether to take a message with this ``chatbotCorpId``; the first message says whose bot this is.

        A message without it is taken, since it came over the bot's own stream, but proves nothing about its sender.
        """
        if not corp_id:
            return True
        self._own = self._own or corp_id
        return corp_id == self._own

    async def recognise(self, corp_id: str) -> None:
        """Learn the organisation of a click, if the app belongs to it. Errors are logged, and nothing is learnt."""
        if self._app is None or self.is_known or not corp_id or corp_id in self._foreign:
            return
        await self._asking.join(corp_id, partial(self._ask_app, self._app, corp_id))

    async def _ask_app(self, app: AppOrganisation, corp_id: str) -> None:
        try:
            own = await app.has_app(corp_id)
        except DingerpError as error:
            log.warning("organisation.not_confirmed", error=type(error).__name__, detail=error.detail)
            return
        if own:
            self.admits(corp_id)
            await self.save()
        else:
            self._foreign[corp_id] = True

    async def load(self) -> None:
        """Read what an earlier run learnt; a configured organisation takes precedence over it."""
        if self._store is not None:
            self._kept = await self._store.load()
            self._own = self._configured or self._kept

    async def save(self) -> None:
        """Keep what was learnt. After a failure, which is only logged, the next message tries again."""
        # The first messages may arrive together, and one is enough.
        if self._store is None or not self._own or self._kept == self._own or self._saving:
            return
        self._saving = True
        try:
            self._kept = await self._store.keep(self._own, instead=bool(self._configured))
        except DingerpError as error:
            log.warning("organisation.not_kept", error=type(error).__name__, detail=error.detail)
            return
        finally:
            self._saving = False
        self._own = self._configured or self._kept
        if not self._configured:
            log.info("organisation.learnt", corp_id=self._own)
