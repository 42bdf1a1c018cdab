"""`Lira.add` killed by SIGKILL at random moments: what it reported is there, and adding again completes it."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lira_rag import Document, Lira
from lira_rag.stores.verify import verify
from lira_rag.testing import FakeEncoder

COUNT, STEP = 4000, 100
WRITER = f"""
import sys
from lira_rag import Document, Lira
from lira_rag.testing import FakeEncoder
path = sys.argv[1]
try:
    lira = Lira.open(path, encoder=FakeEncoder())
except Exception:
    lira = Lira.create(path, encoder=FakeEncoder())
print("ready", flush=True)
for start in range(0, {COUNT}, {STEP}):
    lira.add([Document(f"text number {{n}}", id=f"d{{n}}") for n in range(start, start + {STEP})])
    print(start + {STEP}, flush=True)
"""


def run_and_kill(path: Path, seconds: float) -> int:
    """Run the writer, kill it `seconds` after it is ready; the number of documents it reported as added."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    time.sleep(seconds)
    writer.send_signal(signal.SIGKILL)
    reported = [int(line) for line in writer.stdout.read().split("\n")[:-1] if line]
    writer.wait()
    return max(reported, default=0)


@pytest.mark.slow
def test_killed_at_random_moments_nothing_reported_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    path, rng = tmp_path / "index", random.Random(7)
    for _ in range(6):
        reported = run_and_kill(path, rng.uniform(0.05, 1.5))
        with Lira.open(path, encoder=FakeEncoder(), read_only=True) as lira:
            stats = lira.stats()
            assert stats.documents == stats.passages >= reported
    with Lira.open(path, encoder=FakeEncoder()) as lira:
        lira.add([Document(f"text number {n}", id=f"d{n}") for n in range(COUNT)])
        again = lira.add([Document(f"text number {n}", id=f"d{n}") for n in range(COUNT)])
        assert again.unchanged == COUNT == lira.stats().documents == lira.stats().passages
        assert len({hit.id for hit in lira.search("text number 7", k=100)}) == 100
    assert verify(path).ok


def test_a_second_writer_is_refused_with_the_reason(tmp_path: Path) -> None:
    Lira.create(tmp_path / "index", encoder=FakeEncoder()).close()
    with Lira.open(tmp_path / "index", encoder=FakeEncoder()):
        code = (
            "import sys; from lira_rag import Lira; from lira_rag.testing import FakeEncoder\n"
            "try: Lira.open(sys.argv[1], encoder=FakeEncoder())\n"
            "except Exception as error: print(type(error).__name__, error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "index")], capture_output=True, text=True, check=True
        )
    assert done.stdout.startswith("IndexLocked")
    assert "pid" in done.stdout
