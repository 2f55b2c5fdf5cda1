"""Rounds, ratios and tables: what all parts of benches/run print.

Every round runs each target once, in rotated order, so that the drift of a shared machine hits all alike. Ratios are
medians of per-round ratios. CPU is the run time of all threads of a target's process tree (/proc/PID/task/*/schedstat).
"""

import os
import pathlib
import platform
import re
import statistics
import subprocess

from stand import cpu_between

ROOT = pathlib.Path(__file__).resolve().parent.parent


def rounds(count, targets, measure):
    """`measure` of every target in every round, by name."""
    seen = {target.name: [] for target in targets}
    for number in range(count):
        turn = number % len(targets)
        for target in targets[turn:] + targets[:turn]:
            seen[target.name].append(measure(target))
    return seen


def ratios(seen, name, base, field):
    return [one[field] / other[field] for one, other in zip(seen[name], seen[base]) if other[field]]


def times(seen, name, base, field):
    """`1.23 (1.20–1.31)`: the median of the rounds' ratios, and their range."""
    each = ratios(seen, name, base, field)
    return f"{statistics.median(each):.2f} ({min(each):.2f}–{max(each):.2f})" if each else "–"


def median(seen, name, field):
    return statistics.median(one[field] for one in seen[name])


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def load(stand, target, *words):
    """Runs a load tool against a target; gives its output's first line and the target's CPU in ns."""
    before = target.cpu()
    verb, *rest = words
    argv = [stand.tools / "load", verb, f"127.0.0.1:{target.port}", target.cookie, *map(str, rest)]
    out = subprocess.run(argv, capture_output=True, text=True)
    if out.returncode != 0:
        raise SystemExit(f"load {verb} against {target.name}: {out.stderr[-500:]}")
    return out.stdout.split(), cpu_between(before, target.cpu())


def facts(options):
    def say(*argv):
        done = subprocess.run(argv, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"- {os.cpu_count()} cores ({model[1] if model else platform.machine()}), Linux {platform.release()}, "
          f"load before the run {os.getloadavg()[0]:.1f}")
    print(f"- {say('nginx', '-v')}; {say('wrk', '-v').split(' Copyright')[0]}; {say('rustc', '-V')}; "
          f"Sidegate {say('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD')}")
    print(f"- {options.rounds} interleaved rounds of {options.seconds} s; ratios are medians of per-round ratios, with "
          f"their range\n", flush=True)
