"""Where everything is, as clients read it: the authorization server (RFC 8414) and the resource (RFC 9728)."""

from __future__ import annotations

from dataclasses import dataclass

from bot.web.api.records import Json
from bot.web.mcp.tools import TOOLS
from bot.web.pages.public_address import PublicAddress

AUTHORIZE, TOKEN, REGISTER, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/register", "/oauth/revoke"
OF_SERVER, OF_RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"
SCOPES = tuple(tool.name for tool in TOOLS)
"""A scope is a tool."""
_RESOURCE = "/mcp"
_STREAM = "/mcp/sse"


@dataclass(frozen=True, slots=True)
class OAuthMetadata:
    """What is told of the login at one public address."""

    address: PublicAddress

    @property
    def issuer(self) -> str:
        """Who gives the tokens."""
        return self.address.whole("")

    @property
    def resource(self) -> str:
        """What the tokens are good for."""
        return self.address.whole(_RESOURCE)

    @property
    def resource_metadata(self) -> str:
        """Where a client that has no token reads on."""
        return self.address.whole(f"{OF_RESOURCE}{_RESOURCE}")

    @property
    def server_paths(self) -> tuple[str, ...]:
        """Where the server's is asked for, as a proxy passes it on; the standard puts a prefix at the end."""
        return tuple(dict.fromkeys((OF_SERVER, f"{OF_SERVER}{self.address.prefix}")))

    @property
    def resource_paths(self) -> tuple[str, ...]:
        """Where the resource's is asked for."""
        ends = (_RESOURCE, f"{self.address.prefix}{_RESOURCE}", _STREAM, f"{self.address.prefix}{_STREAM}")
        return tuple(dict.fromkeys(f"{OF_RESOURCE}{end}" for end in ends))

    def means(self, resource: str) -> bool:
        """Return whether a client means this resource; one that names none (before 2025-06-18) can mean no other."""
        return resource in {"", self.resource, self.address.whole(_STREAM)}

    def of_server(self) -> Json:
        """Return what RFC 8414 asks for."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.address.whole(AUTHORIZE),
            "token_endpoint": self.address.whole(TOKEN),
            "registration_endpoint": self.address.whole(REGISTER),
            "revocation_endpoint": self.address.whole(REVOKE),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "ui_locales_supported": ["zh-CN", "en"],
        }

    def of_resource(self) -> Json:
        """Return what RFC 9728 asks for."""
        return {
            "resource": self.resource,
            "resource_name": "dingerp",
            "authorization_servers": [self.issuer],
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
        }
