"""The results as a table and as a picture."""

from collections.abc import Iterator
from html import escape
from statistics import median
from typing import Any

# What the ratios are to reach, by subject; of the bare echo if nothing else is said.
TARGETS = {
    ("Encrypt", "keyferry"): 0.7,
    ("GenerateDataKey", "keyferry"): 0.7,
    ("Encrypt", "open"): 0.9,
    ("GenerateDataKey", "open"): 0.9,
    "GetParametersForImport RSA_2048, full pool": 0.8,
    "GetParametersForImport RSA_2048, sustained": 0.9,
    "GetParametersForImport RSA_3072, sustained": 0.9,
    "GetParametersForImport RSA_4096, sustained": 0.9,
    "ImportKeyMaterial RSA_2048": 0.5,
    "Encrypt, 16 in flight": 10.0,
}
LARGEST_P99_RATIO = 2.0
LONGEST_START_SECONDS = 1.5
_WIDTH, _ROW, _LABEL, _BAR = 760, 24, 330, 380


def report(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: dict[str, Any]) -> Iterator[str]:
    machine = results["machine"]
    yield (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}; load average {machine['load_before'][0]} before and "
        f"{machine['load_after'][0]} after. {results['repeats']} repeats of {results['seconds_each']:g} s each, "
        f"{results['began_at']}."
    )
    yield ""
    yield "A ratio is the median of the repeats; the smallest and the largest are in brackets."
    yield ""
    if "hot" in results:
        yield "| operation | in flight | calls/s | p50 ms | p99 ms | server CPU ms | of the bare echo's calls/s | of its CPU | target |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for one in results["hot"]:
            for server in ("keyferry", "open"):
                if server in one["ratios"]:
                    yield _hot(one, server)
        yield ""
    beside = [*results.get("beside", ()), *results.get("peers", ())]
    if beside:
        yield "| what | calls/s | beside | calls/s | ratio | target |"
        yield "|---|---|---|---|---|---|"
        for one in beside:
            target = TARGETS.get(one["subject"])
            yield (
                f"| {one['subject']} | {one['per_second']:.0f} | {one['beside']} | {one['beside_per_second']:.0f} "
                f"| {_ratio(one['ratios'])} | {_verdict(one['ratios']['median'], target)} |"
            )
        yield ""
    if "p99" in results:
        p99 = results["p99"]
        met = p99["ratios"]["median"] <= LARGEST_P99_RATIO
        yield (
            f"p99 of Encrypt: {median(p99['alone_ms']):.2f} ms alone, {median(p99['beside_imports_ms']):.2f} ms while "
            f"wrapping keys are made on all cores: {_ratio(p99['ratios'])} times, at most {LARGEST_P99_RATIO:g} is the "
            f"target ({'met' if met else 'missed'}). pgbench gets {results['pgbench_inserts_per_second']:.0f} inserts a "
            "second of a row as large as an import token's."
        )
        yield ""
    if "idling" in results:
        idle = results["idling"]
        met = median(idle["start_seconds"]) < LONGEST_START_SECONDS
        yield (
            f"A start takes {median(idle['start_seconds']):.2f} s until the ready line (target: less than "
            f"{LONGEST_START_SECONDS} s, {'met' if met else 'missed'}). A server that nobody calls has "
            f"{median(idle['resident_mib']):.0f} MiB resident and uses {median(idle['idle_cores']) * 100:.1f} % of a core."
        )
        yield ""
    if "not_measured" in results:
        yield f"Not measured: {results['not_measured']}."


def _hot(one: dict[str, Any], server: str) -> str:
    several = one["results"][server]
    name = one["method"] + ("" if server == "keyferry" else ", without authentication")
    target = TARGETS.get((one["method"], server)) if one["in_flight"] > 1 else None
    return (
        f"| {name} | {one['in_flight']} | {_median(several, 'per_second'):.0f} | {_median(several, 'p50_ms'):.2f} "
        f"| {_median(several, 'p99_ms'):.2f} | {_median(several, 'cpu_ms_per_call'):.3f} | {_ratio(one['ratios'][server])} "
        f"| {_ratio(one['cpu_ratios'][server])} | {_verdict(one['ratios'][server]['median'], target)} |"
    )


def _median(several: list[dict[str, float]], name: str) -> float:
    return median(one[name] for one in several)


def _ratio(ratios: dict[str, float]) -> str:
    return f"{ratios['median']:.2f} ({ratios['min']:.2f} to {ratios['max']:.2f})"


def _verdict(ratio: float, target: float | None) -> str:
    if target is None:
        return ""
    return f"{target:g}, {'met' if ratio >= target else 'missed'}"


def chart(results: dict[str, Any]) -> str:
    """Return the ratios as a picture: a bar each, its spread, and the target as a stroke."""
    bars = list(_bars(results))
    height = _ROW * (len(bars) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        '<text x="8" y="16">Share of what is possible beside it (1.0 at the right); red: the target</text>',
    ]
    for number, (label, ratios, target) in enumerate(bars):
        y = _ROW * (number + 1) + 6
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        parts.append(
            f'<rect x="{_LABEL}" y="{y}" width="{_x(ratios["median"])}" height="16" fill="#4a7fb5"/>'
            f'<line x1="{_LABEL + _x(ratios["min"])}" x2="{_LABEL + _x(ratios["max"])}" y1="{y + 8}" y2="{y + 8}" stroke="black"/>'
        )
        if target is not None:
            x = _LABEL + _x(target)
            parts.append(
                f'<line x1="{x}" x2="{x}" y1="{y - 2}" y2="{y + 18}" stroke="#c03030" stroke-width="2"/>'
            )
        parts.append(
            f'<text x="{min(_LABEL + _x(ratios["max"]) + 6, _WIDTH - 36)}" y="{y + 12}">{ratios["median"]:.2f}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(ratio: float) -> float:
    return round(min(ratio, 1.05) * _BAR / 1.05, 1)


def _bars(results: dict[str, Any]) -> Iterator[tuple[str, dict[str, float], float | None]]:
    for one in results.get("hot", ()):
        if one["in_flight"] != 1:
            label = f"{one['method']}, {one['in_flight']} in flight / echo"
            yield label, one["ratios"]["keyferry"], TARGETS.get((one["method"], "keyferry"))
    for one in results.get("beside", ()):
        yield one["subject"], one["ratios"], TARGETS.get(one["subject"])
