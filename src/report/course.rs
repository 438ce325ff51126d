//! The way to a verdict as bars and sentences, shared by the terminal and Markdown.

use super::phrase::minute;
use super::sentence;
use super::view::{BreakageView, RetriesView, StatusChange, TrailView};

/// Bars from nothing to certainty.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One probability after each run, as bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    /// The bars, oldest first; a space where nothing was weighed.
    pub bars: String,
    /// A `^` below each bar where the verdict changed.
    pub marks: String,
    /// How many runs a bar stands for; the highest of them counts.
    pub runs: usize,
}

/// The bars of a probability in at most `width` columns, one for each of `cells` runs where there
/// is room; `places` says which of them each point of the trail belongs to.
#[must_use]
pub fn bars(
    trail: &TrailView,
    places: &[usize],
    cells: usize,
    width: usize,
    of: impl Fn(f64, f64) -> f64,
) -> Bars {
    let mut columns: Vec<(Option<f64>, bool)> = vec![(None, false); cells];
    for (point, place) in trail.points.iter().zip(places) {
        if let Some((level, _)) = columns.get_mut(*place) {
            *level = Some(of(point.flaky, point.broken));
        }
    }
    for change in &trail.changes {
        let place = places.get(change.point);
        if let Some((_, changed)) = place.and_then(|place| columns.get_mut(*place)) {
            *changed = true;
        }
    }
    let runs = cells.div_ceil(width.max(1)).max(1);
    // Counted from the latest, so that the last bar is a whole one.
    let groups = columns.rchunks(runs).rev();
    let highest = |group: &[(Option<f64>, bool)]| {
        group.iter().filter_map(|(level, _)| *level).max_by(f64::total_cmp)
    };
    let bars = groups.clone().map(|group| highest(group).map_or(' ', bar)).collect();
    let mark = |group: &[(Option<f64>, bool)]| match group.iter().any(|(_, changed)| *changed) {
        true => '^',
        false => ' ',
    };
    Bars { bars, marks: groups.map(mark).collect(), runs }
}

fn bar(share: f64) -> char {
    let step = (share.clamp(0.0, 1.0) * BARS.len() as f64) as usize;
    BARS.get(step).or(BARS.last()).copied().unwrap_or(' ')
}

/// A change of the verdict: `2026-11-03 06:00, 1f3a9c0a11: suspect → flaky`, and why.
#[must_use]
pub fn change(change: &StatusChange) -> String {
    let revision = change.revision.as_deref().map(sentence::revision);
    format!(
        "{}{}: {} → {} ({})",
        minute(&change.started),
        revision.map_or(String::new(), |revision| format!(", {revision}")),
        change.from.replace('-', " "),
        change.to.replace('-', " "),
        probabilities(change.flaky, change.broken),
    )
}

/// Both probabilities: `41 % flaky, 2 % broken`.
#[must_use]
pub fn probabilities(flaky: f64, broken: f64) -> String {
    let share = |share| sentence::percent(share).replace(' ', "\u{a0}");
    format!("{} flaky, {} broken", share(flaky), share(broken))
}

/// A breakage: when, for how long, and between which revisions.
#[must_use]
pub fn breakage(breakage: &BreakageView) -> String {
    let runs = sentence::count(breakage.runs, "run");
    let since = minute(&breakage.since);
    let mut words = match &breakage.until {
        Some(until) => format!("Failed {runs} in a row from {since}, passed on {}", minute(until)),
        None => format!("Fails since {since}, {runs} in a row"),
    };
    let name = |revision: &Option<String>| revision.as_deref().map(sentence::revision);
    words += &match (name(&breakage.last_good), name(&breakage.first_bad)) {
        (Some(good), Some(bad)) if good == bad => format!(": passed and failed on {bad}"),
        (Some(good), Some(bad)) => format!(": last passed on {good}, first failed on {bad}"),
        (None, Some(bad)) => format!(": first failed on {bad}, with no pass before it here"),
        (Some(good), None) => format!(": last passed on {good}"),
        (None, None) => String::new(),
    };
    words
}

/// The commands that show the commits of a breakage, with what each is good for.
#[must_use]
pub fn commands(breakage: &BreakageView) -> Vec<(String, String)> {
    let Some(range) = &breakage.range else { return Vec::new() };
    let many = breakage.commits.map(|commits| sentence::count(commits, "commit"));
    let mut commands =
        vec![(format!("git log {range}"), many.unwrap_or_else(|| "what changed".to_owned()))];
    let wide = breakage.commits.is_some_and(|commits| commits >= BISECTED_COMMITS_MIN);
    if let (true, Some((good, bad))) = (wide, range.split_once("..")) {
        commands.push((format!("git bisect start {bad} {good}"), "which of them".to_owned()));
    }
    commands
}

/// From so many commits on a bisection saves runs.
const BISECTED_COMMITS_MIN: u32 = 4;

/// What retries did; `None` where there were none.
#[must_use]
pub fn retries(retries: &RetriesView) -> Option<String> {
    let RetriesView { runs, helped, further_attempts, attempts_max } = *retries;
    let helped = match (helped, runs) {
        (0, 1) => "which did not help".to_owned(),
        (0, _) => "which never helped".to_owned(),
        (_, 1) => "which helped".to_owned(),
        (helped, runs) if helped >= runs => "which helped each time".to_owned(),
        (helped, _) => format!("which helped in {}", sentence::number(helped.into())),
    };
    let most = (runs > 1 && attempts_max > 2)
        .then(|| format!(" (at most {} in one run)", sentence::count(attempts_max, "attempt")));
    (runs > 0).then(|| {
        format!(
            "Tried again in {}, with {}{}, {helped}",
            sentence::count(runs, "run"),
            sentence::count(further_attempts, "further attempt"),
            most.unwrap_or_default(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::view::PointView;
    use super::*;
    use proptest::prelude::*;

    fn trail(levels: &[f64]) -> TrailView {
        let point = |(run, flaky): (u32, &f64)| PointView {
            run,
            started: String::new(),
            revision: None,
            flaky: *flaky,
            broken: 0.0,
            status: None,
        };
        TrailView { points: (0..).zip(levels).map(point).collect(), ..TrailView::default() }
    }

    #[test]
    fn a_bar_stands_at_its_run_and_the_highest_of_several_counts() {
        let trail = trail(&[0.0, 0.5, 1.0]);
        let shown = |cells, width| bars(&trail, &[0, 2, 3], cells, width, |flaky, _| flaky);
        assert_eq!(shown(4, 10).bars, "▁ ▅█");
        let folded = shown(4, 2);
        assert_eq!((folded.bars.as_str(), folded.runs), ("▁█", 2));
        assert_eq!(shown(4, 3).bars, "▁█");
        assert_eq!(shown(0, 3).bars, "");
    }

    #[test]
    fn retries_say_whether_they_helped() {
        let said = |runs, helped, further_attempts, attempts_max| {
            retries(&RetriesView { runs, helped, further_attempts, attempts_max })
        };
        assert_eq!(said(0, 0, 0, 0), None);
        for (retried, wanted) in [
            ((1, 1, 1, 2), "Tried again in 1 run, with 1 further attempt, which helped"),
            ((1, 0, 2, 3), "Tried again in 1 run, with 2 further attempts, which did not help"),
            (
                (4, 4, 4, 2),
                "Tried again in 4 runs, with 4 further attempts, which helped each time",
            ),
            (
                (4, 3, 6, 3),
                "Tried again in 4 runs, with 6 further attempts (at most 3 attempts in one run), which helped in 3",
            ),
            ((2, 0, 2, 2), "Tried again in 2 runs, with 2 further attempts, which never helped"),
        ] {
            let (runs, helped, further, most) = retried;
            assert_eq!(said(runs, helped, further, most).as_deref(), Some(wanted));
        }
    }

    proptest! {
        #[test]
        fn bars_fit_and_a_certainty_is_never_folded_away(levels in prop::collection::vec(0.0_f64..=1.0, 0..200), width in 1_usize..60) {
            let places: Vec<usize> = (0..levels.len()).collect();
            let shown = bars(&trail(&levels), &places, levels.len(), width, |flaky, _| flaky);
            prop_assert!(shown.bars.chars().count() <= width);
            prop_assert_eq!(shown.bars.contains('█'), levels.iter().any(|level| *level >= 0.875));
            prop_assert_eq!(shown.bars.chars().count(), shown.marks.chars().count());
        }
    }
}
