"""Checkpoints on the Hugging Face Hub: what was trained, with a model card that says on what and for which backbone.

Only safetensors, JSON and Markdown are written and fetched. Loading checks the backbone's fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from lira_rag.arca import Arca
from lira_rag.arca.maps import SHARED
from lira_rag.errors import ModelNotFound
from lira_rag.interop.cards import About, card_text
from lira_rag.protocols import TokenEncoder

__all__ = ["Api", "fetched", "from_pretrained", "push_to_hub", "save_pretrained", "upload"]

PATTERNS = ["*.safetensors", "*.json", "README.md"]


class Api(Protocol):
    """The two calls of `huggingface_hub.HfApi` that pushing needs."""

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> Any: ...

    def upload_folder(self, *, repo_id: str, folder_path: str, allow_patterns: list[str], **commit: Any) -> Any: ...


def save_pretrained(
    arca: Arca, folder: str | Path, *, base_model: str, revision: str = "", licence: str = "", notes: str = ""
) -> Path:
    """Write what was trained, and README.md with its card.

    Args:
        arca: with maps, an adaptor, or both.
        folder: made if need be.
        base_model: name of the backbone, as users load it.
        revision: of the backbone, where it has one.
        licence: SPDX name; depends on the data it was trained on.
        notes: anything else that users have to know, as Markdown.
    """
    arca.save(Path(folder))
    text = _card(arca, About(base_model, revision, licence, notes))
    (Path(folder) / "README.md").write_text(text, encoding="utf-8")
    return Path(folder)


def push_to_hub(
    arca: Arca, repo_id: str, *, base_model: str, private: bool = True, api: Api | None = None, **card: str
) -> Any:
    """Upload to a model repository, which is made private unless said otherwise.

    Args:
        repo_id: ``owner/name``.
        api: a `huggingface_hub.HfApi` of your own, such as one with a token.
        **card: as in `save_pretrained`.

    Returns:
        What `upload_folder` gives.
    """
    with TemporaryDirectory(prefix="lira-hub-") as folder:
        save_pretrained(arca, folder, base_model=base_model, **card)
        return upload(folder, repo_id, private=private, api=api)


def upload(
    folder: str, repo_id: str, *, private: bool = True, api: Api | None = None, token: str | None = None, **commit: Any
) -> Any:
    """Send a checkpoint's safetensors, JSON and card to a model repository, which is made if need be.

    Args:
        folder: what a save wrote.
        repo_id, private, api: as in `push_to_hub`.
        token: where no `api` is given; None is the one that `hf auth login` keeps.
        **commit: further arguments of `HfApi.upload_folder`, such as ``commit_message``.

    Returns:
        What `upload_folder` gives.
    """
    hub: Any = api
    if hub is None:
        from huggingface_hub import HfApi

        hub = HfApi(token=token)
    hub.create_repo(repo_id, private=private, exist_ok=True)
    return hub.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=PATTERNS, **commit)


def from_pretrained(
    source: str | Path, native: TokenEncoder, english: TokenEncoder | None = None, *, revision: str | None = None
) -> Arca:
    """Read a checkpoint from a folder or the Hub.

    Args:
        source: a folder, or ``owner/name``.
        native: the backbone it was trained on.
        english: the English encoder it was trained with, if any.
        revision: commit, tag or branch on the Hub; pin a commit in production.

    Raises:
        ModelNotFound: there is no such folder or repository, or it cannot be reached.
        CheckpointError: it holds nothing of ours, or something damaged.
        FingerprintMismatch: it was made for another backbone; both are named.
    """
    return Arca.load(fetched(source, revision=revision), native, english)


def fetched(source: str | Path, **download: Any) -> Path:
    """The folder of a checkpoint: as given, or fetched from the Hub; nothing but safetensors, JSON and the card.

    Args:
        source: a folder, or ``owner/name``.
        **download: arguments of `huggingface_hub.snapshot_download`, such as ``revision``.

    Raises:
        ModelNotFound: there is no such folder or repository, or it cannot be reached.
    """
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(source), allow_patterns=PATTERNS, **download))
    except Exception as error:  # the hub's client raises many kinds
        raise ModelNotFound(
            f"{str(source)!r} is no folder, and could not be fetched from the Hub: {type(error).__name__}",
            hint="check the name and the network, or download it and give the folder",
        ) from error


def _card(arca: Arca, about: About) -> str:
    maps = {} if arca.maps is None else arca.maps.maps
    known: Mapping[str, Any] = {} if arca.maps is None else arca.maps.card
    return card_text(
        "Arca",
        about,
        arca.native.fingerprint,
        languages=[tag for tag in maps if tag != SHARED],
        tags=["lira", "arca", "cross-lingual-retrieval", "sentence-similarity"],
        sources=known.get("sources", ""),
        figures=known.get("verdicts", {}),
    )
