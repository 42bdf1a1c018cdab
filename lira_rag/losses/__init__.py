"""The losses of the method, one a file: tensors in, a scalar out, never a model.

Each file has `citation`, the formula with its source, and what is masked with what. `reinforce.py`: the actor;
`anchor.py`, `gram.py`, `teacher.py`: anchoring; `corr_queue.py`, `doc_queue.py`, `consistency.py`: the fusion head,
over what `queue.py` keeps of earlier steps.
"""
