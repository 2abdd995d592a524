"""The routes of proposals: a program says which line it wants run, and a person decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from bot.access.api_keys import PROPOSE_SCOPE
from bot.cards.escape import MAX_TEXT
from bot.proposals.proposal import Proposal, ProposalState
from bot.proposals.proposals import LONGEST, SHORTEST, ProposalAsker, Proposals, ProposalWish
from bot.web.api.list_pages import WRONG_CURSOR, PartRequest
from bot.web.api.problems import ApiProblem, WrongPart
from bot.web.api.program_asks import IDEMPOTENCY, TEXT, TIME, AskDoor, asked_as, id_of, told
from bot.web.api.records import Json, Schema, Schemas
from bot.web.api.routes import AS_WHOLE, ApiRequest, ApiRoute, RequestModel
from bot.words.phrase import phrase

_SECONDS = (int(SHORTEST.total_seconds()), int(LONGEST.total_seconds()))


class ProposalBody(RequestModel):
    """What a program wants run, and why."""

    line: str = Field(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=r"\S",
        description="A line that changes something, as a person would type it.",
        examples=["/approve PO-1055"],
    )
    reason: str = Field(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=r"\S",
        description="Why, in one sentence for the person who decides.",
        examples=["The price is below the last one"],
    )
    expires_in: Annotated[int, Field(ge=_SECONDS[0], le=_SECONDS[1]), AS_WHOLE] = Field(
        24 * 3600, description="Seconds until it is over if nobody answers; it ends with the key in any case."
    )


_DOOR: AskDoor[Proposals] = AskDoor(
    PROPOSE_SCOPE,
    phrase("This key was not made to propose."),
    lambda parts: parts.proposals,
    unfit="/line",
    example="/approve PO-1055",
)


async def tell_proposal(asked: ApiRequest, name: str) -> dict[str, Json]:
    """Propose a line under an idempotency key, and return what has become of it. Raises `ApiProblem`."""
    program, wanted = asked.program, asked.values
    wish = ProposalWish(
        asker=ProposalAsker.of_key(program.key),
        # The key's scopes are for what a program asks: here its owner decides, with all of their rights.
        owner=replace(program.person, key=None),
        asked_as=name,
        line=wanted.line,
        reason=wanted.reason,
        expires_in=timedelta(seconds=wanted.expires_in),
    )
    return _record(await _DOOR.told(_DOOR.enter(asked).propose(wish)))


async def _propose(asked: ApiRequest, _proposals: Proposals) -> web.Response:
    return told(asked, await tell_proposal(asked, asked_as(asked)), HTTPStatus.ACCEPTED)


async def _read(asked: ApiRequest, proposals: Proposals) -> web.Response:
    return told(asked, _record(await proposals.read(id_of(asked), asked.program.key.id)))


async def _withdraw(asked: ApiRequest, proposals: Proposals) -> web.Response:
    return told(asked, _record(await proposals.withdraw(id_of(asked), asked.program.key.id)))


async def _list(asked: ApiRequest, proposals: Proposals) -> web.Response:
    values = asked.values
    found = await proposals.of_key(asked.program.key.id, values.cursor, values.limit + 1)
    if found is None:
        wrong = WrongPart(parameter="cursor", detail=WRONG_CURSOR, example="")
        raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, WRONG_CURSOR, errors=[wrong])
    shown = found[: values.limit]
    following = shown[-1].id if len(found) > len(shown) else None
    return told(asked, {"proposals": [_record(each) for each in shown], "next": following})


def _record(proposal: Proposal) -> dict[str, Json]:
    return {
        "id": proposal.id,
        "state": proposal.state.value,
        "line": proposal.line,
        "command": proposal.command,
        "reason": proposal.reason,
        "asked_at": _moment(proposal.asked_at),
        "expires_at": _moment(proposal.expires_at),
        "ended_at": None if proposal.ended_at is None else _moment(proposal.ended_at),
    }


def _moment(at: datetime) -> str:
    """Return a time in one form, before and after it was stored."""
    return at.astimezone(UTC).isoformat()


def _gives(_schemas: Schemas) -> Schema:
    ended: Schema = {"type": ["string", "null"], "format": "date-time", "description": "When it got its end."}
    properties: dict[str, Schema] = {
        "id": TEXT,
        "state": {
            "enum": [state.value for state in ProposalState],
            "description": "accepted: the owner has had the line run, and is answered in their chat.",
        },
        "line": {**TEXT, "description": "As it is run."},
        "command": TEXT,
        "reason": TEXT,
        "asked_at": TIME,
        "expires_at": TIME,
        "ended_at": ended,
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


def _gives_list(schemas: Schemas) -> Schema:
    following: Schema = {"type": ["string", "null"], "description": "The cursor of what follows; null at the end."}
    properties: dict[str, Schema] = {"proposals": {"type": "array", "items": _gives(schemas)}, "next": following}
    return {"type": "object", "properties": properties, "required": [*properties]}


PROPOSE = ApiRoute(
    method="POST",
    path="/proposals",
    name="propose",
    summary="Propose a line to the key's owner, who decides with a tap",
    serve=_DOOR.opened(_propose),
    takes=ProposalBody,
    gives=_gives,
    problems=(HTTPStatus.CONFLICT,),
    status=HTTPStatus.ACCEPTED,
    headers=IDEMPOTENCY,
)
PROPOSAL_ROUTES = (
    PROPOSE,
    ApiRoute(
        method="GET",
        path="/proposals",
        name="proposals",
        summary="What this key has proposed, the newest first",
        serve=_DOOR.opened(_list),
        takes=PartRequest,
        gives=_gives_list,
    ),
    ApiRoute(
        method="GET",
        path="/proposals/{id}",
        name="proposal_read",
        summary="What has become of a proposal",
        serve=_DOOR.opened(_read),
        gives=_gives,
        path_values={"id": "Its id."},
    ),
    ApiRoute(
        method="POST",
        path="/proposals/{id}/withdraw",
        name="proposal_withdraw",
        summary="Take a proposal back before it is answered",
        serve=_DOOR.opened(_withdraw),
        gives=_gives,
        path_values={"id": "Its id."},
    ),
)
