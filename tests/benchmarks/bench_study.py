"""How often the interval of a comparison holds the effect that a simulated study has.

    python tests/benchmarks/bench_study.py [--trials 1000] [--seed 0]

Prints a table; asserts nothing. A 95 % interval that keeps its word holds the truth in 94 to 96 % of many trials.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace

from scipy import stats

from pointanno.timing.comparison import cells_of, log_ratio
from pointanno.timing.log import make_log
from pointanno.timing.simulated_study import CONDITIONS, Plan, simulate_study
from pointanno.timing.study import study_of

PLANS = {
    "6 people, blocks": Plan(),
    "12 people, blocks": Plan(annotators=12, pictures=12, objects=3),
    "4 people, blocks": Plan(annotators=4),
    "4 people, equal in taste": Plan(annotators=4, taste=0.0),
    "1 person, every picture twice": Plan(annotators=1, pictures=30, taste=0.0, twice=True),
    "2 people, blocks": Plan(annotators=2, taste=0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plan", default="", help="only plans with this in their name")
    options = parser.parse_args()
    print(f"{'study':<32} {'held':>7} {'of':>5}   share (95 %)      median width   s/trial")
    for name, plan in PLANS.items():
        if options.plan in name:
            measure(name, plan, options.trials, options.seed)


def measure(name: str, plan: Plan, trials: int, seed: int) -> None:
    held, widths, begin = 0, [], time.perf_counter()
    for trial in range(trials):
        journal = simulate_study(replace(plan), seed + trial)
        study = study_of(make_log(journal.events, journal.annotators))
        found, _ = log_ratio(cells_of(study.chosen("object")), *CONDITIONS)
        held += found.low <= math.log(plan.ratio) <= found.high
        widths.append(math.exp(found.high - found.low))
    share = stats.binomtest(held, trials).proportion_ci(method="wilson")
    seconds = (time.perf_counter() - begin) / trials
    middle = sorted(widths)[trials // 2]
    print(
        f"{name:<32} {held:>7} {trials:>5}   {held / trials:.3f} ({share.low:.3f}-{share.high:.3f})"
        f"   x {middle:<10.2f}   {seconds:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
