"""Where passages are kept: one folder per index, one truth in it.

* `index.PassageIndex` is what the engine uses: write, delete, nearest, lexical, passages.
* `manifest` is the truth: a sqlite file with every text, word and vector, changed a whole document at a time.
* `chroma` (embedded or a server) and `memory` (exact) find nearest vectors; `lexical` finds words: it keeps
  `segments` in step with the manifest, which `bm25` scores exactly and `sounding` across scripts. All are derived from
  the manifest and can be thrown away.
* `lock` keeps a second writer out; `recovery` finishes what a crash interrupted; `seal` and `probe` look at
  Chroma's files before this process trusts them; `verify` reports and mends.
* `records` and `filters` hold the rules for what goes in and what may be asked.

Heavy packages (chromadb, bm25s) are imported when a store is opened.
"""

from lira_rag.stores.index import PassageIndex
from lira_rag.stores.memory import MemoryStore
from lira_rag.stores.records import IndexedDocument, IndexStats

__all__ = ["IndexStats", "IndexedDocument", "MemoryStore", "PassageIndex"]
