"""The environment variables in which snapkit, and much else, reaches an emulator."""

from collections.abc import Iterable, Iterator

from snapkit.emulator.state import AccountState
from snapkit.errors import ConfigurationError
from snapkit.registry import driver_class

__all__ = ["environment"]


def environment(endpoint: str, accounts: Iterable[AccountState]) -> dict[str, str]:
    """Return SNAPKIT_ENDPOINT, SNAPKIT_TARGETS and the keys under the providers' own names.

    Of several accounts with one provider the first counts: the environment has one key for
    each. A provider whose adapter cannot be loaded is left out.
    """
    first: dict[str, AccountState] = {}
    for account in accounts:
        first.setdefault(account.provider, account)
    keys = {name: _keys(account) for name, account in first.items()}
    places = (_place(account) for account in first.values() if keys[account.provider] is not None)
    found = {"SNAPKIT_ENDPOINT": endpoint, "SNAPKIT_TARGETS": " ".join(filter(None, places))}
    for each in keys.values():
        found |= each or {}
    return found


def _keys(account: AccountState) -> dict[str, str] | None:
    """Return the variables with the account's keys, none if it needs none; None if broken."""
    try:
        kinds = driver_class(account.provider).environment.keys
    except ConfigurationError:
        return None
    return {
        variable: value
        for names in kinds[:1]
        for variable, value in _named(account, names.key_id, names.secret, names.tokens)
    }


def _named(
    account: AccountState, key_id: str, secret: str, tokens: Iterable[str]
) -> Iterator[tuple[str, str]]:
    yield key_id, account.key_id
    yield secret, account.secret
    token = next(iter(tokens), None)
    if account.token and token:
        yield token, account.token


def _place(account: AccountState) -> str:
    label = f"{account.label}@" if account.label else ""
    regions = ",".join(account.regions)
    return f"{account.provider}:{label}{regions}" if regions else ""
