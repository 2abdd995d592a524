"""A plain Tryton client that shares no code with the adapter, used to verify the results of decisions."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any


class PlainClient:
    """One user's session, call by call."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        self._address = f"{url}/{database}/rpc/"
        self._headers = {"Content-Type": "application/json"}
        user_id, key, _ = self._post("common.db.login", [login, {"password": password}])["result"]
        session = base64.b64encode(f"{login}:{user_id}:{key}".encode()).decode()
        self._headers["Authorization"] = f"Session {session}"

    def call(self, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """Return the result of a model's method; raises `RuntimeError` with the server's refusal."""
        answer = self._post(f"model.{method}", [*params, context or {}])
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def one(self, model: str, number: str, *fields: str) -> dict[str, Any]:
        """Return the fields of a document."""
        (row,) = self.call(f"{model}.search_read", [["number", "=", number]], 0, 2, None, list(fields))
        return dict(row)

    def _post(self, method: str, params: list[Any]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._address, body, self._headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
