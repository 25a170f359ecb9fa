"""Which client a reference or a target on the command line means."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from snapkit.cli.options import configured, options_of
from snapkit.model import Kind, Ref

if TYPE_CHECKING:
    from snapkit.client import Client
    from snapkit.settings import Target

__all__ = ["by_place", "client_at", "client_of", "ids_of", "parsed", "place_of"]


def place_of(ref: Ref) -> str:
    """Return where *ref* is: ``provider:account@region``."""
    account = f"{ref.account}@" if ref.account else ""
    return f"{ref.provider}:{account}{ref.region}"


def parsed(texts: Iterable[str]) -> list[Ref]:
    """Return the references that *texts* are, each once."""
    from snapkit.errors import QueryError

    refs = list(dict.fromkeys(Ref.parse(text) for text in texts))
    for ref in refs:
        if not ref.id or ref.id.isspace():
            raise QueryError("the reference has an empty id", hint="write provider:region/id")
    return refs


def by_place(refs: Iterable[Ref]) -> list[list[Ref]]:
    """Return *refs* put together by account and region, in the order of first appearance."""
    found: dict[str, list[Ref]] = {}
    for ref in refs:
        found.setdefault(place_of(ref), []).append(ref)
    return list(found.values())


def ids_of(refs: Iterable[Ref], kind: Kind) -> list[str]:
    """Return the ids of those of *refs* that are of *kind*."""
    return [ref.id for ref in refs if ref.kind is kind]


def client_at(ref: Ref, given: Mapping[str, Any], *, keep_raw: bool = False) -> "Client":
    """Return a client for the account and region that *ref* is in."""
    from snapkit.settings import Target

    target = Target(
        provider=ref.provider,
        account=ref.account,
        region=ref.region,
        endpoint=given["endpoint"],
        ca_bundle=given["ca_bundle"],
        options=options_of(given),
    )
    return _opened(target, given.get("timeout"), keep_raw=keep_raw)


def client_of(text: str, given: Mapping[str, Any]) -> "Client":
    """Return a client for the target that *text* is."""
    from snapkit.settings import Target

    target = Target.parse(text)
    return _opened(
        attrs.evolve(
            target,
            endpoint=given["endpoint"],
            ca_bundle=given["ca_bundle"],
            options=dict(target.options) | options_of(given),
        )
    )


def _opened(
    target: "Target", call_timeout: float | None = None, *, keep_raw: bool = False
) -> "Client":
    from snapkit.client import connect
    from snapkit.retry import RetryPolicy

    policy = RetryPolicy(call_timeout=call_timeout or RetryPolicy().call_timeout)
    return connect(configured().completed(target), keep_raw=keep_raw, policy=policy)
