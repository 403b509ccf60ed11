#!/usr/bin/env python3
"""Runs the jobs of table.py on an old and a new rechat in turn, and fails where the new one costs too much.

    benches/compare.py OLD NEW --lab LAB [--rounds 5] [--secs 2] [--only post,get,...] [--allowed 10]

Each round runs a job on one program and then on the other, every second round the other way around, so
that what else the machine does meets both. The ratio of a row is the median of the rounds' ratios: above
1.00 the new program is better. It fails where a ratio is worse than --allowed percent; where processor
time was measured, only if the ratio of that is worse too, for it is disturbed least by what else runs.
"""

import os
import shutil
import statistics
import sys

from table import Bench, options_of


def is_better_when_smaller(unit):
    return unit in ("bytes", "µs")


def ratios(old, new):
    """How much better the new program is, for each round: by its figure, and by processor time."""
    for (unit, before, cpu_before, _), (_, after, cpu_after, _) in zip(old, new):
        if min(before, after) <= 0:
            # A time that is less than what starting any program takes.
            continue
        figure = before / after if is_better_when_smaller(unit) else after / before
        yield figure, cpu_before / cpu_after if cpu_before and cpu_after else None


def compare(old, new, allowed):
    """Prints a row for each measurement; gives the names of those that are worse than is allowed."""
    print("| job | old | CPU | new | CPU | ratio | rounds | CPU ratio |\n" + "| --- " * 8 + "|")
    worse = []
    for row, runs in old.rows.items():
        pairs = list(ratios(runs, new.rows[row]))
        if not pairs:
            worse.append(f"{row} (not measured)")
            continue
        figures = [figure for figure, _ in pairs]
        cpus = [cpu for _, cpu in pairs if cpu]
        ratio, cpu = statistics.median(figures), statistics.median(cpus) if cpus else None
        cells = []
        for each in (runs, new.rows[row]):
            figure, spent = (statistics.median(run[i] for run in each) for i in (1, 2))
            cells += [f"{figure:,.0f} {runs[0][0]}", f"{spent:.2f} µs" if spent else ""]
        spread = f"{min(figures):.2f} to {max(figures):.2f}"
        print(f"| {row} | {' | '.join(cells)} | {ratio:.2f} | {spread} | {f'{cpu:.2f}' if cpu else ''} |")
        if max(ratio, cpu or 0) < 1 - allowed / 100:
            worse.append(f"{row} ({ratio:.2f})")
    return worse


def main():
    parser = options_of(__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--allowed", type=float, default=10, help="percent that the new program may be worse")
    options = parser.parse_args()
    options.alone = True
    benches = []
    for program in (options.old, options.new):
        options.rechat = program
        benches.append(Bench(type(options)(**vars(options))))
    try:
        for turn in range(options.rounds):
            for job in options.only.split(","):
                for bench in benches[:: -1 if turn % 2 else 1]:
                    print(os.path.basename(bench.options.rechat), end=" ", file=sys.stderr)
                    getattr(bench, job)()
    finally:
        for bench in benches:
            shutil.rmtree(bench.work, ignore_errors=True)
    if worse := compare(*benches, options.allowed):
        sys.exit("worse than before: " + ", ".join(worse))


if __name__ == "__main__":
    main()
