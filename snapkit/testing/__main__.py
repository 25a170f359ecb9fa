"""``python -m snapkit.testing``: what an author of an adapter needs from a shell."""

from pathlib import Path

import click

from snapkit.errors import SnapkitError
from snapkit.testing.scaffold import scaffold

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Tools for those who write an adapter."""


@main.command()
@click.argument("name")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
def new(name: str, directory: Path | None) -> None:
    """Write the project of an adapter called NAME, to replace piece by piece.

    It goes into DIRECTORY, by default snapkit-NAME, and keeps the contract from the start.
    """
    where = directory or Path(f"snapkit-{name.replace('_', '-')}")
    try:
        written = scaffold(name, where)
    except SnapkitError as error:
        click.echo(f"snapkit: error: {error}", err=True)
        raise click.exceptions.Exit(2) from None
    for path in written:
        click.echo(path)
    click.echo(f"next: cd {where} && pip install -e .[test] && pytest", err=True)


if __name__ == "__main__":
    main(prog_name="python -m snapkit.testing")
