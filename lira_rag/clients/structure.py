"""Does a reply keep to the JSON schema that was asked for?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["check_reply"]


def check_reply(text: str, schema: Mapping[str, Any]) -> str:
    """What is wrong, in words that hold nothing of the reply but our own schema's keys; "" when it keeps to the schema.

    Args:
        text: should be one JSON document; NaN and infinity are no JSON.
        schema: JSON schema, draft 2020-12; numbers must lie in their ranges, too.
    """
    from jsonschema import Draft202012Validator

    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        return "the reply is nested too deep"
    except ValueError:
        return "the reply is not one JSON document"
    fault = next(Draft202012Validator(dict(schema)).iter_errors(value), None)
    if fault is None:
        return ""
    place = "/".join(str(part) for part in fault.schema_path)
    return f"the reply breaks the rule {place}"


def _refuse(name: str) -> None:
    raise ValueError(name)
