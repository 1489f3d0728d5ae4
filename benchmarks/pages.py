"""Writes what the documents show of the measurements, from the files in docs/performance: nothing is typed by hand.

::

    docs/performance/results.json   of bench.py
    docs/performance/scale.json     of scale.py
    docs/performance/profile.json   of cpu_profile.py
    → docs/performance.md, docs/performance/chart.svg, and the table in README.md

`--check` writes nothing and fails if they are not what these files say.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from report import chart, machine_line, report, targets
from report_scale import profile_report, scale_report

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "performance"
_BEGIN, _END = "<!-- of the last run -->\n", "<!-- end -->"

INTRODUCTION = """\
# Performance

What `make bench` printed last, and what it was run on. Figures of one machine say little about another; ratios of what
was measured in one run, in turn, carry over better. Read them so:

- **The bare echo** is a `grpc.aio` server that parses the same requests and answers messages of the same size, and does
  nothing else: what Python's gRPC costs. An operation at 1.00 of it would be free.
- **Everything is on** unless a row says otherwise: authentication by token or signature, policies, the audit log (which
  cannot be turned off). One server process, one Postgres on the same machine.
- **Imports** each need a wrapping key of their own. A pool of them makes bursts cheap; for long, no service can hand out
  more than the machine's cores make.
- **moto and LocalStack** are mocks for tests: they check no signature and keep nothing. They stand here because they
  answer the same calls.
- The load comes from processes that speak as little HTTP/2 and HTTP/1.1 as a call needs. They share the cores with what
  they measure, on both sides of each ratio.
"""

REPEAT = """\
## Repeat it

```sh
make bench           # about eight minutes on two cores; writes this page
make bench QUICK=1   # one short repeat, to try it; writes build/bench/ alone
make bench-profile   # where the time of each operation goes
make bench-scale     # 1,000 keys beside 100,000; with MILLION=1 beside 1,000,000 too
```

They need a package index for the peers and for the profiler, which are installed apart, at locked versions. The load
average that is printed tells whether the machine was quiet.
"""


def pages() -> dict[Path, str]:
    """Return what each file is to contain."""
    results = _read("results")
    readme = ROOT / "README.md"
    shown = f"{_BEGIN}{targets(results)}\n{machine_line(results)}\n{_END}"
    return {
        ROOT / "docs" / "performance.md": "\n".join(_page(results)),
        FOLDER / "chart.svg": chart(results),
        readme: re.sub(
            f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: shown, readme.read_text(), flags=re.DOTALL
        ),
    }


def _page(results: dict[str, Any]) -> list[str]:
    parts = [
        INTRODUCTION,
        "## The last run\n",
        report(results),
        "![Ratios by their targets](performance/chart.svg)\n",
    ]
    if (FOLDER / "profile.json").exists():
        parts += ["## Where the time goes\n", profile_report(_read("profile"))]
    if (FOLDER / "scale.json").exists():
        parts += ["## With many keys\n", scale_report(_read("scale"))]
    return [*parts, REPEAT]


def _read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    for path, content in pages().items():
        if is_check and path.read_text() != content:
            sys.exit(f"{path.relative_to(ROOT)} is not what the last run says: run benchmarks/pages.py")
        if not is_check:
            path.write_text(content)


if __name__ == "__main__":
    main()
