//! Every screen at every width, kept as snapshots; and what no screen may ever contain.

mod hunt;
mod order;
mod question;
mod split;
mod workers;

use proptest::prelude::*;

use super::view::Listing;
use super::{Format, Palette, Screen, View, escape, render, sample, sample_list};
use crate::analysis::Settings;
use crate::analysis::backtest::Backtest;

fn page(view: View<'_>, format: Format, screen: Screen) -> String {
    let mut out = Vec::new();
    render(view, format, screen, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(view: View<'_>, width: Option<u16>) -> String {
    page(view, Format::Table, Screen { width, palette: Palette::Plain })
}

const WIDTHS: [(&str, Option<u16>); 5] =
    [("60", Some(60)), ("80", Some(80)), ("120", Some(120)), ("200", Some(200)), ("piped", None)];

/// Snapshots of one view at every width, as Markdown and as JSON.
fn snapshots(name: &str, view: View<'_>) {
    for (label, width) in WIDTHS {
        let text = plain(view, width);
        fits(&text, width);
        insta::assert_snapshot!(format!("{name}_{label}"), text);
    }
    insta::assert_snapshot!(
        format!("{name}_markdown"),
        page(view, Format::Markdown, Screen::default())
    );
}

fn json(view: View<'_>) -> String {
    page(view, Format::Json, Screen::default())
}

/// No line is wider than the screen, but for commands and names, which are never broken.
fn fits(text: &str, width: Option<u16>) {
    let Some(width) = width else { return };
    for line in text.lines().filter(|line| !line.contains("flakedb ") && line.contains(' ')) {
        assert!(line.chars().count() <= width.into(), "{} > {width}: {line}", line.chars().count());
    }
}

#[test]
fn report_screens() {
    let view = sample::report_of(&sample::usual(), Listing::Attention);
    snapshots("report", View::Report(&view));
    insta::assert_snapshot!("report_json", json(View::Report(&view)));
}

#[test]
fn small_histories_have_sensible_screens() {
    for runs in [0, 1, 2] {
        let view = sample::report_of(&sample::tiny(runs), Listing::Attention);
        insta::assert_snapshot!(format!("tiny_{runs}"), plain(View::Report(&view), Some(80)));
    }
}

#[test]
fn a_healthy_project_hears_so() {
    let mut judgement = sample::usual();
    judgement.verdicts.drain(..6);
    let view = sample::report_of(&judgement, Listing::Attention);
    insta::assert_snapshot!("healthy", plain(View::Report(&view), Some(80)));
}

#[test]
fn show_screens() {
    let view = sample::show();
    snapshots("show", View::Show(&view));
    insta::assert_snapshot!("show_json", json(View::Show(&view)));
    let healthy = sample::show_healthy();
    insta::assert_snapshot!("show_healthy", plain(View::Show(&healthy), Some(80)));
    let absent = super::ShowView { variants: Vec::new(), ..healthy };
    insta::assert_snapshot!("show_absent", plain(View::Show(&absent), Some(80)));
    snapshots("show_broken", View::Show(&sample::show_broken()));
    let full = super::ShowView { full: true, ..view };
    insta::assert_snapshot!("show_full", plain(View::Show(&full), Some(80)));
}

#[test]
fn a_terminal_that_opens_links_gets_them_and_no_other() {
    let view = sample::show();
    let linked = Screen { width: Some(80), palette: Palette::Links };
    let text = page(View::Show(&view), Format::Table, linked);
    assert!(text.contains("\u{1b}]8;;https://ci.example/builds/424\u{1b}\\"), "{text}");
    for palette in [Palette::Plain, Palette::Colour] {
        let text = page(View::Show(&view), Format::Table, Screen { palette, ..linked });
        assert!(!text.contains("\u{1b}]"), "{text}");
    }
    assert_eq!(
        without_styles(&text),
        page(View::Show(&view), Format::Table, Screen { palette: Palette::Plain, ..linked })
    );
    for name in sample::hostile_names() {
        let mut hostile = sample::hostile_show(&name);
        for row in hostile.variants.iter_mut().flat_map(|variant| &mut variant.timeline) {
            row.url = Some(format!("https://ci/{name}"));
        }
        inert(&without_styles(&page(View::Show(&hostile), Format::Table, linked)));
    }
}

#[test]
fn ingest_screens() {
    let view = sample::ingest();
    snapshots("ingest", View::Ingest(&view));
    insta::assert_snapshot!("ingest_json", json(View::Ingest(&view)));
    let timed = super::IngestView { phases: sample::phases(), problems: Vec::new(), ..view };
    insta::assert_snapshot!("ingest_timed", plain(View::Ingest(&timed), Some(80)));
    let empty = super::IngestView::default();
    insta::assert_snapshot!("ingest_empty", plain(View::Ingest(&empty), Some(80)));
}

#[test]
fn validate_screens() {
    let view = sample::validate();
    snapshots("validate", View::Validate(&view));
    insta::assert_snapshot!("validate_json", json(View::Validate(&view)));
}

#[test]
fn quarantine_screens() {
    let view = sample::quarantine();
    snapshots("quarantine", View::Quarantine(&view));
    insta::assert_snapshot!("quarantine_json", json(View::Quarantine(&view)));
    let empty = super::QuarantineView { entries: Vec::new(), left_out: 0, ..view };
    insta::assert_snapshot!("quarantine_empty", plain(View::Quarantine(&empty), Some(80)));
}

#[test]
fn list_screens() {
    let list = sample_list::list();
    snapshots("list", View::Quarantine(&list));
    insta::assert_snapshot!("list_json", json(View::Quarantine(&list)));
    let update = sample_list::update();
    snapshots("update", View::QuarantineUpdate(&update));
    insta::assert_snapshot!("update_json", json(View::QuarantineUpdate(&update)));
    let added = sample_list::added();
    insta::assert_snapshot!("update_added", plain(View::QuarantineUpdate(&added), Some(80)));
    let nothing = super::UpdateView { changes: Vec::new(), ..added };
    insta::assert_snapshot!("update_nothing", plain(View::QuarantineUpdate(&nothing), Some(80)));
    let lint = sample_list::lint();
    snapshots("lint", View::QuarantineLint(&lint));
    insta::assert_snapshot!("lint_json", json(View::QuarantineLint(&lint)));
    let clean = super::LintView { findings: Vec::new(), notes: Vec::new(), ..lint };
    insta::assert_snapshot!("lint_clean", plain(View::QuarantineLint(&clean), Some(80)));
    let simulation = sample_list::simulation();
    snapshots("simulation", View::QuarantineSimulation(&simulation));
    insta::assert_snapshot!("simulation_json", json(View::QuarantineSimulation(&simulation)));
}

#[test]
fn compare_screens() {
    let view = sample::compare();
    snapshots("compare", View::Compare(&view));
    insta::assert_snapshot!("compare_json", json(View::Compare(&view)));
    let mut agreed = sample::compared();
    agreed[1].verdicts = agreed[0].verdicts.clone();
    agreed.truncate(2);
    let agreed = sample::compare_of(&agreed, &|verdict| sample::label(verdict.test));
    insta::assert_snapshot!("compare_agreed", plain(View::Compare(&agreed), Some(80)));
    let empty = [sample::tiny(0)];
    let empty = sample::compare_of(&empty, &|verdict| sample::label(verdict.test));
    insta::assert_snapshot!("compare_empty", plain(View::Compare(&empty), Some(80)));
}

#[test]
fn backtest_screens() {
    let view = sample::backtest();
    snapshots("backtest", View::Backtest(&view));
    insta::assert_snapshot!("backtest_json", json(View::Backtest(&view)));
    let empty = Backtest { runs: Vec::new(), regressions: 0, trials: Vec::new() };
    let empty = sample::backtest_of(&empty, &Settings::default(), &sample::label);
    insta::assert_snapshot!("backtest_empty", plain(View::Backtest(&empty), Some(80)));
    let wilson = Settings { method: "wilson".to_owned(), ..Settings::default() };
    let mut tested = sample::backtested(&wilson);
    tested.trials.iter_mut().for_each(|trial| trial.in_force = false);
    let other = sample::backtest_of(&tested, &wilson, &sample::label);
    insta::assert_snapshot!("backtest_other_method", plain(View::Backtest(&other), Some(80)));
}

#[test]
fn the_latest_of_a_long_backtest_fit_a_terminal_and_the_rest_is_counted() {
    let settings = Settings::default();
    let mut tested = sample::backtested(&settings);
    for trial in &mut tested.trials {
        trial.flags = vec![trial.flags[0].clone(); 50];
        trial.hidden = vec![sample::backtested(&settings).trials[0].hidden[0].clone(); 40];
    }
    let view = sample::backtest_of(&tested, &settings, &sample::label);
    let text = plain(View::Backtest(&view), Some(80));
    assert!(text.contains("30 earlier regressions not shown here"), "{text}");
    assert!(text.contains("30 earlier tests not shown here"), "{text}");
}

#[test]
fn only_the_most_disputed_fit_a_terminal_and_the_rest_is_counted() {
    let mut judgements = sample::compared();
    for judgement in &mut judgements {
        let one = judgement.verdicts[2].clone();
        judgement.verdicts = (100..150)
            .map(|no| {
                let mut verdict = one.clone();
                verdict.test = crate::store::query::TestNo(no);
                // Every test has a reason of its own.
                verdict
                    .facts
                    .insert(0, crate::analysis::verdict::Fact::Rule { text: no.to_string() });
                verdict
            })
            .collect();
    }
    let view = sample::compare_of(&judgements, &|verdict| sample::label(verdict.test));
    assert_eq!(view.disputes.len(), 50);
    let text = plain(View::Compare(&view), Some(80));
    assert!(text.contains("30 more tests not shown here"), "{text}");
    assert!(plain(View::Compare(&view), None).contains("test_page_149"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = sample::report_of(&sample::usual(), Listing::All);
    let show = sample::show();
    let ingest = sample::ingest();
    let validate = sample::validate();
    let quarantine = sample::quarantine();
    let compare = sample::compare();
    let backtest = sample::backtest();
    let list = sample_list::list();
    let update = sample_list::update();
    let lint = sample_list::lint();
    let simulation = sample_list::simulation();
    for view in [
        View::Quarantine(&list),
        View::QuarantineUpdate(&update),
        View::QuarantineLint(&lint),
        View::QuarantineSimulation(&simulation),
        View::Compare(&compare),
        View::Backtest(&backtest),
        View::Report(&report),
        View::Show(&show),
        View::Ingest(&ingest),
        View::Validate(&validate),
        View::Quarantine(&quarantine),
    ] {
        for (_, width) in WIDTHS {
            let coloured = page(view, Format::Table, Screen { width, palette: Palette::Colour });
            assert_eq!(without_styles(&coloured), plain(view, width));
        }
    }
    let view = sample::report_of(&sample::usual(), Listing::Attention);
    let screen = Screen { width: Some(80), palette: Palette::Colour };
    let text = page(View::Report(&view), Format::Table, screen).replace('\u{1b}', "␛");
    insta::assert_snapshot!("report_80_colour", text);
}

/// The text without what the palette adds: styles, `ESC [ digits m`, and links, `ESC ] 8 ; ; address
/// ESC \`.
fn without_styles(text: &str) -> String {
    let mut links = text.split("\u{1b}]8;;");
    let first = links.next().unwrap_or_default().to_owned();
    let text = links.fold(first, |out, part| {
        let (address, rest) = part.split_once("\u{1b}\\").unwrap();
        assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address}");
        out + rest
    });
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (style, rest) = part.split_once('m').unwrap();
        assert!(style.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{style}");
        out + rest
    })
}

/// Nothing that acts on a terminal or hides text, newlines aside.
fn inert(text: &str) {
    let hidden = text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
    assert_eq!(hidden, None, "{text:?}");
}

#[test]
fn hostile_names_stay_text_on_every_screen() {
    let report = sample::hostile_report();
    for format in [Format::Table, Format::Markdown] {
        for (_, width) in WIDTHS {
            let screen = Screen { width, palette: Palette::Plain };
            inert(&page(View::Report(&report), format, screen));
            for name in sample::hostile_names() {
                inert(&page(View::Show(&sample::hostile_show(&name)), format, screen));
                inert(&page(View::Compare(&sample::hostile_compare(&name)), format, screen));
                inert(&page(View::Backtest(&sample::hostile_backtest(&name)), format, screen));
            }
        }
        let coloured = Screen { width: Some(80), palette: Palette::Colour };
        inert(&without_styles(&page(View::Report(&report), format, coloured)));
    }
    insta::assert_snapshot!("hostile_80", plain(View::Report(&report), Some(80)));
    insta::assert_snapshot!(
        "hostile_markdown",
        page(View::Report(&report), Format::Markdown, Screen::default())
    );
    let parsed: serde_json::Value = serde_json::from_str(&json(View::Report(&report))).unwrap();
    assert_eq!(parsed["tests"][2]["test"].as_str().map(str::len), Some(10_240));
}

#[test]
fn no_length_breaks_a_layout() {
    for name in ["\u{1b}".repeat(16 << 10), "日".repeat(16 << 10), "a ".repeat(8 << 10)] {
        for (_, width) in WIDTHS {
            inert(&plain(View::Show(&sample::hostile_show(&name)), width));
            inert(&plain(View::Compare(&sample::hostile_compare(&name)), width));
            inert(&plain(View::Backtest(&sample::hostile_backtest(&name)), width));
            let mut quarantine = sample::quarantine();
            for entry in &mut quarantine.entries {
                entry.test.clone_from(&name);
                entry.owner = Some(name.clone());
                entry.ticket = Some(name.clone());
            }
            inert(&plain(View::Quarantine(&quarantine), width));
        }
    }
}

#[test]
fn a_long_name_can_be_seen_whole() {
    let name = "y".repeat(10_240);
    let text = plain(View::Show(&sample::hostile_show(&name)), Some(80));
    assert_eq!(text.lines().next(), Some(name.as_str()));
}

#[test]
fn markdown_keeps_within_the_limit_of_a_comment() {
    let mut judgement = sample::usual();
    let one = judgement.verdicts[2].clone();
    judgement.verdicts = vec![one; 5_000];
    let view = sample::report_of(&judgement, Listing::All);
    let text = page(View::Report(&view), Format::Markdown, Screen::default());
    assert!(text.chars().count() < 65_536);
    assert!(text.contains("tests more did not fit here"));
    let text = plain(View::Report(&view), Some(80));
    assert!(text.contains("4,800 more tests not shown here"), "{text}");
    let piped = plain(View::Report(&view), None);
    assert_eq!(piped.matches("test_payment_is_retried").count(), 5_001, "all, and the hint");
}

/// Any characters, with those that act on terminals, tables and Markdown more often than not.
const HOSTILE: &str =
    "(.|[\u{1b}\u{7}\u{9b}\n\r\t\u{202e}\u{2028}\u{e01e0} |`<>&@*\\\\'\"-]|[a-z]{1,70}){0,24}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_at_any_width_is_laid_out_and_inert(name in HOSTILE, width in proptest::option::of(prop_oneof![0_u16..260, any::<u16>()])) {
        let show = sample::hostile_show(&name);
        let compare = sample::hostile_compare(&name);
        let backtest = sample::hostile_backtest(&name);
        let mut validate = sample::validate();
        let mut ingest = sample::ingest();
        let mut quarantine = sample::quarantine();
        validate.files[1].file.clone_from(&name);
        validate.files[1].producer.clone_from(&name);
        for warning in &mut validate.files[1].warnings {
            warning.message.clone_from(&name);
            warning.path.clone_from(&name);
            warning.code.clone_from(&name);
        }
        for problem in &mut ingest.problems {
            problem.file.clone_from(&name);
            problem.message.clone_from(&name);
            problem.code.clone_from(&name);
        }
        ingest.projects.push(name.clone());
        ingest.notes.push(name.clone());
        ingest.history.clone_from(&name);
        for entry in &mut quarantine.entries {
            entry.test.clone_from(&name);
            entry.variant.clone_from(&name);
            entry.reason.clone_from(&name);
            entry.owner = Some(name.clone());
            entry.ticket = Some(name.clone());
        }
        quarantine.notes.push(name.clone());
        quarantine.project.clone_from(&name);
        let mut list = sample_list::list();
        let mut update = sample_list::update();
        let mut lint = sample_list::lint();
        let mut simulation = sample_list::simulation();
        list.entries[0].test.clone_from(&name);
        list.entries[0].variant.clone_from(&name);
        list.rules[0].test.clone_from(&name);
        list.rules[0].reason.clone_from(&name);
        for change in update.changes.iter_mut().chain(&mut update.refused) {
            change.test.clone_from(&name);
            change.why.clone_from(&name);
            change.file.clone_from(&name);
            change.owner = Some(name.clone());
            change.ticket = Some(name.clone());
        }
        update.withheld[0].test.clone_from(&name);
        update.list.clone_from(&name);
        lint.list.clone_from(&name);
        for finding in &mut lint.findings {
            finding.test.clone_from(&name);
            finding.message.clone_from(&name);
            finding.mend.clone_from(&name);
        }
        simulation.project.clone_from(&name);
        simulation.hidden[0].test.clone_from(&name);
        simulation.hidden[0].revision = Some(name.clone());
        simulation.terms[0].test.clone_from(&name);
        let lists = [View::Quarantine(&list), View::QuarantineUpdate(&update), View::QuarantineLint(&lint), View::QuarantineSimulation(&simulation)];
        for view in lists.into_iter().chain([View::Show(&show), View::Validate(&validate), View::Ingest(&ingest), View::Quarantine(&quarantine), View::Compare(&compare), View::Backtest(&backtest)]) {
            for format in [Format::Table, Format::Markdown] {
                inert(&page(view, format, Screen { width, palette: Palette::Plain }));
                let coloured = page(view, format, Screen { width, palette: Palette::Colour });
                inert(&without_styles(&coloured));
            }
        }
    }
}

/// How many things lines such as `12 tests more did not fit here` leave out.
fn left_out(text: &str, noun: &str) -> usize {
    let lines = text.lines().filter_map(|line| line.split_once(" more did not fit here"));
    let count = |(before, _): (&str, _)| {
        let (count, what) = before.split_once(' ')?;
        let is_it = what.trim_end_matches('s') == noun;
        is_it.then(|| count.replace(',', "").parse::<usize>().unwrap())
    };
    lines.filter_map(count).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_markdown_outgrows_a_comment_or_drops_a_row_uncounted(
        name in HOSTILE,
        long in 1_usize..30,
        times in 1_usize..300,
    ) {
        let name = name.repeat(long);
        let mut report = sample::report_of(&sample::usual(), Listing::Attention);
        let mut one = report.tests[2].clone();
        one.test.clone_from(&name);
        one.reason.clone_from(&name);
        one.owners = vec![name.clone(); 3];
        report.tests = vec![one; times];
        report.project.clone_from(&name);
        report.notes = vec![name.clone(); times % 30];
        let mut show = sample::hostile_show(&name);
        show.failures = vec![show.failures[0].clone(); times];
        let mut quarantine = sample::quarantine();
        quarantine.entries[0].test.clone_from(&name);
        quarantine.entries[0].reason.clone_from(&name);
        quarantine.entries = vec![quarantine.entries[0].clone(); times];
        quarantine.notes = vec![name.clone(); times];
        let mut update = sample_list::update();
        update.changes[0].why.clone_from(&name);
        update.changes = vec![update.changes[0].clone(); times];
        update.policy = vec![name.clone(); times];
        let mut lint = sample_list::lint();
        lint.findings[0].message.clone_from(&name);
        lint.findings = vec![lint.findings[0].clone(); times];
        let mut validate = sample::validate();
        validate.files[1].warnings[0].message.clone_from(&name);
        validate.files[1].warnings = vec![validate.files[1].warnings[0].clone(); times];
        let mut ingest = sample::ingest();
        ingest.notes = vec![name.clone(); times];
        let mut hunt = sample::hunt::hostile(&name);
        hunt.notes = vec![name.clone(); times];
        let mut workers = sample::workers::troubled(&name);
        workers.without_result = vec![name.clone(); times];
        workers.notes = vec![name.clone(); times];
        let compare = sample::hostile_compare(&name);
        let backtest = sample::hostile_backtest(&name);
        for view in [
            View::Report(&report), View::Show(&show), View::Quarantine(&quarantine),
            View::QuarantineUpdate(&update), View::QuarantineLint(&lint),
            View::Validate(&validate), View::Ingest(&ingest), View::Hunt(&hunt),
            View::Workers(&workers),
            View::Compare(&compare), View::Backtest(&backtest),
        ] {
            let text = page(view, Format::Markdown, Screen::default());
            prop_assert!(text.len() <= 65_000 && text.chars().count() < 65_536, "{}", text.len());
            let rows = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
            match view {
                View::Report(_) => prop_assert_eq!(rows("| flaky |") + left_out(&text, "test"), times),
                View::QuarantineLint(_) => {
                    let shown = rows("| ").saturating_sub(2);
                    prop_assert_eq!(shown + left_out(&text, "finding"), times);
                }
                _ => {}
            }
        }
    }
}
