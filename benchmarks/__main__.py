"""`python -m benchmarks [NAME …]`: prints the table, one program after the other."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.measure import calibration

PROGRAMS = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name.startswith("bench_")]


def main(names: list[str]) -> int:
    print(f"calibration: {calibration() * 1000:.0f} ms for a million multiplications")
    for program in PROGRAMS:
        if names and program.removeprefix("bench_") not in names:
            continue
        for row in importlib.import_module(f"benchmarks.{program}").rows():
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
