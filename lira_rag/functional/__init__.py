"""Pure tensor and array maths without state: pooling, fusion, similarity."""
