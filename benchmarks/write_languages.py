"""Writes docs/languages.md from what `lira demo --json` measured: `lira demo --json > demo.json`, then this.

python benchmarks/write_languages.py demo.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lira_rag.languages import display_name

HEAD = """# Which languages, how well

nDCG@10 from 0 to 100 (hit@1 in brackets) on the demo corpus: questions in each language over English pages of an online
shop, which no part was trained on. Twenty questions a language: differences of a few points are noise. Measured by
`lira demo --json` and written by `benchmarks/write_languages.py`. Questions on African languages over Wikipedia are in
[the results of the tasks](results/arca-tasks.md).
"""
ADVICE = ((50, "works"), (40, "usable; look at the hits before you trust one"), (0, "weak: add a translator"))


def main(path: str) -> None:
    """Write the page."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    parts = [HEAD, "## English pages\n", *_table(found["languages"], advice=True)]
    parts += ["\n## The same among pages in the questions' own languages that answer nothing\n"]
    parts += [*_table(found["mixed_pool"], advice=False), "", found["trained"], ""]
    page = Path(__file__).parents[1] / "docs" / "languages.md"
    page.write_text("\n".join(parts), encoding="utf-8")
    print(f"wrote {page.name}")


def _table(rows: dict[str, dict[str, Any]], *, advice: bool) -> list[str]:
    last = " in short |" if advice else ""
    lines = [f"| language | tag | BM25 over ICU words | the backbone alone | Lira |{last}"]
    lines += ["|---|---|---|---|---|" + ("---|" if advice else "")]
    for tag, row in rows.items():
        cells = [f"{row[name]:.1f} ({row[name + '_hit1']:.0f})" for name in ("bm25", "backbone", "lira")]
        short = f" {next(text for least, text in ADVICE if row['lira'] >= least)} |" if advice else ""
        lines.append(f"| {display_name(tag)} | {tag} | {' | '.join(cells)} |{short}")
    return lines


if __name__ == "__main__":
    main(sys.argv[1])
