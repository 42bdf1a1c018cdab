"""Arca behind OpenAI's HTTP interface: vectors and relevance for programs that speak it."""
