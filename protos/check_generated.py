"""Fails if the committed Python modules of the contract differ from what the generator makes."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = Path("keyferry/v1")


def main() -> None:
    """Generate into an empty folder with the pinned generator and compare file by file."""
    with tempfile.TemporaryDirectory() as folder:
        uv = Path(sys.executable).with_name("uv")
        generator = ["--with-requirements", str(HERE / "generator.lock"), "python", str(HERE / "generate.py")]
        subprocess.run(  # noqa: S603 -- our own generator
            [uv, "run", "--quiet", "--isolated", "--no-project", *generator, "--out", folder], check=True
        )
        made = {path.name for path in (Path(folder) / PACKAGE).glob("*.py*")}
        committed = {path.name for path in (HERE / PACKAGE).glob("*.py*")}
        _, differing, missing = filecmp.cmpfiles(Path(folder) / PACKAGE, HERE / PACKAGE, made, shallow=False)
        stale = sorted({*differing, *missing, *(committed - made)})
    if stale:
        sys.exit(
            f"The generated code is out of date: {', '.join(stale)}. Run `make protos` and commit the result."
        )


if __name__ == "__main__":
    main()
