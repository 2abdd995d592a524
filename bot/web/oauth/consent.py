"""The pages of people: whether a client may ask in their name, and what asks in their name already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from bot.access.agent_grants import CHALLENGE, GRANT_LASTS, AgentGrants, Wanted
from bot.access.api_keys import ApiKeys
from bot.web.mcp.tools import TOOLS, Tool
from bot.web.oauth.clients import Client, is_here, origin_of, read_client, with_answer
from bot.web.oauth.metadata import AUTHORIZE, OAuthMetadata
from bot.web.pages.visit import Page, Visit, redirect
from bot.words.phrase import Phrase, phrase

PROGRAMS = "/programs"
MOST_STATE = 1000
_ASKED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "resource",
)
"""What a client asks with; the form of the page sends it again, and it is read as if it came the first time."""

UNKNOWN_CLIENT = phrase("The program that sent you here is not known, so you are not sent back to it.")
FOREIGN_ADDRESS = phrase("The program that sent you here wants to be answered at another address than it named.")
NOT_READ = phrase("What the program asks cannot be read.")
NO_PROOF = phrase("The program does not say how it will prove that it was the one who asked (PKCE by S256).")
OTHER_TARGET = phrase("The program asks for another system than this bot.")
NO_SCOPE = phrase("The program asks for nothing that there is here.")
NOT_THERE = phrase("There is no such program of yours any more.")


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A request that nobody is asked about. Only a tap leads ``back``, which is empty where the address is not known.

    A browser is sent nowhere by itself: anybody can name a client, so that would lead to any address (RFC 9700, 4.11).
    """

    words: Phrase
    back: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a client asks a person for."""

    client: Client
    redirect_uri: str
    state: str
    tools: tuple[Tool, ...]
    challenge: str
    fields: Mapping[str, str]


_Read: TypeAlias = "_Asked | _Wrong"


@dataclass(frozen=True, slots=True)
class ConsentPages:
    """Serves these pages."""

    metadata: OAuthMetadata
    grants: AgentGrants
    keys: ApiKeys

    @property
    def pages(self) -> tuple[Page, ...]:
        """All of them."""
        return (
            Page(path=PROGRAMS, show=self.show_programs, send=self.end_program, title=phrase("Programs")),
            Page(path=AUTHORIZE, show=self.ask, send=self.take),
        )

    async def ask(self, visit: Visit) -> web.Response:
        """Show who asks for what."""
        query = visit.request.query
        asked = _Wrong(NOT_READ) if len({*query}) != len(query) else self._read(query)
        return self._wrong(visit, asked) if isinstance(asked, _Wrong) else self._page(visit, asked)

    async def take(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        """Take a yes or a no, and send the browser back to the client with it."""
        asked = self._read(fields)
        if isinstance(asked, _Wrong):
            return self._wrong(visit, asked)
        tools = [tool for tool in asked.tools if fields.get(f"tool-{tool.name}") == "1"]
        if fields.get("decision") != "allow":
            return redirect(self._back(asked.redirect_uri, asked.state, error="access_denied"))
        if not tools:
            return self._page(visit, asked, nothing_chosen=True)
        code = await self.grants.give(
            visit.visitor.session.user_id,
            Wanted(
                client_id=asked.client.id,
                client=asked.client.name,
                redirect_uri=asked.redirect_uri,
                resource=self.metadata.resource,
                scopes=tuple(tool.name for tool in tools),
                commands=frozenset(scope for tool in tools for scope in tool.scopes),
                challenge=asked.challenge,
            ),
        )
        return redirect(self._back(asked.redirect_uri, asked.state, code=code))

    async def show_programs(self, visit: Visit) -> web.Response:
        """Show what asks in the person's name."""
        return await self._programs(visit)

    async def end_program(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        """End one of them."""
        if await self.keys.end_own(visit.visitor.session.user_id, fields.get("key", "")):
            return visit.go(PROGRAMS)
        return await self._programs(visit, NOT_THERE, HTTPStatus.NOT_FOUND)

    async def _programs(
        self, visit: Visit, problem: Phrase | None = None, status: HTTPStatus = HTTPStatus.OK
    ) -> web.Response:
        zone = visit.now.tzinfo
        told = [
            (key, *((at.astimezone(zone) if at else None) for at in (key.made_at, key.seen_at, key.ends_at)))
            for key in await self.keys.of_person(visit.visitor.session.user_id)
        ]
        return visit.draw("programs", status=status, programs=told, problem=problem)

    def _page(self, visit: Visit, asked: _Asked, *, nothing_chosen: bool = False) -> web.Response:
        until = visit.now + GRANT_LASTS
        return visit.draw(
            "consent",
            asked=asked,
            host=origin_of(asked.redirect_uri),
            is_here=is_here(asked.redirect_uri),
            until=until,
            nothing_chosen=nothing_chosen,
            forms_lead_to=_source(asked.redirect_uri),
        )

    def _wrong(self, visit: Visit, wrong: _Wrong) -> web.Response:
        host = origin_of(wrong.back) if wrong.back else ""
        return visit.draw("consent_problem", status=HTTPStatus.BAD_REQUEST, wrong=wrong, host=host)

    def _read(self, given: Mapping[str, str]) -> _Read:
        fields = {name: given.get(name, "") for name in _ASKED}
        client = read_client(fields["client_id"])
        if client is None:
            return _Wrong(UNKNOWN_CLIENT)
        redirect_uri, state = fields["redirect_uri"], fields["state"]
        if not client.takes(redirect_uri):
            return _Wrong(FOREIGN_ADDRESS)
        tools = _tools(fields["scope"])

        def wrong(words: Phrase, error: str) -> _Wrong:
            return _Wrong(words, self._back(redirect_uri, state[:MOST_STATE], error=error))

        if fields["response_type"] != "code":
            return wrong(NOT_READ, "unsupported_response_type")
        if len(state) > MOST_STATE:
            return wrong(NOT_READ, "invalid_request")
        if fields["code_challenge_method"] != "S256" or not CHALLENGE.fullmatch(fields["code_challenge"]):
            return wrong(NO_PROOF, "invalid_request")
        if not self.metadata.means(fields["resource"]):
            return wrong(OTHER_TARGET, "invalid_target")
        if not tools:
            return wrong(NO_SCOPE, "invalid_scope")
        return _Asked(client, redirect_uri, state, tools, fields["code_challenge"], fields)

    def _back(self, redirect_uri: str, state: str, **answer: str) -> str:
        """Return where the browser goes with an answer, which says whose it is (RFC 9207)."""
        return with_answer(redirect_uri, **answer, state=state, iss=self.metadata.issuer)


def _tools(scope: str) -> tuple[Tool, ...]:
    """Return the tools of a scope, without what is none of ours; all for a client that names nothing."""
    names = scope.split()
    return tuple(tool for tool in TOOLS if not names or tool.name in names)


def _source(redirect_uri: str) -> str:
    """Return the address as policies of content name it; they have no words for one of IPv6."""
    origin = origin_of(redirect_uri)
    return "http:" if "[" in origin else origin
