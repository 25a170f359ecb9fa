"""The checks of .ci/run one by one: ``nox -s tests``, ``nox -s types``, ..."""

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the suite; arguments go to pytest."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", "-n", "auto", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the suite and fail where less than 95 % of lines and branches are run."""
    session.install("-e", ".[test]", "pytest-cov>=6.0")
    measured = ("--cov", "--cov-report=term-missing", "--cov-fail-under=95")
    session.run("python", "-m", "pytest", "-q", "-n", "auto", *measured, *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Try mutants of the modules where a slip costs most; ``-- --write`` keeps the figures."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.mutation", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Run both type checkers in strict mode."""
    session.install("-e", ".[test,check]")
    session.run("mypy")
    session.run("pyright")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install("ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def wheel(session: nox.Session) -> None:
    """Run the suite against the built wheel, with the sources out of sight."""
    session.install("build")
    dist = session.create_tmp()
    session.run("python", "-m", "build", "--wheel", "--outdir", dist, ".")
    session.install(*[f"{path}[test]" for path in __import__("pathlib").Path(dist).glob("*.whl")])
    away = session.create_tmp()
    for name in ("tests", "docs", "examples", "README.md", "CHANGELOG.md", "pyproject.toml"):
        session.run("cp", "-r", name, away, external=True)
    session.chdir(away)
    session.run("python", "-m", "pytest", "-q", "-n", "auto")


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in what snapkit installs, extras included."""
    session.install("pip-audit>=2.7", ".[arrow,pandas,dask,keyring]")
    # The package itself is on no index, and --strict refuses what it cannot look up.
    session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "snapkit-multicloud")
    session.run("pip-audit", "--local", "--strict", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure snapkit beside the vendors' SDKs; arguments as for ``python -m benchmarks``."""
    session.install("-e", ".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)
