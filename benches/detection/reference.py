"""The filter that `flakedb report` judges by, as a reference in numpy: plain, slow, and independent of the Rust code.

Each test has a hidden flake rate (one of eight classes, changing slowly) and, on each branch, a hidden bit "broken" that
changes between commits only. Before the update of a run, the number of tests that failed together is explained: as usual
flakes, as a group that flakes together, as a bad commit, or as an outage.

    detector = FilterGuard(tests); detector.step(history, r) for each run r; detector.labels() -> flaky, broken, score

Nothing here reads the hidden truth of a simulated history, except CauseOracle, which is the ceiling.
"""

import math

import numpy as np

RATES = np.array([2e-5, .003, .01, .03, .08, .2, .4, .65])  # failures per execution; class 0 is healthy
WEIGHTS = np.array([0, .22, .24, .20, .14, .11, .06, .03])  # of the flaky classes
PRIOR_FLAKY = .10
ACTIONABLE = .008  # classes above this rate count for the score
BREAKS = {"main": 3e-4, "other": 4e-3}  # chance that a commit breaks a test
MENDS = {"main": .20, "other": .35}  # chance that a commit mends a broken test
BAD_COMMIT = {"main": .02, "other": .15}
BORN_BROKEN = .2  # of a test's first run ever
PASSES_BROKEN = .005  # chance that a broken test passes
AGAIN = .25  # a flake's retry fails with AGAIN + (1 - AGAIN) rate
BECOMES_FLAKY, BECOMES_HEALTHY, CHANGES_RATE = 2.5e-4, .003, .003  # for each commit of the main branch
OUTAGE, SYSTEMIC, TAIL = .01, .1, 5 / 6
RECURS, JACCARD, REMEMBERED = 20, .5, 40  # a group that failed together before: odds for "systemic"
BRANCHES_KEPT = 80
FLAKY_FROM, FLAKY_UNTIL, BROKEN_FROM = .35, .25, .9


class Filter:
    """The posterior: P[test, class], and P(broken | class) for each branch."""

    def __init__(self, tests):
        self.weights = WEIGHTS / WEIGHTS.sum()
        prior = np.concatenate([[1 - PRIOR_FLAKY], PRIOR_FLAKY * self.weights[1:]])
        self.P = np.tile(prior, (tests, 1))
        self.branches = {}  # branch -> [P(broken | class), last commit of each test, last commit, time]
        self.seen = np.zeros(tests, int)  # executions
        self.memory = {}  # module -> [(run, tests that failed together)]
        self.commits = {}
        self.outage = np.zeros(tests)  # outage weight of each test in the last run

    def main(self):
        return self.branches["main"][0] if "main" in self.branches else np.zeros_like(self.P)

    def score(self):
        return self.P[:, RATES > ACTIONABLE].sum(1)

    def broken(self):
        return (self.P * self.main()).sum(1)

    def step(self, history, r):
        run, kind = history.runs[r], "main" if history.runs[r].branch == "main" else "other"
        ran = np.flatnonzero(history.first[r] >= 0)
        state, fresh = self.advance(run, kind, ran)
        failed, fails, passes = history.first[r, ran] == 1, history.n_fail[r, ran], history.n_pass[r, ran]
        P, broken = self.P[ran], state[0][ran]
        expected = (P * (broken * (1 - PASSES_BROKEN) + (1 - broken) * RATES)).sum(1)
        outage, share, bad = self.explain(history.module[ran], ran, r, failed, expected, fresh, kind)
        broken = broken + (1 - broken) * bad[:, None]
        self.outage = np.zeros(len(self.P))
        self.outage[ran] = outage
        sound = np.where(failed[:, None], RATES, 1 - RATES)
        stuck = np.where(failed, 1 - PASSES_BROKEN, PASSES_BROKEN)[:, None] * np.ones_like(P)
        more = np.flatnonzero(failed & ((fails > 1) | (passes > 0)))
        if len(more):
            again = AGAIN + (1 - AGAIN) * RATES
            extra, passed = (fails[more] - 1)[:, None], (passes[more] > 0)[:, None]
            sound[more] *= again ** extra * np.where(passed, 1 - again, 1)
            stuck[more] *= (1 - PASSES_BROKEN) ** extra * np.where(passed, PASSES_BROKEN, 1)
        free = np.where(failed, share ** np.maximum(fails, 1) * np.where(passes > 0, .5, 1), 1 - share)[:, None]
        sound = (1 - outage)[:, None] * sound + outage[:, None] * free
        stuck = (1 - outage)[:, None] * stuck + outage[:, None] * free
        likelihood = broken * stuck + (1 - broken) * sound
        state[0][ran] = broken * stuck / likelihood
        P = P * likelihood
        self.P[ran] = P / P.sum(1, keepdims=True)
        self.seen[ran] += 1

    def advance(self, run, kind, ran):
        """Take the tests that run now to this commit: breakage starts or ends, the flake rate may change."""
        state = self.branches.get(run.branch)
        fresh = state is None or state[2] != run.commit
        if state is None:
            state = self.branches[run.branch] = [np.zeros(self.P.shape), np.full(len(self.P), -1), None, run.ts]
        state[2:] = run.commit, run.ts
        commit = self.commits.setdefault(run.commit, len(self.commits))
        new = ran[state[1][ran] != commit]
        if len(new):
            first, broken = (state[1][new] < 0)[:, None], state[0][new]
            broken = np.where(first, BREAKS[kind], broken * (1 - MENDS[kind]) + (1 - broken) * BREAKS[kind])
            if kind == "other":  # what is broken on the main branch is broken here
                broken = 1 - (1 - broken) * (1 - self.main()[new] * np.where(first, 1, .3))
            state[0][new] = np.where((self.seen[new] == 0)[:, None], BORN_BROKEN, broken)
            state[1][new] = commit
            if kind == "main":
                P = self.P[new]
                flaky, moved = P[:, 1:].sum(1), np.empty_like(P)
                moved[:, 0] = P[:, 0] * (1 - BECOMES_FLAKY) + flaky * BECOMES_HEALTHY
                moved[:, 1:] = (P[:, 1:] * (1 - BECOMES_HEALTHY - CHANGES_RATE)
                                + (P[:, 0] * BECOMES_FLAKY + flaky * CHANGES_RATE)[:, None] * self.weights[1:])
                self.P[new] = moved
        if len(self.branches) > BRANCHES_KEPT:
            others = (name for name in self.branches if name not in ("main", run.branch))
            for name in sorted(others, key=lambda name: self.branches[name][3])[:20]:
                del self.branches[name]
        return state, fresh

    @staticmethod
    def reasons(failed, ran, expected, fresh, kind):
        """Weights of usual, systemic, bad commit, outage, where `failed` of `ran` tests failed."""
        expected += .02
        tail = math.log(1 - TAIL) + (failed - 1) * math.log(TAIL)
        usual = failed * math.log(expected) - expected - math.lgamma(failed + 1)
        bad = math.log(BAD_COMMIT[kind]) + (math.log(.4) if failed == 1 else math.log(.6) + tail) if fresh else -1e9
        logs = np.array([usual, math.log(SYSTEMIC) + tail, bad, math.log(OUTAGE) - math.log(ran + 1)])
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    def explain(self, module, ran, r, failed, expected, fresh, kind):
        """For each test that ran: outage weight, share of failures in its scope, breakage to add."""
        n = len(ran)
        outage, share, bad = np.zeros(n), np.full(n, .5), np.zeros(n)
        total = int(failed.sum())
        if total == 0:
            return outage, share, bad
        whole = self.reasons(total, n, float(expected.sum()), fresh, kind)
        everywhere = whole[3] if total >= 3 else 0.0
        outage[:], share[:] = everywhere, np.clip(failed.mean(), .05, .98)
        for m in np.unique(module[failed]):
            here = module == m
            count = int(failed[here].sum())
            weights = self.reasons(count, int(here.sum()), float(expected[here].sum()), fresh, kind)
            if count >= 2:
                known = False
                if weights[3] < .5 and everywhere < .5:
                    group = frozenset(ran[here & failed].tolist())
                    memory = self.memory.setdefault(int(m), [])
                    known = any(then < r - 1 and len(group & other) >= 2 and len(group & other) >= JACCARD * len(group | other)
                                for then, other in memory)
                    memory.append((r, group))
                    del memory[:-REMEMBERED]
                if known:  # the same group failed together before, and recovered
                    weights = weights * np.array([1, RECURS, 1, 1])
                    weights = weights / weights.sum()
                    outage[here] = np.minimum(outage[here], weights[3])
            if count >= 3 and weights[3] > everywhere:
                outage[here], share[here] = weights[3], np.clip(failed[here].mean(), .05, .98)
            if count >= 2:
                bad[here] = weights[2] * (1 - outage[here]) * count / here.sum()
        return outage, share, bad


class FilterGuard(Filter):
    """With the guard of the quarantine: at least one proof on the same commit, or two recovered failures
    (failed on at most two commits of a branch, then passed), both outside outages."""

    name = "reference"

    def __init__(self, tests):
        super().__init__(tests)
        self.trails = {}  # branch -> [failing commits in a row, last commit, failed on it]
        self.evidence, self.same = np.zeros(tests), np.zeros(tests)
        self.flag = np.zeros(tests, bool)

    def step(self, history, r):
        super().step(history, r)
        run, n = history.runs[r], len(self.P)
        trail = self.trails.setdefault(run.branch, [np.zeros(n, int), None, np.zeros(n, bool)])
        failed, passed = history.first[r] == 1, history.first[r] == 0
        excused = self.outage >= .5
        new = trail[1] != run.commit
        trail[1] = run.commit
        retried = failed & (history.n_pass[r] > 0) & ~excused
        self.evidence += (passed & (trail[0] > 0) & (trail[0] <= 2)) | retried
        self.same += retried
        if not new:
            self.same += passed & trail[2] & ~excused
        counts = failed & ~excused & ~retried
        longer = trail[0] + (1 if new else trail[0] == 0)
        trail[0] = np.where(counts, longer, np.where(passed, 0, trail[0]))
        trail[2] = np.where(new, counts, trail[2] | counts)
        if len(self.trails) > BRANCHES_KEPT + 10:
            for name in [name for name in self.trails if name not in ("main", run.branch)][:20]:
                del self.trails[name]

    def labels(self):
        """Flaky, broken, score; evidence of tests that are no longer flaky is forgotten here."""
        score, broken = self.score(), self.broken()
        over = self.P[:, 1:].sum(1) < .05
        self.evidence[over] = self.same[over] = 0
        guard = (self.same >= 1) | (self.evidence >= 2)
        self.flag = ((score >= FLAKY_FROM) & guard) | (self.flag & (score >= FLAKY_UNTIL))
        return self.flag & (broken < BROKEN_FROM), broken >= BROKEN_FROM, score


class CauseOracle:
    """Knows the true cause of each failure, but no rates: what no detector can beat from histories alone."""

    name = "oracle: true causes"

    def __init__(self, tests):
        self.flakes, self.ran = np.zeros(tests), np.zeros(tests)
        self.broken = np.zeros(tests, bool)

    def step(self, history, r):
        active = (history.state[r] & 1) > 0
        self.flakes[~active] = self.ran[~active] = 0
        self.flakes += history.cause[r] == 1
        self.ran += history.first[r] >= 0
        self.broken = (history.state[r] & 2) > 0

    def labels(self):
        return self.flakes >= 1, self.broken, (self.flakes + .28) / (self.ran + 4.15) * (self.flakes > 0)
