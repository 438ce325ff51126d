"""The same as run.py on histories that nobody tuned a constant on: does an improvement hold where it was not sought?

Usage: python3 benches/detection/stress.py [--regimes …] [--seeds 201 202] [--methods filter reference …] [--flakedb PATH]

Exits with 1 where the filter loses clearly to the reference.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment

if __name__ == "__main__":
    environment.enter(HERE / "requirements.txt", environment.ROOT / "target" / "detection" / "venv")

import run

LOSS_F1, LOSS_FALSE = .02, .3  # to the reference, in one regime; false quarantines over all

STRESS = {
    "small-outages": ("oss", {"p_outage": .05, "outage_stay": .5, "outage_frac": (.02, .12)}),
    "stubborn-flakes": ("retry", {"retry_corr": .7}),
    "large": ("oss", {"n_tests": 2000, "n_modules": 40, "days": 30}),
    "no-changes": ("oss", {"pr_per_day": 0, "main_per_day": 10}),
    "only-changes": ("oss", {"pr_per_day": 10, "main_per_day": 0}),
    "bursts": ("oss", {"kinds": {"bursty": 1.0}}),
    "groups": ("oss", {"kinds": {"cluster": 0.8, "bernoulli": 0.2}, "share_flaky": .08}),
    "few-tests": ("oss", {"n_tests": 30, "n_modules": 3, "share_flaky": .1}),
    "lasting-breakage": ("oss", {"p_regress": .08, "regress_life": (25.0, .8)}),
    "slow": ("oss", {"main_per_day": 2, "pr_per_day": 1, "days": 120}),
    "noisy": ("google", {"share_flaky": .25}),
    "one-commit-breakage": ("churn", {"regress_life": (1.0, .3), "p_rerun": 0.0}),
}


def main():
    wanted = run.arguments(__doc__, STRESS, [201, 202])
    rows = run.show(run.contest(STRESS, wanted))
    name = run.judged(rows)
    if "reference" not in rows or name == "reference":
        return 0
    (own, regimes), (peer, peers) = rows[name], rows["reference"]
    print(f"\n{name}")
    kept = [own["false"] <= peer["false"] + LOSS_FALSE]
    label = f"at most {LOSS_FALSE} more false quarantines per 100 tests than the reference"
    print(f"{'PASS' if kept[0] else 'FAIL'}  {label}: {own['false']:.2f} to {peer['false']:.2f}")
    for label, found in regimes.items():
        kept.append(found["f1"] >= peers[label]["f1"] - LOSS_F1)
        print(f"{'PASS' if kept[-1] else 'FAIL'}  {label}: F1 at most {LOSS_F1} below it: {found['f1']:.3f} to {peers[label]['f1']:.3f}")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
