"""The reports of ``scale.py`` and of ``cpu_profile.py``."""

from collections.abc import Mapping
from typing import Any

from report import machine_line, number

LARGEST_SCALE_RATIO = 1.2


def scale_report(results: Mapping[str, Any]) -> str:
    """Return what each operation costs by the number of keys, as Markdown."""
    sizes = [str(size) for size in results["sizes"]]
    first, *others = sizes
    heads = [
        *(f"{int(size):,} keys" for size in sizes),
        *(f"{int(size):,} by {int(first):,}" for size in others),
    ]
    lines = [
        machine_line(results),
        "Median milliseconds of a call, one in flight, unless a row says otherwise.",
        f"At most {LARGEST_SCALE_RATIO:g} times the figure of {int(first):,} keys is the target.",
        "",
        f"| what | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for name, figures in results["figures"].items():
        cells = [number(figures[size]) for size in sizes]
        for size in others:
            ratio = figures[size] / figures[first] if figures[first] else 0.0
            cells.append(f"{ratio:.2f}{'' if ratio <= LARGEST_SCALE_RATIO else ' **missed**'}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def profile_report(results: Mapping[str, Any]) -> str:
    """Return which part of the program each operation's samples were in, as Markdown."""
    names = list(results["operations"])
    rooms = sorted(
        {room for one in results["operations"].values() for room in one["rooms"]},
        key=lambda room: -sum(one["rooms"].get(room, 0) for one in results["operations"].values()),
    )
    lines = [
        machine_line(results),
        "Each operation's share of the server's samples, in per cent, by the innermost part of the program that was",
        "running; what libraries do in C counts as the part that called them. 16 calls in flight.",
        "",
        f"| part | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for room in rooms:
        cells = []
        for one in results["operations"].values():
            share = 100 * one["rooms"].get(room, 0) / max(sum(one["rooms"].values()), 1)
            cells.append(f"{share:.0f}" if share >= 1 else "")
        if any(cells):
            lines.append(f"| {room} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
