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
from lira_rag.protocols import TokenEncoder

__all__ = ["from_pretrained", "push_to_hub", "save_pretrained"]

PATTERNS = ["*.safetensors", "*.json", "README.md"]


class Api(Protocol):
    """The two calls of `huggingface_hub.HfApi` that pushing needs."""

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> Any: ...

    def upload_folder(self, *, repo_id: str, folder_path: str, allow_patterns: list[str]) -> Any: ...


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
    text = _card(arca, base_model, revision, licence, notes)
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
    if api is None:
        from huggingface_hub import HfApi

        api = HfApi()
    with TemporaryDirectory(prefix="lira-hub-") as folder:
        save_pretrained(arca, folder, base_model=base_model, **card)
        api.create_repo(repo_id, private=private, exist_ok=True)
        return api.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=PATTERNS)


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
    if Path(source).is_dir():
        return Arca.load(Path(source), native, english)
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(str(source), revision=revision, allow_patterns=PATTERNS)
    except Exception as error:  # the hub's client raises many kinds
        raise ModelNotFound(
            f"{str(source)!r} is no folder, and could not be fetched from the Hub: {type(error).__name__}",
            hint="check the name and the network, or download it and give the folder",
        ) from error
    return Arca.load(Path(folder), native, english)


def _card(arca: Arca, base_model: str, revision: str, licence: str, notes: str) -> str:
    from huggingface_hub import ModelCardData

    maps = {} if arca.maps is None else arca.maps.maps
    known: Mapping[str, Any] = {} if arca.maps is None else arca.maps.card
    data = ModelCardData(
        language=sorted(tag for tag in maps if tag != SHARED) or None,
        license=licence or None,
        library_name="lira_rag",
        tags=["lira", "arca", "cross-lingual-retrieval", "sentence-similarity"],
        base_model=base_model if "/" in base_model else None,
        pipeline_tag="sentence-similarity",
    )
    lines = [
        f"# Arca for {base_model}",
        "",
        f"Backbone: `{base_model}`{f', revision `{revision}`' if revision else ''}, fingerprint"
        f" `{arca.native.fingerprint}`. Another one is refused when this is loaded.",
        f"Trained on: {known.get('sources', 'see below')}.",
        "",
        *_figures(known),
        notes,
    ]
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n".join(lines).rstrip() + "\n"


def _figures(known: Mapping[str, Any]) -> list[str]:
    """What the training's gate measured for each language, as a table."""
    verdicts = known.get("verdicts", {})
    if not verdicts:
        return []
    names = sorted({name for verdict in verdicts.values() for name, v in verdict.items() if isinstance(v, int | float)})
    rows = [
        f"| {tag} | {' | '.join(_cell(verdict.get(name)) for name in names)} |" for tag, verdict in verdicts.items()
    ]
    return [f"| language | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|", *rows, ""]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, int | float) else ""
