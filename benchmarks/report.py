"""The results as a table and as a picture, and the arithmetic of both.

A row compares a subject with something that was measured right beside it, repeat
for repeat. Its ratio is ours by theirs; where less is better, a target is the most
that the ratio may be.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from statistics import median
from typing import Any

MACHINE_FACTS = "{cpu}, {cores} cores, {memory_gib} GiB, {system}, Python {python}"
LONGEST_START_SECONDS = 1.5
_WIDTH, _ROW, _LABEL, _BAR, _MARK = 800, 22, 370, 380, 16


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Return the median, the smallest and the largest ratio of two series that were measured in turn."""
    each = [one / other for one, other in zip(ours, theirs, strict=True) if other]
    return {"median": median(each), "min": min(each), "max": max(each)} if each else {}


def row(
    subject: str,
    in_flight: int,
    ours: Sequence[Mapping[str, float]],
    beside: str,
    theirs: Sequence[float],
    *,
    their_cpu: Sequence[float] = (),
    figure: str = "per_second",
    target: float | None = None,
    at_most: bool = False,
) -> dict[str, Any]:
    """Return one line of the report: our results in every repeat, and the other's figure."""
    if any(one["failures"] for one in ours):
        raise RuntimeError(f"{subject}: calls failed")
    return {
        "subject": subject,
        "in_flight": in_flight,
        "ours": [dict(one) for one in ours],
        "beside": beside,
        "theirs": list(theirs),
        "their_cpu_ms": list(their_cpu),
        "figure": figure,
        "ratios": ratios([one[figure] for one in ours], theirs),
        "target": target,
        "at_most": at_most,
    }


def is_met(one: Mapping[str, Any]) -> bool | None:
    """Tell whether the median ratio reaches the row's target; None if it has none."""
    if one["target"] is None:
        return None
    reached = one["ratios"]["median"]
    return bool(reached <= one["target"] if one["at_most"] else reached >= one["target"])


def verdict(one: Mapping[str, Any]) -> str:
    """Return the target and whether it is met, in words."""
    met = is_met(one)
    if met is None:
        return ""
    return (
        f"{'at most' if one['at_most'] else 'at least'} {one['target']:g}: {'met' if met else '**missed**'}"
    )


def report(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    return "\n".join(_lines(results)) + "\n"


def machine_line(results: Mapping[str, Any]) -> str:
    """Return what it was measured on, and when."""
    return f"{MACHINE_FACTS.format(**results['machine'])}; {results['began_at']}."


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    machine = results["machine"]
    yield machine_line(results)
    yield (
        f"{results['repeats']} repeats of {results['seconds_each']:g} s each, what is compared in turn; load average "
        f"{machine['load_before'][0]} before and {machine['load_after'][0]} after. "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + "."
    )
    yield ""
    yield "| operation | in flight | calls/s | p50 ms | p99 ms | server CPU ms | beside it | its figure | its CPU ms | ratio (least to most) | target |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    yield from (_cells(one) for one in results["rows"])
    yield ""
    shares = [each["client_cpu_share"] for one in results["rows"] for each in one["ours"]]
    yield (
        f"Whoever sent the load used at most {max(shares) * 100:.0f} % of a core, {median(shares) * 100:.0f} % in the "
        "median."
    )
    if "idling" in results:
        idle = results["idling"]
        met = median(idle["start_seconds"]) < LONGEST_START_SECONDS
        yield (
            f"A start takes {median(idle['start_seconds']):.2f} s until the ready line (less than "
            f"{LONGEST_START_SECONDS} s is the target: {'met' if met else '**missed**'}). A server that nobody calls has "
            f"{median(idle['resident_mib']):.0f} MiB resident and uses {median(idle['idle_cores']) * 100:.1f} % of a core."
        )
    for name, reason in results.get("not_measured", {}).items():
        yield f"Not measured: {name}, because {reason}."


def _cells(one: Mapping[str, Any]) -> str:
    def ours(name: str) -> float:
        return float(median(each[name] for each in one["ours"]))

    their_cpu = f"{median(one['their_cpu_ms']):.3f}" if one["their_cpu_ms"] else ""
    unit = {"p99_ms": " ms", "per_second": "/s"}[one["figure"]]
    return (
        f"| {one['subject']} | {one['in_flight']} | {number(ours('per_second'))} | {ours('p50_ms'):.2f} "
        f"| {ours('p99_ms'):.2f} | {ours('cpu_ms_per_call'):.3f} | {one['beside']} "
        f"| {number(median(one['theirs']))}{unit} | {their_cpu} "
        f"| {spread(one['ratios'])} | {verdict(one)} |"
    )


def number(value: float) -> str:
    """Return a figure with three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 -- digits


def spread(several: Mapping[str, float]) -> str:
    """Return a ratio with the smallest and the largest of the repeats."""
    return f"{several['median']:.2f} ({several['min']:.2f} to {several['max']:.2f})"


def targets(results: Mapping[str, Any]) -> str:
    """Return the rows that have a target, as a short table for whoever reads one page only."""
    lines = ["| what | beside it | ratio | target |", "|---|---|---|---|"]
    lines += [
        f"| {one['subject']}, {one['in_flight']} in flight | {one['beside']} | {spread(one['ratios'])} | {verdict(one)} |"
        for one in results["rows"]
        if one["target"] is not None
    ]
    return "\n".join(lines) + "\n"


def chart(results: Mapping[str, Any]) -> str:
    """Return the ratios that have a target as a picture: each by its target, which is the red line.

    Where less is better the ratio is turned around, so that reaching the line is always good.
    """
    bars = [(label, *_scaled(one)) for one in results["rows"] if one["target"] for label in [_label(one)]]
    height = _ROW * (len(bars) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        '<text x="8" y="16">Each ratio by its target, which is the red line; black: from the least to the most of the repeats</text>',
    ]
    for place, (label, middle, least, most) in enumerate(bars):
        y = _ROW * (place + 1) + 4
        color = "#4a7fb5" if middle >= 1 else "#c98a3a"
        parts.append(
            f'<text x="{_LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{y}" width="{_x(middle)}" height="{_MARK}" fill="{color}"/>'
            f'<line x1="{_LABEL + _x(least)}" x2="{_LABEL + _x(most)}" y1="{y + 8}" y2="{y + 8}" stroke="black"/>'
            f'<text x="{_LABEL + _BAR + 6}" y="{y + 12}">{middle:.2f}</text>'
        )
    line = _LABEL + _x(1)
    parts.append(
        f'<line x1="{line}" x2="{line}" y1="{_ROW}" y2="{height - _ROW // 2}" stroke="#c03030" stroke-width="2"/>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _label(one: Mapping[str, Any]) -> str:
    return f"{one['subject']}, {one['in_flight']} in flight"


def _scaled(one: Mapping[str, Any]) -> tuple[float, float, float]:
    values = [one["ratios"][name] for name in ("median", "min", "max")]
    middle, least, most = (
        one["target"] / value if one["at_most"] else value / one["target"] for value in values
    )
    return middle, min(least, most), max(least, most)


def _x(share: float) -> float:
    return round(min(share, 2.0) * _BAR / 2, 1)
