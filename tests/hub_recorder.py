"""An object in place of `huggingface_hub.HfApi`: what is pushed lies in a folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Recorder:
    """Stands for the Hub: keeps what was uploaded."""

    def __init__(self, kept: Path) -> None:
        self.kept, self.private = kept, None

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> None:
        self.private = private

    def upload_folder(self, *, repo_id: str, folder_path: str, allow_patterns: list[str], **commit: Any) -> Any:
        names = [path.name for path in Path(folder_path).iterdir()]
        for name in names:
            (self.kept / name).write_bytes((Path(folder_path) / name).read_bytes())
        return SimpleNamespace(repo=repo_id, names=sorted(names), **commit)
