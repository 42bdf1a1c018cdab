"""A local log of searches for `lira drift`, off unless asked for: languages, figures and reasons, never a text.

One JSON object a line: ``{"time": "2026-11-27T06:10:00+00:00", "language": "sw", "confidence": 0.93, "script": "Latn",
"relevance": 0.81, "anchoring": 0.42, "hits": 5, "missing": ["translated: late"], "milliseconds": 14}``. `relevance` is
the best hit's and `anchoring` the error of the question's anchor; null where unknown. Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from lira_rag.schema import Explanation

__all__ = ["QueryLog", "logged", "record_of"]

LOG_SECONDS = 0.1
logger = logging.getLogger(__name__)


class QueryLog:
    """Appends a line for each search. The file is opened for every line, so it may be rotated or removed any time.

    Args:
        path: of the file; made, readable for its owner only, at the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._failed = path, False

    def write(self, found: Explanation) -> None:
        """Append one line. A log that cannot be written never fails a search: it is said once, by a warning."""
        line = json.dumps(record_of(found), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, line.encode())  # one call: lines of several processes do not mix
            finally:
                os.close(file)
        except OSError as error:
            if not self._failed:
                logger.warning("the query log %s cannot be written: %s", self.path, type(error).__name__)
            self._failed = True


async def logged(log: QueryLog | None, search: Awaitable[Explanation]) -> Explanation:
    """The result of a search, once it is in the log; a slow disk delays it by `LOG_SECONDS` at most."""
    found = await search
    if log is not None:
        with anyio.move_on_after(LOG_SECONDS):
            await to_thread.run_sync(log.write, found, abandon_on_cancel=True)
    return found


def record_of(found: Explanation, now: datetime | None = None) -> dict[str, Any]:
    """What the log keeps of a search. Of reasons only the leg and its status: a message might quote the question."""
    relevance = [hit.relevance for hit in found.result if hit.relevance is not None]
    error = None if found.anchoring is None else found.anchoring.error
    return {
        "time": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
        "language": found.language,
        "confidence": round(found.language_confidence, 3),
        "script": found.script,
        "relevance": round(max(relevance), 4) if relevance else None,
        "anchoring": None if error is None else round(error, 4),
        "hits": len(found.result),
        "missing": [f"{leg.leg}: {leg.status}" for leg in found.legs if leg.status in ("late", "failed")],
        "milliseconds": round(found.milliseconds),
    }
