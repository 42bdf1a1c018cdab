"""Learned parts, as torch modules only: the anchor adaptor. Saved as safetensors beside a JSON card."""
