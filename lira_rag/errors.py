"""Every error lira_rag raises on purpose, in one tree.

::

    LiraError
    ├── InvalidInput (ValueError)      a value the caller passed: says which, the rule, and the mend
    │   └── EmptyText                  nothing is left to search or encode after cleaning
    ├── ConfigError (ValueError)       a setting is unknown, of the wrong type or contradicts another
    ├── MissingDependency (ImportError) an optional package is absent: names the extra
    ├── DeadlineExceeded (TimeoutError) nothing useful was ready when the time ran out
    ├── ModelError                     a model, local or served; carries `retryable`
    │   ├── ModelNotFound              no such packaged model, folder or hub id
    │   ├── CorruptModel               a file's size or sha256 is not the recorded one
    │   ├── LicenseRequired            the licence has to be accepted first
    │   ├── EncoderContractError       NaN, wrong count, wrong dimension, not unit norm
    │   ├── CheckpointError            a saved part cannot be read, or is of a newer format
    │   └── ChatError                  the chat model did not give a usable reply
    └── StorageError                    the index on disk
        ├── IndexNotFound
        ├── IndexExists
        ├── IndexLocked                another process is writing
        ├── IndexClosed
        ├── FingerprintMismatch        the index was made with another encoder or adaptor
        ├── CorruptIndex
        └── StorageFull                the disk is full; what was acknowledged is safe

`str(error)` is one sentence on what is wrong; `error.hint` is what to do about it. No document text appears in either.
"""

from __future__ import annotations

__all__ = [
    "ChatError",
    "CheckpointError",
    "ConfigError",
    "CorruptIndex",
    "CorruptModel",
    "DeadlineExceeded",
    "EmptyText",
    "EncoderContractError",
    "FingerprintMismatch",
    "IndexClosed",
    "IndexExists",
    "IndexLocked",
    "IndexNotFound",
    "InvalidInput",
    "LicenseRequired",
    "LiraError",
    "MissingDependency",
    "ModelError",
    "ModelNotFound",
    "StorageError",
    "StorageFull",
]


class LiraError(Exception):
    """Base of all errors of this library.

    Args:
        message: what is wrong, naming the value.
        hint: what to do about it, often a command.
        retryable: True when the same call may succeed later.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} ({self.hint})" if self.hint else message


class InvalidInput(LiraError, ValueError):
    """A value the caller passed breaks a rule."""


class EmptyText(InvalidInput):
    """Nothing is left of a text after cleaning."""


class ConfigError(LiraError, ValueError):
    """A setting is unknown, of the wrong type, or contradicts another."""


class MissingDependency(LiraError, ImportError):
    """An optional package is not installed."""


class DeadlineExceeded(LiraError, TimeoutError):
    """The deadline passed and there was nothing useful to return."""


class ModelError(LiraError):
    """A model, local or served, could not do its work."""


class ModelNotFound(ModelError):
    """No packaged model, folder or hub id of that name."""


class CorruptModel(ModelError):
    """A model file is not the one that was recorded."""


class LicenseRequired(ModelError):
    """The model's licence has to be accepted before it is pulled."""


class EncoderContractError(ModelError):
    """An encoder returned something that is not a finite unit vector per text."""


class CheckpointError(ModelError):
    """A saved module cannot be read."""


class ChatError(ModelError):
    """A model server or chat model gave no usable reply.

    Args:
        kind: the fault's name where it is known, such as "connect", "status_429" or "empty".
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False, kind: str = "") -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.kind = kind


class StorageError(LiraError):
    """Something about the index on disk."""


class IndexNotFound(StorageError):
    """The path holds no index."""


class IndexExists(StorageError):
    """The path already holds an index."""


class IndexLocked(StorageError):
    """Another process holds the index open for writing."""


class IndexClosed(StorageError):
    """The index was closed."""


class FingerprintMismatch(StorageError):
    """The index was built by another encoder, adaptor, pooling or prefix."""


class CorruptIndex(StorageError):
    """The files of the index contradict each other or cannot be read."""


class StorageFull(StorageError):
    """The disk is full. Everything acknowledged before is safe."""
