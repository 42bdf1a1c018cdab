"""The same trained parts inside other people's tools: mteb, sentence-transformers, the Hugging Face Hub."""
