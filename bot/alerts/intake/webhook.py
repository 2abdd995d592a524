"""A configured webhook: its allowed senders, their proof of identity, and the meaning of the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import structlog

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import InvalidJson, UnreadableEvent, as_event
from bot.alerts.intake.signatures import (
    FrappeSignature,
    SharedToken,
    SignatureScheme,
    SignedRequest,
    StandardWebhooksSignature,
    YonBipSignature,
)
from bot.alerts.intake.vendors import dolibarr, erpnext, odoo, yonbip
from bot.alerts.intake.vendors.translation import CloudEvents, Translate, TranslationContext
from bot.words.errors import ConfigurationError

log = structlog.get_logger(__name__)

MAX_BYTES = 1_000_000
MAX_EVENTS = 1_000
"""Events per request, as many as one commit takes."""

_MEDIA = frozenset({"application/json"})
_CLOUD_EVENTS = frozenset({"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One source that may post to ``/hooks/{source}``."""

    source: str
    scheme: SignatureScheme
    translate: Translate
    media: frozenset[str] = _MEDIA
    """Accepted content types."""
    needs_media: bool = True
    """Whether a request without any content type is refused."""
    says: str = ""
    """The answer that the vendor expects instead of our receipt."""
    max_bytes: int = MAX_BYTES
    company: str = ""
    """The company of events that name none."""
    currency: str = ""
    """ISO code of amounts without a currency."""

    def read(self, request: SignedRequest, now: datetime) -> CloudEvents:
        """Return the events of a request. Raises `InvalidSignature` and `InvalidJson`."""
        body = decode_json(self.scheme.open(request, now))
        try:
            events = self.translate(body, TranslationContext(now, self.currency))
        except InvalidJson:
            raise
        except Exception as defect:  # an unforeseen body is set aside with the reason, not lost
            log.error("hook.not_translated", source=self.source, error=type(defect).__name__, exc_info=defect)
            return [UnreadableEvent(body, f"a defect of ours: {type(defect).__name__}")]
        return [self._with_company(event) for event in events] if self.company else events

    def _with_company(self, event: Mapping[str, object] | UnreadableEvent) -> Mapping[str, object] | UnreadableEvent:
        data = event.get("data") if isinstance(event, Mapping) else None
        if not isinstance(event, Mapping) or not isinstance(data, Mapping) or data.get("company"):
            return event
        return {**event, "data": {**data, "company": self.company}}


def build_webhook(
    source: str,
    *,
    scheme: str = "standard",
    secrets: Sequence[str],
    max_bytes: int = MAX_BYTES,
    company: str = "",
    currency: str = "",
    options: Mapping[str, str] = MappingProxyType({}),
) -> Webhook:
    """Return a configured webhook; ``options`` are the scheme's own. Raises `ConfigurationError`."""
    if scheme not in _SCHEMES:
        raise ConfigurationError(f"hooks.{source}.scheme: {scheme} is none of {', '.join(_SCHEMES)}")
    if not any(secrets):
        raise ConfigurationError(f"hooks.{source}.secret is missing")
    try:
        hook = _SCHEMES[scheme](source, [secret for secret in secrets if secret], options)
    except ConfigurationError as error:
        raise ConfigurationError(f"hooks.{source}: {error.detail}") from None
    return replace(hook, max_bytes=max_bytes, company=company, currency=currency)


def _cloud_events(body: object, _context: TranslationContext) -> CloudEvents:
    """Return the events of a CloudEvents body: one object, or an array of them (JSON batch format)."""
    if isinstance(body, dict):
        return [body]
    if not isinstance(body, list):
        raise InvalidJson("neither a JSON object nor an array of them")
    return [as_event(value) for value in body]


def _standard(source: str, secrets: Sequence[str], _options: Mapping[str, str]) -> Webhook:
    return Webhook(
        source=source, scheme=StandardWebhooksSignature(secrets), translate=_cloud_events, media=_CLOUD_EVENTS
    )


def _erpnext(source: str, secrets: Sequence[str], _options: Mapping[str, str]) -> Webhook:
    # Frappe sends its JSON without a content type (docs: platform/erp/erpnext.md#webhooks).
    return Webhook(source=source, scheme=FrappeSignature(secrets), translate=erpnext.translate, needs_media=False)


def _odoo(source: str, secrets: Sequence[str], _options: Mapping[str, str]) -> Webhook:
    return Webhook(source=source, scheme=SharedToken(secrets), translate=odoo.translate)


def _dolibarr(source: str, secrets: Sequence[str], _options: Mapping[str, str]) -> Webhook:
    return Webhook(source=source, scheme=SharedToken(secrets), translate=dolibarr.translate)


def _yonbip(source: str, secrets: Sequence[str], options: Mapping[str, str]) -> Webhook:
    scheme = YonBipSignature(secrets, aes_key=options.get("aes_key", ""), app_key=options.get("app_key", ""))
    return Webhook(source=source, scheme=scheme, translate=yonbip.translate, says="success")


_SCHEMES: Mapping[str, Callable[[str, Sequence[str], Mapping[str, str]], Webhook]] = {
    "standard": _standard,
    "erpnext": _erpnext,
    "yonbip": _yonbip,
    "odoo": _odoo,
    "dolibarr": _dolibarr,
}
