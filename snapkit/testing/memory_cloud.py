"""A tiny cloud in this process, and the harness over it.

It answers real HTTP requests without a socket, and has what makes real clouds hard: local
times without a zone, errors under HTTP 200, two words for one status, rows that are gone but
listed, and three paging styles.
"""

import hmac
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.errors import Failure
from snapkit.http import Http
from snapkit.model import DiskRole
from snapkit.testing.harness import GroupSeed, Harness, Seed, StatusCase, open_directly
from snapkit.testing.memory import FAILURES, STATUSES, MemoryDriver, signature
from snapkit.vocabulary import CHINA

__all__ = ["MemoryCloud", "MemoryHarness"]

Row = Mapping[str, Any]
CODES: Mapping[Failure, str] = {failure: code for code, failure in FAILURES.items()}


class MemoryCloud(BaseAdapter):
    """The other end: an account in this process, reached through a `requests` session."""

    largest_page = 20

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.requests = 0
        self.refusal: Failure | None = None
        self.patience = 0
        """Requests that are still answered before *refusal* is."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer to *request*."""
        body = request.body if isinstance(request.body, bytes) else b""
        self.requests += 1
        signed = str(request.headers["X-Signature"])
        right = hmac.compare_digest(signature(self.secret, body), signed)
        answer = self.answer(json.loads(body)) if right else self.refused(Failure.AUTHENTICATION)
        response = requests.Response()
        response.status_code = 200
        response.raw = HTTPResponse(
            body=io.BytesIO(json.dumps(answer).encode()), status=200, preload_content=False
        )
        return response

    def close(self) -> None:
        """Do nothing: there is no connection."""
        return

    def refused(self, failure: Failure) -> dict[str, Any]:
        """Return the answer that says *failure*."""
        return {"code": CODES[failure], "why": "no", "request": f"r-{self.requests}", "rows": []}

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request whose signature is right."""
        if self.refusal is not None and self.patience <= 0:
            return self.refused(self.refusal)
        self.patience -= 1
        match asked.pop("do"):
            case "ListRegions":
                return {"rows": [{"id": "m-1"}, {"id": "m-2"}]}
            case "ListGroups":
                return self.listed(self.groups, asked)
            case _:
                return self.listed(self.snapshots, asked)

    def listed(self, kept: Mapping[str, Row], asked: dict[str, Any]) -> dict[str, Any]:
        """Return a page of *kept*, the newest first."""
        known = {"at", "region", "ids", "disks", "states", "with_gone", "size"}
        known |= {"token", "page", "offset"}
        size = asked.get("size", 10)
        short = all(len(asked.get(name, ())) <= 20 for name in ("ids", "disks"))
        if set(asked) - known or not 1 <= size <= self.largest_page or not short:
            return self.refused(Failure.INVALID)
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
            and ("states" not in asked or state in asked["states"])
            and (state != "gone" or bool(asked.get("with_gone")))
        )


class MemoryHarness(Harness):
    """The tiny cloud under the contract, by the *driver* and paging style given."""

    provider = "memory"
    account = "prod"
    region = "m-1"
    secret = "canary-memory-5f2b8c"  # noqa: S105 - made up, to be looked for
    statuses = tuple(
        StatusCase(raw=word, status=status, restorable=restorable)
        for word, (status, restorable) in STATUSES.items()
    )
    unsaid = frozenset({"stored_bytes", "progress", "expires_at", "parent_id", "kms_key_id"})
    spoilt: Mapping[str, Any] | None = {"id": None}

    def __init__(self, driver: type[Driver] = MemoryDriver, **options: str) -> None:
        self.driver, self.options = driver, options
        self.cloud = MemoryCloud(self.secret)

    def open(self, *, keep_raw: bool = False, secret: str | None = None) -> Driver:
        """Return a driver whose session ends in the tiny cloud."""
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self.cloud)
        return open_directly(
            self.driver,
            region=self.region,
            account=self.account,
            credentials=Credentials(key_id="key", secret=secret or self.secret),
            options=self.options,
            keep_raw=keep_raw,
            http=Http(session),
        )

    def add(self, *seeds: Seed) -> list[str]:
        """Put snapshots into the cloud."""
        return [self.put(seed) for seed in seeds]

    def put(self, seed: Seed) -> str:
        """Put one snapshot into the cloud and return its id."""
        snapshot_id = f"s-{len(self.cloud.snapshots) + 1:016d}"
        while snapshot_id in self.cloud.snapshots:
            snapshot_id = f"s-{int(snapshot_id[2:]) + 1:016d}"
        row = {
            "id": snapshot_id,
            "disk": self.disk_id(seed.disk),
            "server": self.server_id(seed.server),
            "boot": seed.role is DiskRole.SYSTEM,
            "gib": seed.size_gib,
            "state": "ready",
            "made": self.written(seed.made_at),
            "title": seed.name,
            "note": seed.description,
            "labels": self.labels(seed.tags),
            "locked": seed.encrypted,
        }
        if seed.status is not None:
            row |= {"state": seed.status.sent, **seed.status.row}
        self.cloud.snapshots[snapshot_id] = row | dict(seed.row)
        return snapshot_id

    def add_group(self, seed: GroupSeed) -> list[str]:
        """Put a group into the cloud, or only its snapshots where groups are derived."""
        ids = self.add(*seed.members())
        if Capability.GROUPS in self.driver.capabilities:
            group_id = f"g-{len(self.cloud.groups) + 1:016d}"
            self.cloud.groups[group_id] = {
                "id": group_id,
                "title": seed.name,
                "note": seed.description,
                "made": self.written(seed.made_at),
                "server": self.server_id(seed.server),
                "labels": self.labels(seed.tags),
                "members": ids,
            }
        return ids

    def remove(self, *ids: str) -> None:
        """Take snapshots away."""
        for snapshot_id in ids:
            del self.cloud.snapshots[snapshot_id]

    def refuse(self, failure: Failure, *, skip: int = 0) -> None:
        """Let the cloud refuse."""
        self.cloud.refusal, self.cloud.patience = failure, skip

    @property
    def requests(self) -> int:
        """How many requests have arrived."""
        return self.cloud.requests

    def written(self, moment: datetime) -> str:
        """Return *moment* as the cloud writes it."""
        return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")

    def labels(self, pairs: Mapping[str, str]) -> list[dict[str, str]]:
        """Return tags as the cloud writes them."""
        return [{"key": key, "value": value} for key, value in pairs.items()]
