"""lira_rag in LlamaIndex: `LiraNodeParser` cuts documents of any script at sentences, by tokens."""

from llama_index.retrievers.lira.node_parser import LiraNodeParser

__all__ = ["LiraNodeParser"]
