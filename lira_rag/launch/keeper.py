"""Runs a command for as long as the process that asked for it lives; a script, run by `server.ModelServer`.

A server in a session of its own outlives whoever started it when that is killed, such as a notebook's kernel that is
restarted, and keeps the accelerator's memory. The other end of this script's standard input is held by the one who
started it and closed by the system when that ends, in whatever way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

GRACE_SECONDS = 10.0


def main(argv: Sequence[str]) -> int:
    """Run `argv` and return its exit status, as a shell counts it."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # it is meant for the command, whose end is waited for
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    orphaned = threading.Event()
    threading.Thread(target=_end_with_parent, args=(orphaned,), daemon=True).start()
    status = child.wait()
    if orphaned.is_set():  # nobody else is left to end what the command started and left behind
        os.killpg(0, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _end_with_parent(orphaned: threading.Event) -> None:
    """At the end of standard input, end this process's group: kindly, then at once."""
    while os.read(0, 1024):
        pass
    orphaned.set()
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
