"""Starting a vLLM server for a model on this machine, as `lira serve` does.

`environment.py` finds an installation of vLLM, `checkpoint.py` makes the model a folder that vLLM reads, `command.py`
puts the command line together, and `server.py` runs it, waits for its health, and stops it.
"""

from lira_rag.launch.checkpoint import Checkpoint, checkpoint_of
from lira_rag.launch.command import Command, vllm_command
from lira_rag.launch.environment import Installation, find_installation
from lira_rag.launch.server import ModelServer

__all__ = [
    "Checkpoint",
    "Command",
    "Installation",
    "ModelServer",
    "checkpoint_of",
    "find_installation",
    "vllm_command",
]
