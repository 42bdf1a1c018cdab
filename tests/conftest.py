"""Shared by all tests: nothing may reach a hub."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
