"""Options that several commands share, and what they mean."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from snapkit.config import Config

__all__ = [
    "Command",
    "acting",
    "choosing",
    "configured",
    "connecting",
    "contacting",
    "option",
    "options_of",
    "pairs_of",
    "printing",
    "reaching",
    "stacked",
    "talking",
]

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


class _Option(click.Option):
    def __init__(self, *args: Any, section: str = "Options", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.section = section


class Command(click.Command):
    """A command whose help has its options under headings.

    One with ``--target`` takes what the configuration file says where an option is not given.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read *args*; the help does not need the file to be right."""
        reaches = any(isinstance(one, _Option) and one.name == "target" for one in self.params)
        if reaches and not {"-h", "--help"}.intersection(args):
            ctx.default_map = {
                name: value
                for name, value in configured().for_commands.items()
                if not self._has_choice_without(name, value)
            }
        return super().parse_args(ctx, args)

    def _has_choice_without(self, name: str, value: Any) -> bool:
        """Whether this command offers fewer choices than others: the default is not for it."""
        return any(
            one.name == name
            and isinstance(one.type, click.Choice)
            and value not in one.type.choices
            for one in self.params
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each section, in the order in which sections first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                name = getattr(parameter, "section", "Other")
                sections.setdefault(name, []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def option(*names: str, **settings: Any) -> Decorator:
    """Return a click option that may carry a ``section``."""
    return click.option(*names, cls=_Option, **settings)


def stacked(*decorators: Decorator) -> Callable[[F], F]:
    """Return one decorator that adds all of them, the first on top."""

    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


_WHERE = "Where"
contacting = stacked(
    option(
        "--endpoint",
        metavar="URL",
        envvar="SNAPKIT_ENDPOINT",
        section=_WHERE,
        help="API address instead of the provider's own, for all targets:"
        " a private cloud or the emulator.  [env: SNAPKIT_ENDPOINT]",
    ),
    option(
        "--ca-bundle",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        section=_WHERE,
        help="Certificates to trust instead of the system's.",
    ),
)
connecting = stacked(
    contacting,
    option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        section=_WHERE,
        help="Stop after so long; what arrived is printed.",
    ),
)
choosing = option(
    "--option",
    multiple=True,
    metavar="NAME=VALUE",
    section=_WHERE,
    help="An option of the provider's adapter; 'snapkit providers' shows them.",
)
acting = stacked(contacting, choosing)
reaching = stacked(
    option(
        "-t",
        "--target",
        "target",
        multiple=True,
        metavar="TARGET",
        envvar="SNAPKIT_TARGETS",
        section=_WHERE,
        help="provider:[account@]region[,region...][?option=value], or the name of a profile or"
        " group in the configuration file; repeatable. '*' for the region means all of them."
        " The account is a label of yours."
        "  [env: SNAPKIT_TARGETS, separated by blanks]",
    ),
    connecting,
    option(
        "--workers",
        type=click.IntRange(1, 128),
        default=16,
        metavar="N",
        section=_WHERE,
        show_default=True,
        help="Regions to ask at the same time.",
    ),
)


def _listen(_context: click.Context, _parameter: click.Parameter, verbose: bool) -> None:
    from snapkit.cli.failing import listen

    listen(verbose=verbose)


_TALK = "Other"
talking = stacked(
    option(
        "-q",
        "--quiet",
        is_flag=True,
        section=_TALK,
        help="No progress and no totals; what could not be seen is still said.",
    ),
    option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_listen,
        section=_TALK,
        help="Each exchange with a cloud on stderr, without keys.",
    ),
    option(
        "--debug",
        is_flag=True,
        section=_TALK,
        help="With an error, also where it happened.",
    ),
)


printing = option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    section="How to show it",
    help="Lines to read, or one object.",
)


def pairs_of(texts: Iterable[str]) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a mapping; a text without ``=`` has an empty value."""
    found = {key: value for key, _, value in (text.partition("=") for text in texts)}
    if "" in found:
        raise click.BadParameter("a tag needs a key; write KEY=VALUE")
    return found


def options_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the adapter options that ``choosing`` collected."""
    pairs = [text.partition("=") for text in given["option"]]
    return {name: value for name, _, value in pairs}


def configured() -> "Config":
    """Return the user's configuration, read once in a command. Raises ConfigurationError."""
    from snapkit.cli.failing import listen
    from snapkit.config import Config, load_config

    context = click.get_current_context(silent=True)
    kept = {} if context is None else context.meta
    if not isinstance(kept.get("snapkit.config"), Config):
        logger = logging.getLogger("snapkit")
        listen(verbose=logger.level == logging.DEBUG)
        kept["snapkit.config"] = load_config()
    found: Config = kept["snapkit.config"]
    return found
