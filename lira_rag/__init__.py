"""lira_rag: retrieval-augmented generation that works in the languages LLMs serve worst."""
