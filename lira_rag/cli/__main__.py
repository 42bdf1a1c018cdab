"""`python -m lira_rag.cli` is `lira`."""

from lira_rag.cli import main

main()
