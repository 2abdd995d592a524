"""The bot's organisation, the only one that may talk to it.

A userId is unique only within one organisation, and a group may hold people of several (docs:
platform/dingtalk/callbacks.md#who-clicked). So no person counts until the bot knows its own organisation.
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
    """Stores the organisation across restarts; implemented by `bot.store.people`."""

    async def load(self) -> str:
        """Return the stored corpId, empty for none. Like `keep` it may raise a `DingerpError`."""
        ...

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        """Store the corpId and return the valid one: an earlier one, unless this one replaces it (``instead``)."""
        ...


class AppOrganisation(Protocol):
    """Knows the app's organisation; implemented by `bot.dingtalk.app_organisation`."""

    async def has_app(self, corp_id: str) -> bool:
        """Return whether the app belongs to this organisation. Raises a `DingerpError` if there is no answer."""
        ...


_REMEMBER_REFUSAL = 60.0
"""Seconds before the app is asked again about a foreign organisation."""


class OwnOrganisation:
    """The bot's organisation: configured, or learnt from the first message, which names it as ``chatbotCorpId``.

    A click before any message names the clicker's organisation; a call with the app's credentials checks whether it is
    the bot's.
    """

    def __init__(
        self, configured: str = "", store: OrganisationStore | None = None, app: AppOrganisation | None = None
    ) -> None:
        """Without ``store``, a learnt organisation is lost at exit; without ``app``, clicks teach nothing."""
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

    @property
    def corp_id(self) -> str:
        """The organisation's corpId, empty while it is unknown."""
        return self._own

    def is_own(self, corp_id: str) -> bool:
        """Return whether this is the bot's organisation; False while that is unknown."""
        return bool(corp_id) and corp_id == self._own

    def admits(self, corp_id: str) -> bool:
        """Return whether to accept a message with this ``chatbotCorpId``; the first message determines the
        organisation.

        A message without it is accepted, since it came over the bot's own stream, but proves nothing about its sender.
        """
        if not corp_id:
            return True
        self._own = self._own or corp_id
        return corp_id == self._own

    async def recognise(self, corp_id: str) -> None:
        """Learn the organisation from a click, if the app belongs to it. Errors are only logged."""
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
        """Load the organisation learnt by an earlier run; a configured one takes precedence."""
        if self._store is not None:
            self._kept = await self._store.load()
            self._own = self._configured or self._kept

    async def save(self) -> None:
        """Store the learnt organisation. A failure is only logged; the next message tries again."""
        # The first messages may arrive together; one is enough.
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
