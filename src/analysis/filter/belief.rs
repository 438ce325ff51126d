//! What the filter believes of one test, and how a revision and a result change it.
//!
//! Two hidden causes make a test fail: it is flaky (a slow class of flake rate, [`RATES`]), or the
//! code under it is broken (a bit for each line of revisions, which can change only between two of
//! them). Both are believed in at once, as P(class) and P(broken | class); a result is weighed
//! against all combinations, which is exact while the class stands still.

use super::model::{CLASSES, Classes, FIRST_ACTIONABLE, Model, RATES, flaky_shares};

/// A result as the filter reads it: failed attempts, and whether a passing one followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Failed attempts of the run; none for a clean pass.
    pub failed: u16,
    /// The last attempt passed.
    pub passed: bool,
}

impl Observed {
    /// A pass at the first attempt.
    pub const PASS: Self = Self { failed: 0, passed: true };
    /// A failure without another attempt.
    pub const FAIL: Self = Self { failed: 1, passed: false };

    /// The first attempt failed.
    #[must_use]
    pub const fn troubled(self) -> bool {
        self.failed > 0
    }

    /// Failed and passed within the run.
    #[must_use]
    pub const fn retried(self) -> bool {
        self.failed > 0 && self.passed
    }
}

/// What the run around a result explains of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstance {
    /// Probability that the run, or the test's module in it, was an outage.
    pub outage: f64,
    /// The share of tests that failed there.
    pub share: f64,
    /// Probability that the revision broke this test among a group.
    pub bad_commit: f64,
}

impl Circumstance {
    /// Nothing special.
    pub const USUAL: Self = Self { outage: 0.0, share: 0.5, bad_commit: 0.0 };
}

/// How likely a result is: for each class on sound code, and on broken code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// On sound code, by class.
    pub sound: Classes,
    /// On broken code, whatever the class.
    pub broken: f64,
    /// The part of both that is the outage's: the same for every state.
    pub outage: f64,
}

impl Likelihood {
    /// Of a result in its circumstances.
    #[must_use]
    pub fn of(model: &Model, observed: Observed, around: &Circumstance) -> Self {
        let passes = model.broken_passes;
        let mut sound = RATES;
        let mut broken = 1.0 - passes;
        if observed.failed == 0 {
            sound = RATES.map(|rate| 1.0 - rate);
            broken = passes;
        } else if observed.failed > 1 || observed.passed {
            let more = i32::from(observed.failed) - 1;
            for (likelihood, rate) in sound.iter_mut().zip(RATES) {
                let again = model.fails_again + (1.0 - model.fails_again) * rate;
                let ended = if observed.passed { 1.0 - again } else { 1.0 };
                *likelihood *= again.powi(more) * ended;
            }
            broken *= (1.0 - passes).powi(more) * if observed.passed { passes } else { 1.0 };
        }
        let outage = around.outage;
        if outage <= 0.0 {
            return Self { sound, broken, outage: 0.0 };
        }
        let q = around.share;
        let out = match (observed.failed, observed.passed) {
            (0, _) => 1.0 - q,
            (failed, true) => 0.5 * q.powi(i32::from(failed)),
            (failed, false) => q.powi(i32::from(failed)),
        };
        Self {
            sound: sound.map(|likelihood| (1.0 - outage) * likelihood + outage * out),
            broken: (1.0 - outage) * broken + outage * out,
            outage: outage * out,
        }
    }
}

/// P(broken | class) on one line.
pub type Broken = Classes;

/// P(broken | class) where a revision that the test did not see yet is reached.
///
/// `main` is the main line's belief where this is a branch; `virgin` on a line's first run.
#[must_use]
pub fn next_revision(model: &Model, broken: Option<&Broken>, main: Option<&Broken>) -> Broken {
    let (breaks, mends) = match main {
        None => (model.breaks_main, model.mends_main),
        Some(_) => (model.breaks_branch, model.mends_branch),
    };
    let own = match broken {
        None => [breaks; CLASSES],
        Some(broken) => broken.map(|p| p * (1.0 - mends) + (1.0 - p) * breaks),
    };
    let Some(main) = main else { return own };
    let reach = if broken.is_none() { 1.0 } else { model.inherits };
    let mut joined = own;
    for (own, main) in joined.iter_mut().zip(main) {
        *own = 1.0 - (1.0 - *own) * (1.0 - main * reach);
    }
    joined
}

/// The slow change of a test's class with each revision of the main line.
#[derive(Debug, Clone, Copy)]
pub struct Drift {
    becomes_flaky: Classes,
    redraws: Classes,
    stays_healthy: f64,
    becomes_healthy: f64,
    stays_flaky: f64,
}

impl Drift {
    /// The drift of a model.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let shares = flaky_shares();
        Self {
            becomes_flaky: shares.map(|share| share * model.becomes_flaky),
            redraws: shares.map(|share| share * model.changes_rate),
            stays_healthy: 1.0 - model.becomes_flaky,
            becomes_healthy: model.becomes_healthy,
            stays_flaky: 1.0 - model.becomes_healthy - model.changes_rate,
        }
    }

    /// For each class, what is to be expected of `later` at the next revision: the transpose of
    /// [`apply`](Self::apply).
    #[must_use]
    pub fn expected(&self, later: &Classes) -> Classes {
        let weighed =
            |by: &Classes| later.iter().zip(by).map(|(later, by)| later * by).sum::<f64>();
        let (redrawn, flaky) = (weighed(&self.redraws), weighed(&self.becomes_flaky));
        let healthy = later[0];
        let mut expected =
            later.map(|later| later * self.stays_flaky + redrawn + healthy * self.becomes_healthy);
        expected[0] = healthy * self.stays_healthy + flaky;
        expected
    }

    /// Moves the classes to the next revision.
    pub fn apply(&self, classes: &mut Classes) {
        let healthy = classes[0];
        let flaky: f64 = classes[1..].iter().sum();
        for ((class, becomes), redraws) in
            classes.iter_mut().zip(self.becomes_flaky).zip(self.redraws)
        {
            *class = *class * self.stays_flaky + (healthy * becomes + flaky * redraws);
        }
        classes[0] = healthy * self.stays_healthy + flaky * self.becomes_healthy;
    }
}

/// Adds the weight of a bad commit to P(broken | class).
pub fn suspect_commit(broken: &mut Broken, bad_commit: f64) {
    if bad_commit > 0.0 {
        for p in broken.iter_mut() {
            *p += (1.0 - *p) * bad_commit;
        }
    }
}

/// Weighs a result: Bayes' rule over class and breakage at once.
pub fn weigh(classes: &mut Classes, broken: &mut Broken, likelihood: &Likelihood) {
    let mut sum = 0.0;
    for ((class, broken), sound) in classes.iter_mut().zip(broken.iter_mut()).zip(likelihood.sound)
    {
        let by_breakage = *broken * likelihood.broken;
        let both = by_breakage + (1.0 - *broken) * sound;
        *broken = by_breakage / both;
        *class *= both;
        sum += *class;
    }
    for class in classes.iter_mut() {
        *class /= sum;
    }
}

/// Probability that a test fails in its next attempt.
#[must_use]
pub fn fails(model: &Model, classes: &Classes, broken: &Broken) -> f64 {
    let passes = model.broken_passes;
    let by_class = |((class, broken), rate): ((&f64, &f64), f64)| {
        class * (broken * (1.0 - passes) + (1.0 - broken) * rate)
    };
    classes.iter().zip(broken).zip(RATES).map(by_class).sum()
}

/// P(flaky at a rate worth acting on): the score.
#[must_use]
pub fn actionable(classes: &Classes) -> f64 {
    classes[FIRST_ACTIONABLE..].iter().sum()
}

/// P(flaky at any rate).
#[must_use]
pub fn flaky(classes: &Classes) -> f64 {
    classes[1..].iter().sum()
}

/// P(broken) on a line, whatever the class.
#[must_use]
pub fn broken(classes: &Classes, broken: &Broken) -> f64 {
    classes.iter().zip(broken).map(|(class, broken)| class * broken).sum()
}
