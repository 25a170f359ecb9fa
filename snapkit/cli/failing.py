"""How a command says that something went wrong: one sentence, no traceback, no secret."""

import contextlib
import logging
import re
import shlex
import traceback
from collections.abc import Generator, Iterator, Sequence

import click

from snapkit.cli.inert import inert

__all__ = ["explain", "listen", "remark", "settling", "story", "tell", "told_anyway"]

_URL_BEARERS = ("requests", "urllib3", "http")
"""Packages whose exceptions quote the URL, and with it a signature."""


def remark(text: str, *, nl: bool = True) -> None:
    """Print *text* to stderr, and a line's end; a stderr that takes nothing changes nothing.

    What was done is done, and the exit code tells it.
    """
    with contextlib.suppress(OSError):
        click.echo(text, err=True, nl=nl)


def tell(kind: str, sentence: str) -> None:
    """Print ``snapkit: kind: sentence`` to stderr."""
    remark(f"snapkit: {kind}: {inert(sentence)}")


@contextlib.contextmanager
def told_anyway(made: str) -> Generator[None]:
    """Say on stderr what was *made* if it cannot be said on stdout."""
    try:
        yield
    except OSError:
        tell("made all the same", made)
        raise


def explain(error: Exception, *, debug: bool, argv: Sequence[str] = ()) -> int:
    """Tell what *error* means and return the exit code; with *debug* also how it came about.

    If *argv* had an unknown outcome, the command that settles it is told too.
    """
    from snapkit.cli.exits import Exit, of_error
    from snapkit.errors import OutcomeUnknown, SnapkitError

    if debug:
        remark(story(error), nl=False)
    if isinstance(error, click.ClickException):
        tell("error", _usage(error))
        return Exit.USAGE
    if isinstance(error, SnapkitError):
        tell("error", str(error))
        if isinstance(error, OutcomeUnknown) and error.key is not None:
            tell("settle it with", settling(argv, error.key))
        return of_error(error)
    if isinstance(error, OSError):
        tell("error", f"{error.filename or 'input or output'}: {error.strerror or 'failed'}")
        return Exit.ERROR
    more = "" if debug else "; --debug shows more"
    tell("error", f"a bug in snapkit ({type(error).__name__}), please report it{more}")
    return Exit.ERROR


def settling(argv: Sequence[str], key: str) -> str:
    """Return the command line *argv* with *key*: it finds and adopts what was made."""
    given = any(word == "--key" or word.startswith("--key=") for word in argv)
    return shlex.join(["snapkit", *argv, *([] if given else [f"--key={key}"])])


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        near = [name for name in error.possibilities or () if name.startswith("--")]
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        said = f"no option {error.option_name!r}{guess}"
    else:
        said = _plain(error.format_message().rstrip("."))
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} ({context.command_path} --help shows what there is)" if context else said


def _plain(said: str) -> str:
    """Return click's sentence in our words: one line, and no names of types."""
    said = re.sub(r"\.\s*Choose from:\s*", "; choose from ", said)
    said = re.sub(r",\n\s+", ", ", said)
    said = re.sub(r"is not a valid float( range)?$", "is not a number", said)
    said = re.sub(r"is not a valid integer( range)?$", "is not a whole number", said)
    return said[:1].lower() + said[1:]


def story(error: BaseException) -> str:
    """Return the traceback of *error* and its causes without any values.

    Messages of foreign network exceptions are left out, because they quote signed URLs.
    """
    return "".join(
        "".join(traceback.format_tb(one.__traceback__)) + f"{_words(one)}\n"
        for one in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return reversed(found)


def _words(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return name if kind.__module__.startswith(_URL_BEARERS) else f"{name}: {inert(str(error))}"


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell(record.levelname.lower(), record.getMessage())


def listen(*, verbose: bool) -> None:
    """Print snapkit's own log to stderr: warnings, and with *verbose* each exchange.

    Only snapkit's: the HTTP library's log holds signed URLs.
    """
    logger = logging.getLogger("snapkit")
    if not any(isinstance(handler, _Told) for handler in logger.handlers):
        logger.addHandler(_Told())
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logger.propagate = False
