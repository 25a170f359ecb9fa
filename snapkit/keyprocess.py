"""Credentials printed by a command of the user's."""

import atexit
import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

from snapkit.credentials import Credentials, CredentialSource, Secret
from snapkit.errors import ConfigurationError, CredentialsMissingError
from snapkit.keyfiles import Fields, expiry_in, pair_in, parsed_json
from snapkit.refreshing import RefreshingSource
from snapkit.transport import Clock

__all__ = ["ProcessSource", "redacted"]

_LOG = logging.getLogger(__name__)
LARGEST = 64 * 1024
"""Bytes that the command may print."""
_WORD = re.compile(r"[^\s\"'=:,;(){}\[\]<>&?]+")
_AFTER = re.compile(
    r"(?i)((?:key|secret|token|passw(?:or)?d|signature|authorization)[\w-]*"
    r"[\"']?\s*[=: ]\s*[\"']?)[^\s\"',;]+"
)


def redacted(text: str) -> str:
    """Return *text* without the words that may be keys: long ones, and those with digits."""

    def hidden(found: re.Match[str]) -> str:
        word = found[0]
        like = len(word) >= 20 or (len(word) >= 8 and any(c.isdigit() for c in word))
        return "***" if like else word

    return _AFTER.sub(r"\1***", _WORD.sub(hidden, text))


def _argv(command: Sequence[str]) -> tuple[str, ...]:
    if isinstance(command, str) or not command or not command[0]:
        raise ConfigurationError(
            "a credentials command is a list of arguments, the program first",
            hint='write it as ["program", "argument"]; no shell is started',
        )
    return tuple(command)


@attrs.define(eq=False)
class ProcessSource:
    """What *command* prints, renewed before it ends.

    The command is a list of arguments and no shell sees it. It has *timeout* seconds and
    prints one JSON object: ``mode`` (AK or StsToken), ``access_key_id``,
    ``access_key_secret``, ``sts_token``, ``expiration``; or ``Version`` 1, ``AccessKeyId``,
    ``SecretAccessKey``, ``SessionToken``, ``Expiration``. What it writes to stderr appears in
    the debug log only, without words that look like keys.
    """

    command: tuple[str, ...] = attrs.field(converter=_argv, repr=False)
    timeout: float = attrs.field(default=60.0, kw_only=True)
    clock: Clock = attrs.field(factory=Clock, kw_only=True, repr=False)
    _source: CredentialSource = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._source = RefreshingSource(fetch=self._fetch, origin=self.origin, clock=self.clock)

    @property
    def origin(self) -> str:
        """Where the keys come from, in words: the program without its arguments."""
        return f"the command {Path(self.command[0]).name!r}"

    def get(self) -> Credentials:
        """Return credentials that are valid now, or raise CredentialsMissingError."""
        return self._source.get()

    def refresh(self, stale: Credentials) -> bool:
        """Run the command again; return whether it prints others than *stale*."""
        return self._source.refresh(stale)

    def _fetch(self) -> Credentials:
        printed = self._run()
        found = parsed_json(printed)
        if isinstance(found, str):
            raise CredentialsMissingError(f"what {self.origin} printed {found}", hint=_SHAPES)
        return _credentials(found, self.origin)

    def _run(self) -> Secret:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=os.name != "nt",
            )
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or "it is not a program").lower()
            raise CredentialsMissingError(
                f"{self.origin} cannot be started: {why}", hint="give its whole path"
            ) from None
        with process, _kept_in_mind(process):
            output = _Reader(process.stdout)
            errors = _Reader(process.stderr)
            status, late = _ended(process, output, self.timeout)
            errors.join(1.0)
            _LOG.debug("%s wrote to stderr: %s", self.origin, redacted(errors.text()))
        if output.too_much:
            raise CredentialsMissingError(
                f"{self.origin} printed more than {LARGEST // 1024} KiB", hint=_SHAPES
            )
        if late:
            raise CredentialsMissingError(
                f"{self.origin} did not finish in {self.timeout:g} s", hint=_BY_HAND
            )
        if status != 0:
            raise CredentialsMissingError(
                f"{self.origin} failed with status {status}", hint=_BY_HAND
            )
        return output.secret()


_SHAPES = "it has to print one JSON object with a key id, a secret and, if temporary, a token"
_BY_HAND = "run it by hand; the debug log has what it wrote to stderr"


class _Reader(threading.Thread):
    """Reads a pipe to its end, keeping no more than LARGEST bytes of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._kept = bytearray()
        self.too_much = False
        self.full = threading.Event()
        """Set when there is no more to wait for: the end, or too much."""
        self.start()

    def run(self) -> None:
        try:
            while self._pipe is not None and (some := os.read(self._pipe.fileno(), 65536)):
                room = LARGEST - len(self._kept)
                self._kept += some[:room]
                if len(some) > room:
                    self.too_much = True
                    self.full.set()
        except (OSError, ValueError):
            _LOG.debug("a pipe was closed while it was read")
        self.full.set()

    def text(self) -> str:
        return bytes(self._kept).decode("utf-8", "replace")

    def secret(self) -> Secret:
        return Secret(bytes(self._kept).decode("utf-8-sig", "replace"))


def _ended(
    process: "subprocess.Popen[bytes]", output: _Reader, timeout: float
) -> tuple[int | None, bool]:
    """Return the exit status and whether the time ran out; the process is gone then."""
    try:
        late = not output.full.wait(timeout)
        if late or output.too_much:
            _end(process)
            return None, late
        return process.wait(timeout), False
    except subprocess.TimeoutExpired:
        _end(process)
        return None, True
    except BaseException:
        _end(process)
        raise


_RUNNING: dict["subprocess.Popen[bytes]", int] = {}
"""Commands under way, and the process that started each: a fork has them too."""


@contextmanager
def _kept_in_mind(process: "subprocess.Popen[bytes]") -> Generator[None]:
    """Have *process* ended with this one, whose threads may not live to do it."""
    _RUNNING[process] = os.getpid()
    try:
        yield
    except KeyboardInterrupt:
        if process.poll() is None:
            _end(process)
        raise
    finally:
        _RUNNING.pop(process, None)


@atexit.register
def _end_all() -> None:
    for process, owner in list(_RUNNING.items()):
        if owner == os.getpid() and process.poll() is None:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and, where the system has groups, what it started."""
    if os.name == "nt":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            _LOG.debug("the command was gone already")
    process.wait()


def _credentials(found: Fields, origin: str) -> Credentials:
    """Return the credentials in either shape."""
    mode, version = found.text("mode"), found.text("Version")
    if mode.lower() not in ("", "ak", "ststoken") or (not mode and version not in ("", "1")):
        which = f"mode {mode!r}" if mode else f"Version {version!r}"
        raise CredentialsMissingError(
            f"{origin} printed credentials of {which[:40]}, which snapkit does not know",
            hint=_SHAPES,
        )
    names = ("access_key_id", "access_key_secret", "sts_token")
    if not mode and found.text("AccessKeyId", "SecretAccessKey"):
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    expires_at = expiry_in(found.text("expiration", "Expiration"), origin)
    keys = pair_in(found, names[0], names[1], token=names[2], origin=origin, expires_at=expires_at)
    if keys is None:
        raise CredentialsMissingError(f"{origin} printed no credentials", hint=_SHAPES)
    if mode.lower() == "ststoken" and keys.token is None:
        raise CredentialsMissingError(f"{origin} printed mode StsToken without sts_token")
    return keys
