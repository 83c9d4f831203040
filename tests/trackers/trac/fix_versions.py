"""Real Tracs of earlier versions, each installed once per machine; they want a Python 2.7."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from tests.trackers.trac import issues
from tests.trackers.trac.fix_server import TracServer, make_environment, run, serving

# With what each was made for, as far as it can still be had.
_NEEDS = {
    "1.4.4": ("Jinja2<3", "MarkupSafe<2", "Babel<2.10", "pytz"),
    "1.2.6": ("Genshi<0.8", "Babel<2.10", "pytz"),
    "1.0.20": ("Genshi<0.8", "Babel<2.10", "pytz"),
    "0.12.7": ("Genshi<0.7", "Babel<2.10", "pytz"),
    "0.11.4": ("Genshi<0.7", "pytz"),
}
# Of these the pages differ most from those of 1.6.
_OFTEN = ("1.0.20",)
VERSIONS = [
    version if version in _OFTEN else pytest.param(version, marks=pytest.mark.long) for version in _NEEDS
]


def _python_2() -> Path:
    """A Python 2.7 with pip: of the path, or of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = shutil.which("python2.7")
    for python in [*pyenv.glob("versions/2.7*/bin/python2.7"), *([Path(found)] if found else [])]:
        asked = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
        if asked.returncode == 0:
            return python
    pytest.skip("Trac before 1.6 needs a Python 2.7 with pip, and there is none.")


def _install(python: Path, place: Path, version: str) -> None:
    building = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        run([*pip, "--target", building, f"Trac=={version}", *_NEEDS[version]])
    except RuntimeError as error:
        shutil.rmtree(building, ignore_errors=True)
        pytest.skip(f"Trac {version} cannot be installed here: {error}")
    building.rename(place)


def _interpreter(version: str) -> Path:
    """A command that runs a Python that has this Trac."""
    python = _python_2()
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"trac-{version}-py2.7"
    with (folder / "trac.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _install(python, place, version)
        command = folder / f"trac-{version}-python"
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{place}" exec "{python}" "$@"\n')
        command.chmod(0o755)
    return command


@pytest.fixture(scope="module", params=VERSIONS)
def earlier_trac(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TracServer]:
    """A Trac of an earlier version with our own tickets."""
    version: str = request.param
    python = _interpreter(version)
    folder = tmp_path_factory.mktemp(f"trac-{version}")
    environment = make_environment(python, folder, version=version)
    server = TracServer(
        url="", environment=environment, python=python, log=folder / "tracd.log", version=version
    )
    server.fill([*issues.own_issues(), *issues.hostile_issues()], issues.COMPONENTS)
    with serving(server) as running:
        yield running
