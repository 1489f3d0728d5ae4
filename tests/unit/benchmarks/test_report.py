"""What the benchmark prints: ratios, verdicts, and that the documents show the last run and nothing else."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import report

    return report


def measured(per_second: float, failures: int = 0) -> dict[str, Any]:
    figures = {"calls": 10, "p50_ms": 1.0, "p99_ms": 2.0, "cpu_ms_per_call": 0.5, "client_cpu_share": 0.1}
    return figures | {"per_second": per_second, "failures": failures}


def test_a_ratio_is_of_what_was_measured_in_the_same_repeat(report: ModuleType) -> None:
    assert report.ratios([50, 300, 80], [100, 400, 100]) == {"median": 0.75, "min": 0.5, "max": 0.8}


@pytest.mark.parametrize(
    ("target", "at_most", "expected"),
    [
        (0.7, False, "at least 0.7: met"),
        (0.9, False, "at least 0.9: **missed**"),
        (2.0, True, "at most 2: met"),
        (0.5, True, "at most 0.5: **missed**"),
        (None, False, ""),
    ],
)
def test_a_verdict_says_which_way_the_target_goes(
    report: ModuleType, target: float | None, *, at_most: bool, expected: str
) -> None:
    row = report.row("Encrypt", 16, [measured(80)], "the echo", [100], target=target, at_most=at_most)
    assert report.verdict(row) == expected


def test_failed_calls_are_no_throughput(report: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="failed"):
        report.row("Encrypt", 16, [measured(80, failures=1)], "the echo", [100])


def test_a_figure_has_three_digits_that_mean_something(report: ModuleType) -> None:
    assert [report.number(one) for one in (1234.5, 99.96, 12.34, 0.456)] == ["1234", "100.0", "12.3", "0.46"]


def test_the_documents_show_the_last_run_and_nothing_else() -> None:
    command = [sys.executable, ROOT / "benchmarks" / "pages.py", "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
