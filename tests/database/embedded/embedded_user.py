"""A process that uses the embedded server: started by tests, killed by them.

``python embedded_user.py HOME [fork]`` prints one JSON object, ``{"url": …}`` or ``{"error": …}``, and stays
until its standard input ends. With ``fork`` it leaves two children behind that outlive it: one forked, one
another program that inherits every descriptor that can be inherited.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from db.embedded import EmbeddedServer
from db.errors import EmbeddedError


def main() -> None:
    """Use the server until told to stop."""
    server = EmbeddedServer(Path(sys.argv[1]))
    try:
        address = server.start()
    except EmbeddedError as error:
        print(json.dumps({"error": str(error), "kind": type(error).__name__}))
        return
    children = []
    if sys.argv[2:] == ["fork"]:
        children.append(subprocess.Popen(["/bin/sleep", "30"], close_fds=False).pid)
        if (pid := os.fork()) == 0:
            time.sleep(30)
            os._exit(0)
        children.append(pid)
    print(json.dumps({"url": address.superuser_url(), "children": children}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
