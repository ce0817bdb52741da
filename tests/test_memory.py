"""A run's memory: what it may have, what a case needs, what is left for batches and the cache."""

from __future__ import annotations

import math

import pytest

from app.memory import available_memory, needed_memory, plan_memory

GB = 10**9


@pytest.mark.parametrize(
    ("group", "machine", "expected"),
    [
        (math.inf, 64 * GB, 8 * GB),
        (math.inf, 8 * GB, 4 * GB),
        (2 * GB, 64 * GB, 2 * GB),
        (32 * GB, 64 * GB, 32 * GB),
        (32 * GB, 16 * GB, 16 * GB),
    ],
)
def test_a_run_may_use_its_groups_limit_or_8_gb_or_half_of_a_small_machine(
    group: float, machine: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.memory.memory_limit", lambda: group)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": machine // 1000}.__getitem__)
    assert available_memory() == expected


def test_wider_numbers_need_more() -> None:
    assert needed_memory((1000, 1000, 100)) == 700_000_000 + 4 * 100_000_000
    assert needed_memory((1000, 1000, 100), itemsize=2) == 700_000_000 + 10 * 100_000_000


def test_what_is_left_goes_to_a_batch_of_prompts_and_then_to_the_cache() -> None:
    shape = (100, 100, 100)  # needs 704 MB
    plans = [plan_memory(mb * 1_000_000, shape) for mb in (100, 704, 783, 784, 944, 1044)]
    assert [plan.prompts for plan in plans] == [1, 1, 1, 2, 4, 4]
    assert [plan.cache // 1_000_000 for plan in plans] == [0, 0, 79, 0, 0, 100]
