"""Measuring: ranking metrics, and the demo corpus with its questions in many languages."""
