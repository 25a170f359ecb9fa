"""docs/cli.md says what the program does."""

import click
import pytest

from snapkit.cli import commands
from snapkit.cli.exits import Exit
from snapkit.cli.options import Command
from snapkit.model import Snapshot

from .conftest import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def command(name: str) -> Command:
    found = commands.get_command(click.Context(commands), name)
    assert isinstance(found, Command)
    return found


NAMES = commands.list_commands(click.Context(commands))


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_described(name: str) -> None:
    """An option that nobody can read about does not exist."""
    for parameter in command(name).params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("-") or f"`{option}" in PAGE


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_described_and_teaches(name: str) -> None:
    """In the page's table, and with examples in its own help."""
    assert f"| `snapkit {name}" in PAGE
    assert "Examples:" in (command(name).epilog or "")


def test_every_exit_code_is_described() -> None:
    """Scripts are written from this table."""
    assert all(f"\n| {code.value} | " in PAGE for code in Exit)


def test_every_field_is_described() -> None:
    """So are programs that read JSON."""
    import attrs

    assert all(f"`{field.name}`" in PAGE for field in attrs.fields(Snapshot))
