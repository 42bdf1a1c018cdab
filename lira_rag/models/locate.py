"""From a name to a folder: packaged model, local folder, or model hub id."""

from __future__ import annotations

import re
from pathlib import Path

from lira_rag.errors import ModelNotFound
from lira_rag.folders import check_config
from lira_rag.models.catalogue import CATALOG
from lira_rag.models.pull import folder_of, is_pulled, pull

__all__ = ["locate"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?")
_WANTED = ["*.safetensors", "*.json", "tokenizer*", "vocab.txt", "merges.txt", "*.jinja", "1_Pooling/*"]
_REFUSED = ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.py", "*.h5", "*.msgpack", "onnx/*", "openvino/*"]


def locate(name_or_path_or_hub_id: str | Path, *, offline: bool = False) -> Path:
    """The folder of a model.

    A packaged name gives its pulled folder, pulled first if it is absent. An existing folder gives itself. Anything
    else that looks like "owner/name" is asked of the model hub; only safetensors, JSON and tokenizer files are taken.

    Args:
        name_or_path_or_hub_id: what the user wrote.
        offline: neither pull nor download; use what is on this machine.

    Raises:
        ModelNotFound: nothing fits; lists the packaged names.
        LicenseRequired: the packaged model asks for its licence to be accepted.
        ModelError: config.json asks to run code.
    """
    name = str(name_or_path_or_hub_id)
    if name in CATALOG:
        return _packaged(name, offline)
    folder = Path(name).expanduser()
    if not name or not folder.is_dir():
        folder = _from_hub(name, offline)
    check_config(folder)
    return folder


def _packaged(name: str, offline: bool) -> Path:
    if offline and not is_pulled(name):
        raise ModelNotFound(f"{name} is not pulled, and offline was asked for", hint=f"lira models pull {name}")
    return folder_of(name) if offline else pull(name)


def _from_hub(name: str, offline: bool) -> Path:
    if not _HUB_ID.fullmatch(name):
        raise _not_found(name, "there is no such folder")
    try:
        from huggingface_hub import snapshot_download

        found = snapshot_download(name, allow_patterns=_WANTED, ignore_patterns=_REFUSED, local_files_only=offline)
    except Exception as error:
        # the hub client raises many types (HTTP, cache, validation, offline): each means "not here"
        raise _not_found(name, f"the model hub gave {type(error).__name__}") from error
    return Path(found)


def _not_found(name: str, reason: str) -> ModelNotFound:
    return ModelNotFound(
        f"no packaged model, folder or hub model {name!r}: {reason}",
        hint=f"packaged models: {', '.join(CATALOG)}; or a folder with config.json and safetensors",
    )
