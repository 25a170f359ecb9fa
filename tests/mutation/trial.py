"""Whether the tests notice a mutant: a forked process runs them with the wrong module inside.

The mutant exists only in that process. It is handed to the import system as code, so the
sources stay as they are whatever happens.
"""

import contextlib
import enum
import importlib.abc
import importlib.util
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import NoReturn

import attrs

__all__ = ["Trial", "Verdict"]

NEVER_LOADED = 77


class Verdict(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    HANGING = "killed by the clock"
    SURVIVED = "survived"
    NEVER_LOADED = "never loaded"


@attrs.frozen
class Trial:
    """The tests that answer for *module*, whose source is *file*."""

    module: str
    file: str
    tests: Sequence[str]

    def run(self, code: CodeType, *, processor: int, longest: float) -> Verdict:
        """Return what the tests say of *code* in the place of the module.

        A run of more than *processor* seconds of a processor, or *longest* seconds in all,
        counts as noticed: such a mutant hangs. On a busy machine only the former is telling.
        """
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            self._die(code, processor, math.ceil(longest))
        end = time.monotonic() + longest
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return _verdict(os.waitstatus_to_exitcode(status))
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return Verdict.HANGING

    def _die(self, code: CodeType, processor: int, longest: int) -> NoReturn:
        """Run the tests and end the process with their exit code."""
        status = 3
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
            # Also where the run itself is killed, nothing of it is left.
            signal.alarm(longest + 5)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            importer = _Importer(self.module, self.file, code)
            sys.meta_path.insert(0, importer)
            status = _pytest(self.tests)
            if status == 0 and not importer.used:
                status = NEVER_LOADED
        finally:
            os._exit(status)


def _pytest(tests: Sequence[str]) -> int:
    import pytest

    quick = ["-x", "-q", "--tb=no", "--assert=plain", "--hypothesis-profile=mutation"]
    plugins = ["-p", "no:cacheprovider", "-p", "pytest_socket", "-p", "_hypothesis_pytestplugin"]
    return int(pytest.main([*quick, *plugins, *tests]))


def _verdict(status: int) -> Verdict:
    if status == NEVER_LOADED:
        return Verdict.NEVER_LOADED
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict.HANGING
    return Verdict.KILLED if status else Verdict.SURVIVED


@attrs.define
class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from *code*."""

    module: str
    file: str
    code: CodeType
    used: bool = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        self.used = True
        exec(self.code, module.__dict__)
