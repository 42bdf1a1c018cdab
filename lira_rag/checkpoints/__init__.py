"""Checkpoints that come with the library, a folder of safetensors and JSON each; see `arca.maps.find_packaged`."""
