//! `flakedb.toml`, and `--set`: whatever numbers it holds, judging and planning end.

use std::cell::RefCell;

use flakedb::analysis;
use flakedb::config::{File, load_and_set, parse};
use flakedb::ops::Unwatched;
use flakedb::ops::judge::{JudgeRequest, Judged, judge};
use flakedb::quarantine::gate::GateSettings;
use flakedb::quarantine::policy::{PolicySettings, plan};
use flakedb::report::view::WindowText;
use flakedb::store::{OpenMode, SqliteStore};

use super::history;

type Config = File<analysis::Settings, PolicySettings, GateSettings>;

/// More runs than this are not in the history that is judged.
const WINDOW_MAX: u32 = 40;

thread_local! {
    static STORE: RefCell<Option<SqliteStore>> = const { RefCell::new(None) };
}

/// The text of a file; its lines are settings of the command line as well.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text) {
        Ok(config) => holds(config),
        Err(error) => {
            let span = error.span().unwrap_or_default();
            assert!(span.end <= text.len(), "{span:?} of {}", text.len());
            assert!(!error.message().is_empty());
        }
    }
    let settings: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
    match load_and_set(None, &settings) {
        Ok(config) => holds(config),
        Err(error) => assert!(error.to_string().starts_with("--set "), "{error}"),
    }
}

fn holds(config: Config) {
    let _ = config.workers.check();
    let _ = config.workers.leases();
    let _ = config.gate.map(|gate| gate.check());
    let window = WindowText {
        last_runs: config.window.runs.map(|runs| runs.min(WINDOW_MAX)),
        last_days: config.window.days,
        ..WindowText::default()
    };
    let Some(settings) = config.judging else { return };
    let judged = judged(&JudgeRequest { project: history::PROJECT.into(), window, settings });
    if let (Some(judged), Some(policy)) = (judged, config.quarantine) {
        let newest = judged.runs.last().map(|run| run.started).unwrap_or_default();
        let plan = plan(&judged.judgement, &policy, &|_| None, newest);
        assert!(plan.entries.len() <= judged.judgement.verdicts.len());
    }
}

fn judged(request: &JudgeRequest) -> Option<Judged> {
    STORE.with_borrow_mut(|store| {
        let open = || SqliteStore::open(history::seed(), OpenMode::ReadOnly).unwrap();
        let store = store.get_or_insert_with(open);
        let judged = judge(store, request, &[], &Unwatched).ok()?;
        let verdicts = &judged.judgement.verdicts;
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        for verdict in verdicts {
            // A probability that is none would be printed, compared and sorted by.
            assert!(verdict.probability.is_none_or(is_share), "{verdict:?}");
        }
        Some(judged)
    })
}
