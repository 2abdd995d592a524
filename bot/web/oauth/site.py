"""What clients of the login call themselves: what is where, who they are, and their tokens."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson
import structlog
from aiohttp import web

from bot.access.agent_grants import TOKEN_LASTS, AgentGrants, Tokens
from bot.mechanisms.metrics import Metrics
from bot.web.api.problems import JSON, ApiProblem
from bot.web.api.records import Json
from bot.web.api.routes import read_bytes
from bot.web.failed_proofs import ProofBounds
from bot.web.oauth.clients import make_client
from bot.web.oauth.metadata import REGISTER, REVOKE, TOKEN, OAuthMetadata
from bot.web.oauth.problems import HEADERS, OAuthProblem
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_FORM = "application/x-www-form-urlencoded"
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "authorization_code": ("code", "client_id", "redirect_uri", "code_verifier"),
    "refresh_token": ("refresh_token", "client_id"),
}
"""What each grant type needs."""
_NOTHING = "The code or the refresh token is not valid, or not for this client."
_Serve = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class OAuthSite:
    """Serves clients. Whoever guesses codes and tokens has to wait, as who guesses keys."""

    metadata: OAuthMetadata
    grants: AgentGrants
    bounds: ProofBounds
    metrics: Metrics

    def mount(self, app: web.Application) -> None:
        """Add everything to an application."""
        for paths, told in (
            (self.metadata.server_paths, self.metadata.of_server()),
            (self.metadata.resource_paths, self.metadata.of_resource()),
        ):
            for path in paths:
                app.router.add_get(path, self._telling(told))
        app.router.add_post(REGISTER, self._counted("oauth_register", self._register))
        app.router.add_post(TOKEN, self._counted("oauth_token", self._give_tokens))
        app.router.add_post(REVOKE, self._counted("oauth_revoke", self._revoke))

    def _telling(self, told: Json) -> _Serve:
        async def tell(_request: web.Request) -> web.Response:
            # Clients in a browser read it too; it holds nothing but addresses.
            return _answer(told, headers={"Access-Control-Allow-Origin": "*"})

        return self._counted("oauth_metadata", tell)

    async def _register(self, request: web.Request) -> web.Response:
        if request.content_type != JSON:
            raise OAuthProblem("invalid_client_metadata", "The body has to be JSON.")
        try:
            said = orjson.loads(await read_bytes(request))
        except orjson.JSONDecodeError:
            raise OAuthProblem("invalid_client_metadata", "The body is no JSON.") from None
        client = make_client(said)
        told: Json = {
            "client_id": client.id,
            "client_name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return _answer(told, HTTPStatus.CREATED)

    async def _give_tokens(self, request: web.Request) -> web.Response:
        fields = await _form(request)
        needed = _NEEDED.get(fields.get("grant_type", ""))
        if needed is None:
            raise OAuthProblem("unsupported_grant_type", f"grant_type is {' or '.join(_NEEDED)}.")
        if missing := [name for name in needed if not fields.get(name)]:
            raise OAuthProblem("invalid_request", f"There is no {missing[0]}.")
        if not self.metadata.means(fields.get("resource", "")):
            raise OAuthProblem("invalid_target", f"Tokens of this server are for {self.metadata.resource}.")
        address = request.remote or ""
        if not self.bounds.admit(address):
            words = "Too many codes and tokens of this address were not valid. Try again later."
            raise OAuthProblem("invalid_request", words, HTTPStatus.TOO_MANY_REQUESTS)
        tokens = await (self._exchange(fields) if "code" in needed else self._refresh(fields))
        if tokens is None:
            raise OAuthProblem("invalid_grant", _NOTHING)
        self.bounds.succeed(address)
        return _answer(
            {
                "access_token": tokens.access,
                "token_type": "Bearer",
                "expires_in": int(TOKEN_LASTS.total_seconds()),
                "refresh_token": tokens.refresh,
                "scope": " ".join(tokens.scopes),
            }
        )

    async def _exchange(self, fields: Mapping[str, str]) -> Tokens | None:
        return await self.grants.exchange(
            fields["code"],
            client_id=fields["client_id"],
            redirect_uri=fields["redirect_uri"],
            verifier=fields["code_verifier"],
        )

    async def _refresh(self, fields: Mapping[str, str]) -> Tokens | None:
        return await self.grants.refresh(fields["refresh_token"], client_id=fields["client_id"])

    async def _revoke(self, request: web.Request) -> web.Response:
        fields = await _form(request)
        if not fields.get("token") or not fields.get("client_id"):
            raise OAuthProblem("invalid_request", "A token and a client_id are needed.")
        # Whether there was such a token is nobody's business who does not hold it (RFC 7009).
        await self.grants.revoke(fields["token"], client_id=fields["client_id"])
        return web.Response(headers=HEADERS)

    def _counted(self, name: str, serve: _Serve) -> _Serve:
        async def handle(request: web.Request) -> web.Response:
            began = time.perf_counter()
            response = await self._answered(request, serve)
            self.metrics.program_requests.labels(name, str(response.status)).inc()
            self.metrics.program_seconds.labels(name).observe(time.perf_counter() - began)
            return response

        return handle

    async def _answered(self, request: web.Request, serve: _Serve) -> web.Response:
        try:
            return await serve(request)
        except OAuthProblem as problem:
            return problem.response()
        except ApiProblem as problem:
            return OAuthProblem("invalid_request", "The request cannot be read.", problem.status).response()
        except DingerpError as error:
            log.warning("oauth.no_answer", error=type(error).__name__, detail=error.detail)
            words = "There is no answer at the moment. Try again later."
            return OAuthProblem("temporarily_unavailable", words, HTTPStatus.SERVICE_UNAVAILABLE).response()
        except Exception as defect:
            log.error("oauth.failed", exc_info=defect)
            self.metrics.errors.labels("oauth", type(defect).__name__).inc()
            words = "Something went wrong here."
            return OAuthProblem("server_error", words, HTTPStatus.INTERNAL_SERVER_ERROR).response()


async def _form(request: web.Request) -> Mapping[str, str]:
    """Return the fields of a form, each of which is there once. Raises `OAuthProblem` and `ApiProblem`."""
    if request.content_type != _FORM or request.query:
        raise OAuthProblem("invalid_request", f"Everything is asked for in the body, as {_FORM}.")
    try:
        sent = parse_qsl((await read_bytes(request)).decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise OAuthProblem("invalid_request", "The body is no form.") from None
    fields = dict(sent)
    if len(fields) != len(sent):
        raise OAuthProblem("invalid_request", "A field is there twice.")
    return fields


def _answer(told: Json, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    sent = {**HEADERS, **(headers or {})}
    return web.Response(status=status, body=orjson.dumps(told), content_type=JSON, headers=sent)
