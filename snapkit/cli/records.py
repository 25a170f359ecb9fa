"""Exact values for JSON: the model's own names, nothing rounded, nothing escaped."""

import enum
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import attrs

from snapkit.listing import Report, ScopeReport
from snapkit.model import Ref, Snapshot, SnapshotGroup

__all__ = [
    "as_json",
    "error_record",
    "exact",
    "iso",
    "put",
    "record",
    "report_record",
]


def iso(moment: datetime) -> str:
    """Return *moment* as ISO 8601 in UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def exact(value: Any, *, raw: bool = False) -> Any:
    """Return *value* in what JSON has."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Ref):
        return str(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {str(key): exact(inner, raw=raw) for key, inner in pairs.items()}
    if attrs.has(cast("type[Any]", type(value))):
        return record(value, raw=raw)
    return [exact(inner, raw=raw) for inner in value]


def record(value: Any, *, raw: bool = False) -> dict[str, Any]:
    """Return a value of the model as an object; the provider's answer only with *raw*."""
    found: dict[str, Any] = {}
    if isinstance(value, Snapshot | SnapshotGroup):
        found["ref"] = str(value.ref)
    kind: type[Any] = value.__class__
    for field in attrs.fields(kind):
        if raw or field.name != "raw":
            found[field.name] = exact(getattr(value, field.name), raw=raw)
    if isinstance(value, SnapshotGroup):
        found["size_bytes"] = value.size_bytes
    return found


def report_record(report: Report) -> dict[str, Any]:
    """Return what each scope gave, and whether anything is missing."""
    return {
        "complete": report.complete,
        "scopes": [_scope_record(scope) for scope in report.scopes],
    }


def _scope_record(report: ScopeReport) -> dict[str, Any]:
    return {
        **record(report.scope),
        "outcome": report.outcome.value,
        "complete": report.complete,
        "pages": report.pages,
        "rows": report.rows,
        "matched": report.matched,
        "total": report.total,
        "moved": report.moved,
        "seconds": round(report.seconds, 3),
        "troubles": list(report.troubles),
        "error": error_record(report.error),
    }


def error_record(error: Any) -> dict[str, Any] | None:
    """Return a SnapkitError as an object, None for none."""
    if error is None:
        return None
    return {
        "type": type(error).__name__,
        "message": str(error),
        "code": error.code,
        "request_id": error.request_id,
        "operation": error.operation,
        "attempts": error.attempts,
        "retryable": error.retryable,
        "retry_after": error.retry_after,
    }


def as_json(value: Any, stream: TextIO, *, indent: int | None = None) -> str:
    """Return *value* as JSON that *stream* can show: in ASCII for a terminal."""
    unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=stream.isatty() or not unicode)


def put(answer: Mapping[str, Any], output: str) -> None:
    """Print *answer* to stdout as one object, in YAML where *output* says so, else in JSON."""
    if output == "yaml":
        from snapkit.cli.yaml import as_yaml

        sys.stdout.write(as_yaml(answer))
    else:
        sys.stdout.write(as_json(answer, sys.stdout, indent=2) + "\n")
