"""The command line in this process, and nothing of this machine's environment."""

from tests.cli.conftest import bare_environment, run

__all__ = ["bare_environment", "run"]
