"""What is in deploy/ fits the program and what it is read by."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy").glob("ims-crawler-*"))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS:  # the program is not where it will be
        text = unit.read_text().replace("/opt/ims-crawler/.venv/bin/ims-crawl", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [verify, "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "ims-crawler" in line]
    assert (done.returncode, about_ours) == (0, [])


def test_the_image_has_every_part_of_the_program() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = set(" ".join(re.findall(r"^COPY (.*)$", image, re.MULTILINE)).split())
    assert set(wheel["only-include"]) <= copied


def test_no_secret_is_written_into_a_unit() -> None:
    for unit in UNITS:
        assert not re.search(r"(PASSWORD|SECRET|DATABASE_URL)=", unit.read_text()), unit.name


def test_the_backup_sees_the_attached_files_of_the_worker() -> None:
    for name in ("User", "Environment=IMS_HOME"):
        told = {
            found
            for unit in UNITS
            if unit.suffix == ".service"
            for found in re.findall(rf"^{name}=(\S+)", unit.read_text(), re.MULTILINE)
        }
        assert len(told) == 1, (name, told)
