"""What a filter may say, and when two values are equal."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.stores.filters import check_key, check_where, label, matches


def test_labels_are_equal_exactly_when_kind_and_value_are() -> None:
    values: list[Any] = ["1", "b1", "n1", "", 1, 1.0, 0, -0.0, True, False, 1.5, "1.5", 2**62, float(2**62), -7]

    def kind(value: Any) -> str:
        return "bool" if isinstance(value, bool) else "str" if isinstance(value, str) else "number"

    for a, b in itertools.product(values, values):
        assert (label(a) == label(b)) == (kind(a) == kind(b) and a == b), (a, b)


@pytest.mark.parametrize("value", [None, [], {}, b"x", float("nan"), float("inf"), 2**63, -(2**63) - 1, 1j])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="metadata value must be"):
        label(value)


@pytest.mark.parametrize("key", ["", "1a", "a b", "a-b", "a" * 37, "ключ", "a;", "$or", None, 1])
def test_illegal_keys_are_refused(key: Any) -> None:
    with pytest.raises(InvalidInput, match="metadata key must match"):
        check_key(key)


@pytest.mark.parametrize("key", ["a", "_", "Tenant_7", "a" * 36])
def test_legal_keys(key: str) -> None:
    assert check_key(key) == key


def test_no_filter_is_none() -> None:
    assert check_where(None) is None
    assert check_where({}) is None


def test_one_value_and_several_become_lists() -> None:
    checked = check_where({"a": "xy", "b": ["x", "y"], "c": {3}, "d": ()})
    assert checked == {"a": ["xy"], "b": ["x", "y"], "c": [3], "d": []}


def test_an_unknown_key_lists_the_known_ones() -> None:
    assert check_where({"language": "en", "n": 1}, ["n"]) is not None
    with pytest.raises(InvalidInput, match=r"'lang'.*known keys: document_id, language, n, source"):
        check_where({"lang": "en"}, ["n"])


def test_a_filter_must_be_a_mapping() -> None:
    with pytest.raises(InvalidInput, match="must be a mapping"):
        check_where(["language"])  # type: ignore[arg-type]


def test_all_keys_must_match() -> None:
    where = {"a": [1, 2], "b": ["x"]}
    assert matches({"a": 2.0, "b": "x", "c": 0}, where)
    assert not matches({"a": 2, "b": "y"}, where)
    assert not matches({"a": 2}, where)
    assert not matches({"a": True, "b": "x"}, where)
