"""A tiny cloud in this process: the wire of the reference driver.

It answers real HTTP requests without a socket, and has what makes real clouds hard: local
times without a zone, errors under HTTP 200, two words for one status, rows that are gone but
listed, three paging styles, and connections that are cut.
"""

import hmac
import io
import json
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from snapkit.errors import Failure
from snapkit.testing.harness import Lost
from snapkit.testing.memory import FAILURES, signature
from snapkit.testing.memory_account import REGIONS, MemoryAccount, Refused

__all__ = ["MemoryCloud"]

Row = Mapping[str, Any]
CODES: Mapping[Failure, str] = {failure: code for code, failure in FAILURES.items()}


class MemoryCloud(BaseAdapter):
    """The other end: an account in this process, reached through a `requests` session."""

    largest_page = 20

    def __init__(self, secret: str, account: MemoryAccount | None = None) -> None:
        super().__init__()
        self.secret = secret
        self.account = account or MemoryAccount()
        self.log: list[str] = []
        """The operations that arrived."""
        self.refusal: Failure | None = None
        self.patience = 0
        """Requests that are still answered before *refusal* is."""
        self.faults: list[tuple[str, Lost]] = []
        """What is lost next, by operation."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer to *request*."""
        body = request.body if isinstance(request.body, bytes) else b""
        asked = json.loads(body)
        self.log.append(str(asked["do"]))
        lost = self.fault(self.log[-1])
        if lost is Lost.BEFORE:
            raise requests.ConnectionError("cut before it arrived")
        signed = str(request.headers["X-Signature"])
        right = hmac.compare_digest(signature(self.secret, body), signed)
        answer = self.answer(asked) if right else self.refused(CODES[Failure.AUTHENTICATION])
        if lost is Lost.AFTER:
            raise requests.ConnectionError("cut after it was done")
        text = json.dumps(answer).encode()
        response = requests.Response()
        response.status_code = 200
        response.raw = HTTPResponse(
            body=io.BytesIO(text[: len(text) // 2] if lost else text),
            status=200,
            preload_content=False,
        )
        return response

    def fault(self, operation: str) -> Lost | None:
        """Return how this request is lost, and count it."""
        hit = next((one for one in self.faults if one[0] == operation), None)
        if hit is None:
            return None
        self.faults.remove(hit)
        return hit[1]

    def close(self) -> None:
        """Do nothing: there is no connection."""
        return

    def refused(self, code: str) -> dict[str, Any]:
        """Return the answer that says *code*."""
        return {"code": code, "why": "no", "request": f"r-{len(self.log)}", "rows": []}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request whose signature is right."""
        if self.refusal is not None and self.patience <= 0:
            return self.refused(CODES[self.refusal])
        self.patience -= 1
        region = str(asked.get("region"))
        operation = asked.pop("do")
        del asked["at"]
        match operation:
            case "ListRegions":
                return {"rows": [{"id": one} for one in REGIONS]}
            case "ListGroups":
                return self.listed(self.account.shown(self.account.groups, region), asked)
            case "ListSnapshots":
                return self.listed(self.account.shown(self.account.snapshots, region), asked)
            case "ListDisks":
                disks = self.account.disks.items()
                return self.listed({key: {"made": "", **row} for key, row in disks}, asked)
            case "FindDisks":
                disks = self.account.disks.items()
                return {"rows": [row for _, row in disks if row["title"] == asked["title"]]}
            case _:
                return self.acted(operation, asked)

    def acted(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request that changes something."""
        try:
            return self.account.act(operation, asked)
        except Refused as refusal:
            return self.refused(refusal.code)

    def listed(self, kept: Mapping[str, Row], asked: dict[str, Any]) -> dict[str, Any]:
        """Return a page of *kept*, the newest first."""
        known = {"region", "ids", "disks", "states", "with_gone", "size", "server"}
        known |= {"token", "page", "offset"}
        size = asked.get("size", 10)
        short = all(len(asked.get(name, ())) <= 20 for name in ("ids", "disks"))
        if set(asked) - known or not 1 <= size <= self.largest_page or not short:
            return self.refused(CODES[Failure.INVALID])
        found = [row for key, row in kept.items() if self.fits(key, row, asked)]
        found.sort(key=lambda row: (row["made"], row["id"] or ""), reverse=True)
        if "page" in asked or "offset" in asked:
            start = asked["offset"] if "offset" in asked else (asked["page"] - 1) * size
            return {"rows": found[start : start + size], "count": len(found)}
        return self.by_token(found, asked.get("token"), size)

    def by_token(self, found: list[Row], token: str | None, size: int) -> dict[str, Any]:
        """Return the page after the row that *token* names by time and id."""
        if token:
            found = [row for row in found if f"{row['made']}|{row['id']}" < token]
        shown, more = found[:size], len(found) > size
        following = f"{shown[-1]['made']}|{shown[-1]['id']}" if more else ""
        return {"rows": shown, "token": following}

    def fits(self, key: str, row: Row, asked: Mapping[str, Any]) -> bool:
        """Whether *row* is one of those *asked* for."""
        state = row.get("state")
        return (
            ("ids" not in asked or key in asked["ids"])
            and ("disks" not in asked or row["disk"] in asked["disks"])
            and ("server" not in asked or row["server"] == asked["server"])
            and ("states" not in asked or state in asked["states"])
            and (state != "gone" or bool(asked.get("with_gone")))
        )
