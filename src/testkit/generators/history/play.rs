//! A history as it happens: builds one after another, each with what its tests come to.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{Histories, shuffle};
use super::fate::{Course, Player, Record, TestFate};
use super::written::{History, Run, RunTruth, Sidecar, Truth};
use crate::model::{Lane, Outcome, Timestamp};
use crate::testkit::generators::Stream;
use crate::testkit::generators::junit::words;
use crate::testkit::generators::junit::{Attempt, Case, Module, TestRun, files};

/// 2026-01-05T06:00:00Z, a Monday.
const BEGINS: i64 = 1_767_592_800_000;
const MINUTE_MS: i64 = 60_000;
/// The share of builds that test a revision again, and that test a pull request.
const AGAIN: f64 = 0.125;
const PULL_REQUESTS: f64 = 1.0 / 6.0;
/// The share of red builds that are built again.
const BUILT_AGAIN: f64 = 0.75;
/// The share of tests that an outage takes.
const TAKEN: f64 = 0.8;
/// The first build's number.
const BUILDS_FROM: usize = 4_101;

/// What a build tests.
#[derive(Debug, Clone)]
struct Build {
    /// The place of the last revision of the main line.
    main: usize,
    /// The revision under test.
    revision: String,
    /// The pull request, where it is one.
    pull_request: Option<usize>,
    is_outage: bool,
}

/// Plays a history.
pub(super) fn history(settings: &Histories, stream: &mut Stream) -> History {
    let (builds, revisions) = builds(settings, stream);
    let (_, retries) = settings.size();
    let modules = settings.players(revisions.len(), stream);
    let mut stage =
        Stage { settings, retries, modules: &modules, runs: Vec::new(), records: BTreeMap::new() };
    let mut at = BEGINS;
    for (number, build) in builds.iter().enumerate() {
        at += MINUTE_MS * stream.integer(90, 240);
        let is_red = stage.run(build, number, 1, at, stream);
        // Without a second look, an outage could as well be a bad commit; no report would tell.
        if is_red && (stream.chance(BUILT_AGAIN) || build.is_outage) {
            at += MINUTE_MS * stream.integer(5, 40);
            stage.run(build, number, 2, at, stream);
        }
    }
    let (runs, records) = (stage.runs, stage.records);
    let tests = fates(settings, &modules, &revisions, &records);
    let outages = runs.iter().filter(|run| run.truth.outage).map(|run| run.id.clone()).collect();
    History {
        project: settings.project.clone(),
        dialect: settings.dialect().name,
        truth: Truth { tests, outages },
        runs,
    }
}

/// The builds of a history, and the revisions of its main line.
fn builds(settings: &Histories, stream: &mut Stream) -> (Vec<Build>, Vec<String>) {
    let mut revisions: Vec<String> = Vec::new();
    let mut pull_requests = 0;
    let mut builds: Vec<Build> = (0..settings.size().0)
        .map(|_| {
            let chance = stream.uniform();
            let pull_request = (chance < PULL_REQUESTS && !revisions.is_empty()).then(|| {
                pull_requests += 1;
                pull_requests
            });
            let is_again = chance > 1.0 - AGAIN && !revisions.is_empty();
            if pull_request.is_none() && !is_again {
                revisions.push(stream.hex(40));
            }
            let main = revisions.len().saturating_sub(1);
            let revision = match pull_request {
                Some(_) => stream.hex(40),
                None => revisions.get(main).cloned().unwrap_or_default(),
            };
            Build { main, revision, pull_request, is_outage: false }
        })
        .collect();
    // Outages come after there is something to compare them with. They hit the main line: on a
    // pull request, no report tells one from a change that broke most tests.
    let mut places: Vec<usize> = (builds.len() / 3..builds.len()).collect();
    places.retain(|&place| builds.get(place).is_some_and(|build| build.pull_request.is_none()));
    shuffle(&mut places, stream);
    for place in places.into_iter().take(settings.outages) {
        if let Some(build) = builds.get_mut(place) {
            build.is_outage = true;
        }
    }
    (builds, revisions)
}

/// Where the builds are played.
struct Stage<'a> {
    settings: &'a Histories,
    retries: usize,
    modules: &'a [Vec<Player>],
    runs: Vec<Run>,
    /// What reports showed, by the place of the test: module, then test.
    records: BTreeMap<(usize, usize), Record>,
}

impl Stage<'_> {
    /// Plays one attempt at a build; true where a test failed.
    fn run(
        &mut self,
        build: &Build,
        number: usize,
        attempt: u32,
        at: i64,
        stream: &mut Stream,
    ) -> bool {
        // An outage is over when the build is tried again.
        let is_outage = build.is_outage && attempt == 1;
        let host = format!("ci-worker-{}", stream.integer(1, 5));
        let id = stream.uuid();
        let modules: Vec<Module> = words::modules(self.modules.len())
            .zip(self.modules)
            .map(|(name, players)| {
                let cases = players.iter().enumerate();
                let cases =
                    cases.map(|(place, player)| self.case(player, place, build, is_outage, stream));
                Module { name, cases: cases.collect() }
            })
            .collect();
        let started = Timestamp(at);
        let run = TestRun { project: self.settings.project.clone(), started, host, id, modules };
        let failed = self.failed(&run, is_outage);
        let is_red = !failed.is_empty();
        let build_number = (BUILDS_FROM + number).to_string();
        let sidecar = Sidecar {
            project: run.project.clone(),
            revision: build.revision.clone(),
            branch: build
                .pull_request
                .map_or_else(|| "main".into(), |number| format!("PR-{number}")),
            lane: if build.pull_request.is_some() { Lane::Change } else { Lane::Default },
            url: format!("https://ci.example.com/{}/builds/{build_number}", run.project),
            build: build_number,
            attempt,
            job: "test".into(),
            started: started.to_rfc3339(),
        };
        self.runs.push(Run {
            id: format!("run-{:04}", self.runs.len() + 1),
            sidecar,
            files: files(self.settings.dialect(), &run),
            truth: RunTruth { outage: is_outage, failed },
            tests: run,
        });
        is_red
    }

    fn case(
        &self,
        player: &Player,
        place: usize,
        build: &Build,
        is_outage: bool,
        stream: &mut Stream,
    ) -> Case {
        let is_broken = player.course.is_broken(build.main);
        let is_taken = is_outage && stream.chance(TAKEN);
        let mut attempts = Vec::new();
        for _ in 0..=self.retries {
            let fails = match player.course {
                Course::Flaky(rate) => stream.chance(rate),
                _ => is_broken,
            };
            let duration_ms = player.duration_ms(build.main, stream);
            let attempt = match (is_taken, fails) {
                (true, _) => Attempt {
                    outcome: Outcome::Errored,
                    duration_ms,
                    message: "connect: connection refused by db.ci.example.com:5432".into(),
                },
                (false, true) => Attempt {
                    outcome: if player.errs { Outcome::Errored } else { Outcome::Failed },
                    duration_ms,
                    message: player.cause.message(stream),
                },
                (false, false) => {
                    Attempt { outcome: Outcome::Passed, duration_ms, message: String::new() }
                }
            };
            let passed = attempt.outcome == Outcome::Passed;
            attempts.push(attempt);
            if passed {
                break;
            }
        }
        let passed = Attempt { outcome: Outcome::Passed, duration_ms: 0, message: String::new() };
        let last = attempts.pop().unwrap_or(passed);
        Case {
            behaviour: player.behaviour_at(build.main).to_owned(),
            line: 12 + 9 * u32::try_from(place).unwrap_or(0),
            earlier: attempts,
            last,
        }
    }

    /// The tests that the reports of a run show as failed, each counted.
    fn failed(&mut self, run: &TestRun, is_outage: bool) -> Vec<String> {
        let dialect = self.settings.dialect();
        let mut failed = BTreeSet::new();
        for (module_place, module) in run.modules.iter().enumerate() {
            for (place, case) in module.cases.iter().enumerate() {
                let Some(shown) = dialect.shown(case) else { continue };
                self.records.entry((module_place, place)).or_default().add(shown, is_outage);
                if shown.outcome.is_bad() {
                    failed.insert(dialect.label(&run.project, &module.name, &case.behaviour));
                }
            }
        }
        failed.into_iter().collect()
    }
}

/// What each test really was.
fn fates(
    settings: &Histories,
    modules: &[Vec<Player>],
    revisions: &[String],
    records: &BTreeMap<(usize, usize), Record>,
) -> Vec<TestFate> {
    let mut fates = Vec::new();
    for ((module_place, players), name) in
        modules.iter().enumerate().zip(words::modules(modules.len()))
    {
        for (place, player) in players.iter().enumerate() {
            let label =
                |behaviour: &str| settings.dialect().label(&settings.project, &name, behaviour);
            let record = records.get(&(module_place, place)).copied().unwrap_or_default();
            fates.push(TestFate {
                test: label(&player.behaviour),
                was: player.was.as_deref().map(label),
                fate: player.course.fate(revisions),
                failures: record.reported,
                statuses: player.course.statuses(&record),
            });
        }
    }
    fates
}
