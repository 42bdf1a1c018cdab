"""Training: flat scripts that read from top to bottom, deterministic for a seed.

`actor.py` trains the actor on prepared choices (`choices.py` reads them, `actor_report.py` compares the result).
"""
