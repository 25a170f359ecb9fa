"""Targets: which account in which region, and how to get there."""

import os
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import parse_qsl

import attrs

from snapkit.credentials import Credentials, CredentialSource, Environment, StaticSource
from snapkit.driver import Connection, Driver
from snapkit.errors import ConfigurationError
from snapkit.http import Http, check_endpoint
from snapkit.rate import Limiter, smallest_parts
from snapkit.registry import driver_class, opened
from snapkit.retry import RetryPolicy
from snapkit.sources import Surroundings, find_source
from snapkit.transport import Clock, Transport

__all__ = ["Target", "check_region", "open_driver"]

_REGION = re.compile(r"[a-z0-9-]{2,32}")
_ACCOUNT = re.compile(r"[\w.-]{1,64}")
_FORM = "write provider:region, provider:account@region, with ?option=value at the end if needed"


def check_region(region: str) -> str:
    """Return *region* if it can become part of a host name, else raise ConfigurationError."""
    if not _REGION.fullmatch(region):
        raise ConfigurationError(
            f"{region!r} is not a region", hint="regions are lower-case letters, digits and dashes"
        )
    return region


@attrs.frozen(kw_only=True)
class Target:
    """One account in one region of one provider.

    Without ``credentials`` they are looked for when the target is opened: in the provider's
    own environment variables, then in its tools' files. ``account`` is a label of the user's.
    ``endpoint`` replaces the provider's address (private clouds, the emulator); ``ca_bundle``
    is a file of trusted certificates. ``rate_share`` is the part of the provider's limits that
    snapkit may use, where no limiter says otherwise.
    """

    provider: str
    region: str = attrs.field(validator=lambda _s, _a, region: check_region(region) and None)
    account: str = ""
    endpoint: str | None = attrs.field(
        default=None, converter=attrs.converters.optional(check_endpoint)
    )
    options: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    ca_bundle: str | None = None
    credentials: Credentials | CredentialSource | None = attrs.field(
        default=None, repr=False, eq=False
    )
    rate_share: float = attrs.field(default=1.0, eq=False)

    def __attrs_post_init__(self) -> None:
        driver_class(self.provider).checked_options(self.options)
        if not 0 < self.rate_share <= 1:
            raise ConfigurationError(
                f"the rate share is {self.rate_share:g}", hint="give a part of 1, as 0.25"
            )

    @classmethod
    def parse(cls, text: str, *, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the target that *text* names: ``provider:[account@]region[?option=value]``.

        Without a region, the one in the provider's environment variables; the endpoint is
        that of SNAPKIT_ENDPOINT, if set. Raises ConfigurationError.
        """
        environ = Environment(environ)
        address, _, options = text.partition("?")
        provider, colon, place = address.partition(":")
        account, at, region = place.rpartition("@")
        if at and not _ACCOUNT.fullmatch(account):
            raise ConfigurationError(f"cannot read the target {text!r}", hint=_FORM)
        driver = driver_class(provider)
        if not colon:
            region = driver.environment.region(environ) or ""
        if not region:
            raise ConfigurationError(f"the target {text!r} names no region", hint=_FORM)
        return cls(
            provider=provider,
            account=account,
            region=region,
            endpoint=environ.get("SNAPKIT_ENDPOINT") or None,
            options=_pairs(options),
        )

    def __str__(self) -> str:
        account = f"{self.account}@" if self.account else ""
        return f"{self.provider}:{account}{self.region}"


def _pairs(options: str) -> dict[str, str]:
    """Return ``a=1&b=2`` as a mapping; an option without a value is not swallowed."""
    return dict(parse_qsl(options, keep_blank_values=True))


def _source(target: Target, driver: type[Driver], clock: Clock) -> CredentialSource:
    given = target.credentials
    if isinstance(given, Credentials):
        return StaticSource(given)
    return given or find_source(
        driver,
        Surroundings(
            region=target.region,
            instance=target.options.get("credentials") == "instance",
            ca_bundle=target.ca_bundle,
            clock=clock,
        ),
    )


def open_driver(
    target: Target,
    *,
    http: Http | None = None,
    limiter: Limiter | None = None,
    policy: RetryPolicy | None = None,
    clock: Clock | None = None,
    deadline: float = float("inf"),
    keep_raw: bool = False,
) -> Driver:
    """Return the driver for *target*; nothing is sent yet.

    Raises CredentialsMissingError when there are no credentials, ConfigurationError when the
    adapter cannot be used. *deadline* is on the clock's monotonic scale.
    """
    driver = driver_class(target.provider)
    clock = clock or Clock()
    transport = Transport(
        provider=target.provider,
        account=target.account,
        region=target.region,
        credentials=_source(target, driver, clock),
        http=http or Http(ca_bundle=target.ca_bundle),
        limiter=limiter or Limiter(parts=smallest_parts([target])),
        rates=driver.rates,
        policy=policy or RetryPolicy(),
        clock=clock,
        deadline=deadline,
    )
    connection = Connection(
        region=target.region,
        account=target.account,
        transport=transport,
        endpoint=target.endpoint,
        options=driver.checked_options(target.options),
        keep_raw=keep_raw,
    )
    return opened(driver, connection)
