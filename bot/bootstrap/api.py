"""Builds the door for programs: their keys, and the routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bot.access.agent_grants import AgentGrants
from bot.access.api_keys import ApiKeys
from bot.access.audit import AuditLog
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.language import choose_language
from bot.chat.answers.page_answers import PageAnswers
from bot.chat.registry import Commands
from bot.gate.gate import Gate
from bot.mechanisms.tracing import Trace
from bot.proposals.proposals import Proposals
from bot.store.agent_grants import StoredAgentGrants
from bot.store.api_keys import StoredApiKeys
from bot.web.api.documents import document_routes
from bot.web.api.door import ProgramDoor
from bot.web.api.events import EVENTS
from bot.web.api.figures import figure_routes
from bot.web.api.gate import GATE_ROUTES
from bot.web.api.live import LiveAnswers
from bot.web.api.oversight import oversight_routes
from bot.web.api.proposals import PROPOSAL_ROUTES
from bot.web.api.questions import QUESTIONS
from bot.web.api.routes import ApiParts, ApiRoute, RuleReading
from bot.web.api.rules import rule_routes
from bot.web.api.site import ApiSite
from bot.web.api.whose import WHOSE
from bot.web.api_page import ApiPage
from bot.web.failed_proofs import ProofBounds
from bot.web.mcp.endpoint import MESSAGES, McpSite
from bot.web.mcp.event_streams import AgentStreams
from bot.web.oauth.consent import ConsentPages
from bot.web.oauth.metadata import OAuthMetadata
from bot.web.oauth.site import OAuthSite
from bot.web.pages.public_address import PublicAddress


def routes_of(commands: Commands) -> tuple[ApiRoute, ...]:
    """Return all routes, as far as there are the commands."""
    return (
        *(QUESTIONS, WHOSE, EVENTS, *GATE_ROUTES, *PROPOSAL_ROUTES),
        *(*document_routes(commands), *figure_routes(commands), *oversight_routes(commands), *rule_routes(commands)),
    )


def build_api(
    base: Infrastructure,
    answers: PageAnswers,
    commands: Commands,
    audit: AuditLog,
    gate: Gate,
    proposals: Proposals,
    rules: RuleReading,
    alerts: AlertServices,
    traced: Callable[[Trace], None],
) -> ApiSite:
    """Return the API; it answers once there is a key."""
    keys = ApiKeys(
        StoredApiKeys(base.database),
        identify=partial(base.people.identify, name=""),
        documents_of=lambda name: commands[name].shows if name in commands else (),
        audit=audit,
        now=base.now,
        resource=OAuthMetadata(PublicAddress(base.settings.http.public_url)).resource
        if base.settings.has_pages
        else "",
    )
    parts = ApiParts(
        answers=answers,
        door=ProgramDoor(keys, ProofBounds(base.now)),
        limits=base.settings.limits.key.model_dump(),
        languages=base.languages,
        language_of=lambda code: choose_language(base.languages, code or base.settings.language),
        metrics=base.metrics,
        now=base.now,
        gate=gate,
        proposals=proposals,
        rules=rules,
        intake=alerts.intake,
        traced=traced,
    )
    live = LiveAnswers()
    alerts.outbox.beside(live.streams.poke)
    routes = routes_of(commands)
    return ApiSite(parts, routes, live, ApiPage(routes))


@dataclass(frozen=True, slots=True)
class AgentLogins:
    """What agents get by a login: what clients call, and the pages of people."""

    site: OAuthSite
    pages: ConsentPages


def build_agent_logins(base: Infrastructure, keys: ApiKeys, audit: AuditLog) -> AgentLogins | None:
    """Return the logins of agents where there are pages; elsewhere nobody could log in."""
    if not base.settings.has_pages:
        return None
    metadata = OAuthMetadata(PublicAddress(base.settings.http.public_url))
    grants = AgentGrants(
        StoredAgentGrants(base.database),
        identify=partial(base.people.identify, name=""),
        audit=audit,
        now=base.now,
    )
    site = OAuthSite(metadata, grants, ProofBounds(base.now), base.metrics)
    return AgentLogins(site, ConsentPages(metadata, grants, keys))


def build_agents(base: Infrastructure, api: ApiSite, login: AgentLogins | None) -> McpSite:
    """Return the door for agents, who come where programs come, and by a login where there is one."""
    streams = AgentStreams(PublicAddress(base.settings.http.public_url).of(MESSAGES))
    if login is None:
        return McpSite(api, streams)
    door = replace(api.parts.door, resource_metadata=login.site.metadata.resource_metadata)
    return McpSite(replace(api, parts=replace(api.parts, door=door)), streams)
