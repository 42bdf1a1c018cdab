"""Encoders: texts to unit vectors.

`load_encoder` makes one from a model folder::

    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    vectors = encoder.encode_sync(["habari ya asubuhi"], "query")      # float32 [1, 384]

Pooling and prefixes come from the folder's own sentence-transformers files or from the table in `recipes`; they are
never guessed. BERT and XLM-R run on an own network without padding, in int8 or float32; every other architecture goes
through transformers. Importing this package loads neither torch nor transformers.

`ServedEncoder` keeps the same promises for an encoder behind a model server; `export.py` saves a packaged encoder in a
form that any server reads.
"""

from lira_rag.encoders.local import Precision, TransformerEncoder, load_encoder
from lira_rag.encoders.recipes import RECIPES, Pooling, Recipe
from lira_rag.encoders.served import ServedEncoder

__all__ = ["RECIPES", "Pooling", "Precision", "Recipe", "ServedEncoder", "TransformerEncoder", "load_encoder"]
