"""The command `lira`. One file a command; `console.py` holds what they share.

Exit codes: 0 done · 1 it could not be done (model, disk, damaged index) · 2 wrong use (a value, a path, a setting) ·
130 interrupted.
"""

from lira_rag.cli.app import main

__all__ = ["main"]
