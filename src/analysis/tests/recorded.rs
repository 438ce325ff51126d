//! Everything that is said of two made worlds and of every fixture, as recorded: no change of a
//! judgement goes unseen. `INSTA_UPDATE=always` records anew; the difference is then there to read.

use std::fmt::{Debug, Write as _};

use super::*;
use crate::analysis::at_revision::at_revision;
use crate::analysis::backtest::{Trial, backtest};
use crate::analysis::cause::polluter::Search;
use crate::analysis::cause::signature;
use crate::analysis::changes::{Side, changes};
use crate::analysis::company::{CompanySettings, company};
use crate::analysis::disagreement::{agreement, disputes};
use crate::analysis::healed::healed;
use crate::analysis::history::History;
use crate::analysis::slower::{PaceBuilder, PaceSettings};
use crate::analysis::trend::{Halves, Trend};
use crate::model::random::Random;
use crate::model::{Failure, ReportHash, SignatureId};
use crate::store::query::{BadRow, FailureNo, FailureRow, ReportRow, RunRows, SignatureRow};

/// Bytes of a value that are written out; of a longer one there is the beginning and a hash.
const TOLD_MAX: usize = 420;
/// The same of a value that is there for the hash.
const HASHED_MAX: usize = 64;
/// Digits of a fraction that are compared: the last ones depend on the machine.
const DIGITS: usize = 5;

/// What a test does in one run; `None` where it does not run.
type Behaviour = fn(&mut Random, &Circumstances<'_>) -> Option<char>;

/// What a test can depend on.
struct Circumstances<'a> {
    /// The place of the run.
    run: usize,
    about: &'a RunRow,
    host: usize,
    /// Tests that ran before it in its report.
    before: &'a [u32],
}

impl Circumstances<'_> {
    fn is_on_windows(&self) -> bool {
        self.about.variant == "os=windows"
    }

    fn is_change(&self) -> bool {
        self.about.lane == Lane::Change
    }
}

fn failing(is: bool) -> Option<char> {
    Some(if is { 'F' } else { '.' })
}

/// One test of each kind that a judgement tells from others.
const TESTS: [(&str, Behaviour); 26] = [
    ("healthy", |_, _| Some('.')),
    ("flakes now and then", |random, _| failing(random.chance(0.04))),
    ("flakes often", |random, _| failing(random.chance(0.25))),
    ("recovers on retry", |random, _| Some(if random.chance(0.06) { 'r' } else { '.' })),
    ("all attempts fail at times", |random, _| Some(if random.chance(0.05) { 'R' } else { '.' })),
    ("flakes in spells", |random, at| failing(at.run / 8 % 3 == 1 && random.chance(0.5))),
    ("flakes on windows", |random, at| failing(at.is_on_windows() && random.chance(0.3))),
    ("flakes on one host", |random, at| failing(at.host == 2 && random.chance(0.6))),
    ("flakes at night", |random, at| failing(at.run % 24 > 20 && random.chance(0.7))),
    ("flakes slowly", |random, _| Some(if random.chance(0.2) { 'L' } else { '.' })),
    ("fails after another", |random, at| failing(at.before.contains(&0) && random.chance(0.45))),
    ("broken for a while", |_, at| failing((40..60).contains(&at.run))),
    ("broken since long", |_, at| failing(at.run > 30)),
    ("newly broken", |_, at| failing(at.run > 152)),
    ("fixed lately", |_, at| failing((100..148).contains(&at.run))),
    ("errors at times", |random, _| Some(if random.chance(0.05) { 'E' } else { '.' })),
    ("vanished", |random, at| (at.run < 90).then(|| if random.chance(0.08) { 'F' } else { '.' })),
    ("came lately", |random, at| {
        (at.run > 150).then(|| if random.chance(0.3) { 'F' } else { '.' })
    }),
    ("skipped", |_, _| Some('s')),
    ("skipped at times", |random, _| Some(if random.chance(0.3) { 's' } else { '.' })),
    ("one of two", |_, at| failing(at.run * 7 % 23 == 0)),
    ("other of two", |_, at| failing(at.run * 7 % 23 == 0 || at.run == 77)),
    ("became slower", |_, at| Some(if at.run > 80 { 'l' } else { '.' })),
    ("fails on changes", |random, at| failing(at.is_change() && random.chance(0.35))),
    ("shares its name", |random, _| Some(if random.chance(0.06) { 'a' } else { '.' })),
    ("healed", |random, at| failing(at.run < 70 && random.chance(0.3))),
];

/// A window as the store would give it, with all that is known of its runs.
struct World {
    runs: Vec<RunRow>,
    rows: Vec<Vec<ResultRow>>,
    reports: Vec<Vec<ReportRow>>,
    workers: Vec<String>,
    bad: Vec<BadRow>,
    failures: Vec<FailureRow>,
}

/// The failure of a test: some always say the same, some do not.
fn failure_of(test: u32, random: &mut Random) -> FailureRow {
    let looks = if test.is_multiple_of(3) { 1 } else { 4 };
    let no = test * 4 + random.below(looks) as u32;
    let failure = Failure {
        kind: "AssertionError".to_owned(),
        message: format!("expected {} of {test}", ["one", "two", "three", "four"][no as usize % 4]),
        ..Failure::default()
    };
    FailureRow {
        no: FailureNo(no),
        id: failure.id(),
        signature: failure.signature(),
        kind: failure.kind,
        message: failure.message,
        text: String::new(),
    }
}

fn world(seed: u64, count: usize) -> World {
    let mut random = Random(seed);
    let workers = (0..3).map(|no| format!("gw{no}")).collect();
    let mut world = World {
        runs: Vec::new(),
        rows: Vec::new(),
        reports: Vec::new(),
        workers,
        bad: Vec::new(),
        failures: Vec::new(),
    };
    let mut revision = 0;
    for no in 0..count {
        revision += usize::from(random.chance(0.6));
        let lane = if random.chance(0.15) { Lane::Change } else { Lane::Default };
        let branch =
            if lane == Lane::Change { format!("topic-{}", random.below(5)) } else { "main".into() };
        let variant = if random.chance(0.3) { "os=windows" } else { "os=linux" };
        let of = if lane == Lane::Change { format!("c{no}") } else { format!("r{revision}") };
        let about = run(no, lane, (!random.chance(0.03)).then_some(of.as_str()), &branch, variant);
        let all = matches!(no, 66 | 67 | 120).then_some('E');
        world.add_run(about, all, &mut random);
    }
    world
}

impl World {
    /// `all`: what most tests do where the machine failed.
    fn add_run(&mut self, about: RunRow, all: Option<char>, random: &mut Random) {
        let no = self.runs.len();
        let mut order: Vec<u32> = (0..TESTS.len() as u32).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let (mut rows, mut reports) = (Vec::new(), Vec::new());
        for (shard, tests) in order.chunks(TESTS.len() / 2).enumerate() {
            let host = random.below(4);
            for (place, &test) in tests.iter().enumerate() {
                let at = Circumstances { run: no, about: &about, host, before: &tests[..place] };
                let Some(usual) = TESTS[test as usize].1(random, &at) else { continue };
                let strip = all.filter(|_| random.chance(0.8)).unwrap_or(usual);
                rows.push(self.result(&about, test, strip, random));
            }
            reports.push(ReportRow {
                host: format!("host-{host}"),
                source: format!("ci/{no}/shard-{shard}.xml"),
                shard: format!("{shard}/2"),
                seed: no.to_string(),
                end: rows.len() as u32,
            });
        }
        let counts = crate::model::Counts {
            failed: rows.iter().filter(|row| row.outcome.is_bad()).count() as u64,
            ..crate::model::Counts::default()
        };
        self.runs.push(RunRow { counts, reports: 2, ..about });
        self.rows.push(rows);
        self.reports.push(reports);
    }

    fn result(&mut self, about: &RunRow, test: u32, strip: char, random: &mut Random) -> ResultRow {
        let (strip, slower) = match strip {
            'L' => ('F', 900),
            'l' => ('.', 700),
            strip => (strip, 0),
        };
        let worker = 1 + random.below(3) as u16;
        let took = Micros(1_000 * (200 + slower + random.below(40) as u64));
        let row = ResultRow { duration: Some(took), worker, ..row(test, strip).unwrap() };
        for attempt in 0..row.bad_attempts {
            let failure = failure_of(test, random);
            self.bad.push(BadRow {
                run: about.no,
                test: row.test,
                attempt,
                outcome: if row.outcome.is_bad() { row.outcome } else { Outcome::Failed },
                failure: (!random.chance(0.1)).then_some(failure.no),
            });
            if self.failures.iter().all(|known| known.no != failure.no) {
                self.failures.push(failure);
            }
        }
        row
    }

    fn rows_of(&self, run: usize) -> RunRows<'_> {
        RunRows { rows: &self.rows[run], reports: &self.reports[run], workers: &self.workers }
    }

    /// The first so many runs.
    fn history(&self, count: usize, settings: &Settings) -> History {
        let bad = self.rows.iter().flatten().filter(|row| row.bad_attempts > 0);
        let keep: HashSet<TestNo> = bad.map(|row| row.test).chain([TestNo(0)]).collect();
        let looks: BTreeMap<FailureNo, SignatureId> =
            self.failures.iter().map(|failure| (failure.no, failure.signature)).collect();
        let signature = |row: &BadRow| {
            let signature = looks[&row.failure?];
            Some(SignatureRow { run: row.run, test: row.test, signature })
        };
        let signatures: Vec<SignatureRow> = self.bad.iter().filter_map(signature).collect();
        let modules = (0..TESTS.len() as u32).map(|test| (TestNo(test), test / 7)).collect();
        let mut builder = HistoryBuilder::new(&self.runs[..count], keep, &settings.outage)
            .with_modules(modules)
            .with_signatures(&signatures);
        for run in 0..count {
            builder.add_reports(run, &self.rows_of(run));
        }
        builder.finish()
    }

    fn judge(&self, history: &History, settings: &Settings) -> Judgement {
        let mut judgement = judge(history, settings).unwrap();
        let tests: Vec<TestNo> = (0..TESTS.len() as u32).map(TestNo).collect();
        let mut search = Search::new(&judgement.causes, &tests);
        let places: Vec<u32> = search.runs().collect();
        for place in places {
            search.add(place, &self.rows_of(place as usize));
        }
        search.settle(&mut judgement);
        for test in tests {
            signature::add(&mut judgement, test, &self.bad, &self.failures);
        }
        judgement
    }
}

/// The digits of a number that every machine computes alike.
fn rounded(text: &str) -> String {
    let mut out = String::new();
    let mut fraction = None;
    for letter in text.chars() {
        fraction = match fraction {
            Some(digits) if letter.is_ascii_digit() => Some(digits + 1),
            _ if letter == '.' && out.ends_with(|before: char| before.is_ascii_digit()) => Some(0),
            _ => None,
        };
        if fraction.is_none_or(|digits| digits <= DIGITS) {
            out.push(letter);
        }
    }
    out
}

fn told(value: &impl Debug) -> String {
    shortened(&rounded(&format!("{value:?}")), TOLD_MAX)
}

fn hashed(value: &impl Debug) -> String {
    shortened(&rounded(&format!("{value:?}")), HASHED_MAX)
}

fn shortened(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let hash: String = ReportHash::of(text.as_bytes()).to_string().chars().take(12).collect();
    let head: String = text.chars().take(max / 4).collect();
    format!("{head}… {} bytes #{hash}", text.len())
}

fn told_verdict(out: &mut String, name: &str, verdict: &Verdict) {
    let parts = [
        ("cells", hashed(&verdict.cells)),
        ("weighing", hashed(&verdict.weighing)),
        ("hints", told(&verdict.hints)),
        ("trail", hashed(&verdict.trail)),
    ];
    let mut rest = verdict.clone();
    (rest.cells, rest.weighing, rest.hints, rest.trail) = (vec![], None, vec![], None);
    let said = rounded(&format!("{rest:?}"));
    writeln!(out, "{name} [{}]: {}, {said}", verdict.variant, verdict.status.word()).unwrap();
    for (part, text) in parts.iter().filter(|(_, text)| text != "[]" && text != "None") {
        writeln!(out, "  {part}: {text}").unwrap();
    }
}

/// By every method: the filter's judgement whole, of the others what differs between methods.
fn told_by_methods(out: &mut String, names: &dyn Fn(TestNo) -> String, judgements: &[Judgement]) {
    for judgement in judgements {
        writeln!(out, "## {}", judgement.method).unwrap();
        for verdict in &judgement.verdicts {
            let name = names(verdict.test);
            if judgement.method == "filter" {
                told_verdict(out, &name, verdict);
                continue;
            }
            let Verdict { status, score, probability, quarantine, facts, next, .. } = verdict;
            let said = hashed(&(score, quarantine, probability, facts, next));
            writeln!(out, "{name} [{}]: {} {said}", verdict.variant, status.word()).unwrap();
        }
    }
}

fn told_trial(trial: &Trial) -> String {
    let sums = (
        (trial.flagged_at_end(), trial.flagged_wrongly(), trial.flakes_median()),
        (trial.greened, trial.greened_wrongly, trial.changes_hidden),
        (trial.hidden_runs(), trial.hidden_runs_max()),
    );
    let lists = (&trial.flags, &trial.hidden);
    format!("{}: {sums:?} {}", rounded(&format!("{:?}", trial.rule)), hashed(&lists))
}

fn record(seed: u64) -> String {
    let world = world(seed, 160);
    let name = |test: TestNo| TESTS[test.0 as usize].0.to_owned();
    let by = |method: &str| Settings { method: method.into(), ..Settings::default() };
    let settings = Settings::default();
    let (early, late) = (world.history(110, &settings), world.history(160, &settings));
    let before = world.judge(&early, &settings);
    let judgements: Vec<Judgement> =
        METHODS.iter().map(|method| world.judge(&late, &by(method.name))).collect();
    // The filter, which is what judges by default, is the first.
    let (now, others) = judgements.split_first().unwrap();
    let mut out = String::new();
    told_by_methods(&mut out, &name, &judgements);
    let mut part = |title: &str, lines: Vec<String>| {
        writeln!(out, "## {title}").unwrap();
        lines.iter().for_each(|line| writeln!(out, "{line}").unwrap());
    };
    part("runs", now.runs.iter().map(hashed).collect());
    part("events", now.events.iter().map(told).collect());
    part("causes", now.causes.examined.iter().map(told).collect());
    part("family", vec![told(&now.causes.family)]);
    let at = world.runs[110].started;
    let changed = changes(
        Side { judgement: &before, history: &early },
        Side { judgement: now, history: &late },
        at,
    );
    part("changes", rounded(&format!("{changed:#?}")).lines().map(str::to_owned).collect());
    let trend = Trend::new(now);
    part("trend", vec![told(&trend), told(&Halves::of_red(&now.runs))]);
    let squares = |verdict| hashed(&trend.squares(verdict, &now.runs));
    part("squares", now.verdicts.iter().map(squares).collect());
    part("healed", healed(now).iter().map(told).collect());
    let company = company(now, &CompanySettings::default());
    part("company", rounded(&format!("{company:#?}")).lines().map(str::to_owned).collect());
    part("agreement", others.iter().map(|other| told(&agreement(now, other))).collect());
    part("disputes", disputes(&judgements).iter().map(hashed).collect());
    let mut pace = PaceBuilder::new(&now.runs);
    (0..world.rows.len()).for_each(|run| pace.add(run, &world.rows[run]));
    let pace = pace.finish(&PaceSettings::default());
    part("pace", rounded(&format!("{pace:#?}")).lines().map(str::to_owned).collect());
    let revisions = ["r3", "r40", "r80", "nothing"];
    part(
        "at a revision",
        revisions.iter().map(|one| told(&at_revision(now, &late, one))).collect(),
    );
    let tested = backtest(&late, &settings).unwrap();
    part("backtest", vec![format!("{} regressions", tested.regressions)]);
    part("trials", tested.trials.iter().map(told_trial).collect());
    out
}

#[test]
fn a_made_world_is_judged_as_recorded() {
    insta::assert_snapshot!("a_made_world", record(1));
}

#[test]
fn another_made_world_is_judged_as_recorded() {
    let lines =
        record(2).lines().map(|line| shortened(line, HASHED_MAX) + "\n").collect::<String>();
    insta::assert_snapshot!("another_made_world", lines);
}

#[test]
fn every_fixture_is_judged_as_recorded() {
    let mut out = String::new();
    for (file, fixture) in fixtures() {
        writeln!(out, "\n# {file}").unwrap();
        let window = fixture.window();
        let judgements: Vec<Judgement> =
            METHODS.iter().map(|method| window.judge_by(method.name)).collect();
        // Of copies one says it.
        let once = |mut judgement: Judgement| {
            let mut seen = HashSet::new();
            judgement.verdicts.retain(|verdict| {
                let cells = told(&verdict.cells);
                seen.insert((verdict.variant.clone(), cells))
            });
            judgement
        };
        let judgements: Vec<Judgement> = judgements.into_iter().map(once).collect();
        told_by_methods(&mut out, &|test| format!("test {}", test.0), &judgements);
    }
    insta::assert_snapshot!("fixtures", out);
}
