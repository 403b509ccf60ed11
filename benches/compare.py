#!/usr/bin/env python3
"""Runs the jobs of table.py on an old and a new rechat in turn, and fails where the new one costs too much.

    benches/compare.py OLD NEW --lab LAB [--rounds 5] [--secs 2] [--only post,get,...] [--allowed 10]

Each round runs a job on one program and then on the other, every second round the other way around, so
that what else the machine does meets both. The ratio of a row is the median of the rounds' ratios: above
1.00 the new program is better. It fails where a ratio is worse than --allowed percent; where processor
time was measured, only if the ratio of that is worse too, for it is disturbed least by what else runs.
Waiting, as for a disk or a lock, takes no processor time: it also fails where a rate alone is worse than
--allowed-rate percent, or the p99 of paced deliveries (job `pace`) worse than --allowed-p99 percent.
"""

import os
import shutil
import statistics
import sys

from table import PACED, Bench, options_of


def is_better_when_smaller(unit):
    return unit in ("bytes", "µs")


def ratios(old, new):
    """How much better the new program is, for each round: by its figure, by processor time, and by p99."""
    for (unit, before, cpu_before, p99_before), (_, after, cpu_after, p99_after) in zip(old, new):
        if min(before, after) <= 0:
            # A time that is less than what starting any program takes.
            continue
        figure = before / after if is_better_when_smaller(unit) else after / before
        cpu = cpu_before / cpu_after if cpu_before and cpu_after else None
        yield figure, cpu, p99_before / p99_after if p99_before and p99_after else None


def compare(old, new, options):
    """Prints a row for each measurement; gives the names of those that are worse than is allowed."""
    print("| job | old | CPU | new | CPU | ratio | rounds | CPU ratio | p99 ratio |\n" + "| --- " * 9 + "|")
    worse = []
    for row, runs in old.rows.items():
        pairs = list(ratios(runs, new.rows[row]))
        if not pairs:
            worse.append(f"{row} (not measured)")
            continue
        figures = [figure for figure, _, _ in pairs]
        ratio, cpu, p99 = (statistics.median(known) if (known := [one for one in each if one]) else None
                           for each in zip(*pairs))
        cells = []
        for each in (runs, new.rows[row]):
            figure, spent = (statistics.median(run[i] for run in each) for i in (1, 2))
            cells += [f"{figure:,.0f} {runs[0][0]}", f"{spent:.2f} µs" if spent else ""]
        spread = f"{min(figures):.2f} to {max(figures):.2f}"
        told = " | ".join(f"{one:.2f}" if one else "" for one in (cpu, p99))
        print(f"| {row} | {' | '.join(cells)} | {ratio:.2f} | {spread} | {told} |")
        if max(ratio, cpu or 0) < 1 - options.allowed / 100 or ratio < 1 - options.allowed_rate / 100:
            worse.append(f"{row} ({ratio:.2f})")
        # Elsewhere the client sends as fast as it can, and p99 tells of the rate.
        elif PACED in row and p99 and p99 < 1 - options.allowed_p99 / 100:
            worse.append(f"{row} (p99 {p99:.2f})")
    return worse


def main():
    parser = options_of(__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--allowed", type=float, default=10, help="percent that the new program may be worse")
    parser.add_argument("--allowed-rate", type=float, default=25, help="the same, for a rate alone")
    parser.add_argument("--allowed-p99", type=float, default=50, help="the same, for the p99 of paced deliveries")
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
    if worse := compare(*benches, options):
        sys.exit("worse than before: " + ", ".join(worse))


if __name__ == "__main__":
    main()
