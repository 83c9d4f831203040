"""What PostgreSQL writes down about itself in ``postmaster.pid``.

The lines are documented in its source, ``src/include/utils/pidfile.h``: pid, data folder, start time, port,
socket folder, TCP address, shared memory, state.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # protocol.html, SSLRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Postmaster:
    """A server that runs, or ran and did not clean up."""

    pid: int
    port: int | None = None
    socket_folder: str | None = None
    state: str | None = None  # starting, ready, stopping, standby

    @property
    def answers(self) -> bool:
        """Whether it takes connections on its socket right now.

        A killed server's socket still lets one in, so it is asked something: whether it speaks TLS.
        """
        if self.state != "ready" or self.port is None or not self.socket_folder:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(f"{self.socket_folder}/.s.PGSQL.{self.port}")
                probe.sendall(_SSL_REQUEST)
                return probe.recv(1) in (b"N", b"S")
            except OSError:
                return False

    def serves(self, data: Path) -> bool:
        """Tell whether the process of that number is the server of this folder.

        The number may belong to another program by now, or to the server of another folder.
        """
        try:
            if sys.platform == "linux":
                # Every server works in its data folder.
                return Path(f"/proc/{self.pid}/cwd").readlink() == data.resolve()
            told = subprocess.run(  # noqa: S603  # a number of our own
                ["/bin/ps", "-o", "command=", "-p", str(self.pid)],
                capture_output=True,
                text=True,
                check=False,
            )
            return str(data.resolve()) in told.stdout
        except OSError:
            return False


def read_postmaster(data: Path) -> Postmaster | None:
    """Read the pid file; None where there is none or it is no such file."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    complete = len(lines) >= 5 and lines[3].strip().isdigit()
    return Postmaster(
        pid=pid,
        port=int(lines[3]) if complete else None,
        socket_folder=lines[4].strip() if complete else None,
        state=lines[7].strip() if len(lines) >= 8 else None,
    )
