"""The benchmark server from outside: started, asked for its counts, stopped."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.estate import Scope

_AWAY = ("_proxy", "_ca_bundle", "ssl_cert_file", "ssl_cert_dir")


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child: these packages, nobody's proxies and certificates."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith(_AWAY)}
    return kept | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)} | more


class Serving:
    """A running benchmark server; use it as a context manager. Times are in seconds.

    With *tls* it has a certificate of an authority that stands at the end of a bundle of the
    usual size, because reading a real bundle costs a client 20 ms or more.
    """

    def __init__(
        self,
        scopes: Iterable[Scope],
        *,
        latency: float = 0.0,
        opening: float = 0.0,
        tls: bool = False,
        xml: bool = False,
    ) -> None:
        self.scopes = list(scopes)
        self._folder = tempfile.TemporaryDirectory(prefix="snapkit-bench-")
        certificate = self._certificate() if tls else ""
        self.bundle = str(Path(self._folder.name) / "bundle.pem") if tls else ""
        spec: dict[str, Any] = {
            "scopes": self.scopes,
            "latency": latency,
            "opening": opening,
            "certificate": certificate,
            "xml": xml,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        port = self._heard()["port"]
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    def counts(self) -> dict[str, int]:
        """Return requests and connections since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._heard()

    def cpu(self) -> float:
        """Return the CPU seconds of the server so far (Linux)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the server. Calling it twice is fine."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.wait(timeout=30)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _heard(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the benchmark server did not start")
        found: dict[str, int] = json.loads(line)
        return found

    def _certificate(self) -> str:
        import certifi
        import trustme

        authority = trustme.CA()
        own = authority.issue_cert("127.0.0.1", "localhost")
        folder = Path(self._folder.name)
        own.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        usual = Path(certifi.where()).read_bytes()
        (folder / "bundle.pem").write_bytes(usual + b"\n" + authority.cert_pem.bytes())
        return str(folder / "server.pem")
