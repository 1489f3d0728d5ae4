"""Fails if committed generated code differs from what its generator makes: the contract's modules, the client's methods."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each generator, the folder that it writes to, and which files there are its own.
GENERATED = {
    "protos/generate.py": ("keyferry/v1", "*.py*"),
    "client/generate.py": ("keyferry_client", "*operations.py"),
}


def stale_files(generator: Path, package: str, pattern: str) -> set[str]:
    """Generate into an empty folder with the pinned generator and return the files that are not the same."""
    with tempfile.TemporaryDirectory() as folder:
        uv = Path(sys.executable).with_name("uv")
        locked = ["--with-requirements", str(ROOT / "protos" / "generator.lock")]
        subprocess.run(  # noqa: S603 -- our own generators
            [
                uv,
                "run",
                "--quiet",
                "--isolated",
                "--no-project",
                *locked,
                "python",
                generator,
                "--out",
                folder,
            ],
            check=True,
        )
        makes, keeps = Path(folder) / package, generator.parent / package
        made = {path.name for path in makes.glob(pattern)}
        committed = {path.name for path in keeps.glob(pattern)}
        _, differing, missing = filecmp.cmpfiles(makes, keeps, made, shallow=False)
        return {*differing, *missing, *(committed - made)}


def main() -> None:
    """Compare what every generator makes, file by file."""
    stale = sorted(
        f"{Path(generator).parent / package / name}"
        for generator, (package, pattern) in GENERATED.items()
        for name in stale_files(ROOT / generator, package, pattern)
    )
    if stale:
        sys.exit(
            f"The generated code is out of date: {', '.join(stale)}. Run `make protos` and commit the result."
        )


if __name__ == "__main__":
    main()
