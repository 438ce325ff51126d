//! Figures: what a trend, a heat map and a strip look like, as path data of SVG.
//!
//! Everything here is made of numbers alone: no text of a report comes near a path. Shapes differ
//! as well as colours, so that a figure reads in black and white.

use std::fmt::Write as _;

use super::super::sentence;
use super::super::strip;
use super::super::view::{PeriodView, SquareView, TrendView};

/// Width of every figure, in its own units.
pub(super) const WIDTH: f64 = 720.0;
/// Room for the numbers of the upright axis.
const LEFT: f64 = 34.0;
/// Dates below an axis: more would touch.
const TICKS_MAX: usize = 6;
/// The same with hours.
const HOUR_TICKS_MAX: usize = 4;
/// Marks of a strip that has a bar for each.
const STRIP_MARKS_MAX: usize = 720;
/// The widest bar of a short strip.
const STRIP_BAR_MAX: f64 = 10.0;
/// From this width on bars stand apart.
const APART_FROM: f64 = 3.0;
/// The narrowest square that holds a number.
const NUMBER_FROM: f64 = 15.0;
/// Height of a row of the heat map.
const SQUARE: f64 = 18.0;
/// Shares of failed runs at which a square becomes darker.
const LEVELS: [f64; 3] = [0.1, 0.3, 0.6];

const DAY: i64 = 86_400;

/// Path data of rectangles.
#[derive(Default)]
struct Rectangles(String);

impl Rectangles {
    fn add(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let [x, y, width, height] = [x, y, width, height].map(short);
        let _ = write!(self.0, "M{x} {y}h{width}v{height}h-{width}z");
    }
}

/// A number with at most two decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Shapes of one meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// The class that colours them.
    pub class: &'static str,
    /// Their colour where no style sheet is allowed.
    pub fill: &'static str,
    /// The path.
    pub path: String,
}

/// A class with its colour where no style sheet is allowed.
type Shade = (&'static str, &'static str);

/// The shapes of each shade, without those that have none.
fn drawn(shades: &[Shade], paths: impl IntoIterator<Item = Rectangles>) -> Vec<Layer> {
    let layer = |(&(class, fill), path): (&Shade, Rectangles)| Layer { class, fill, path: path.0 };
    let layers = shades.iter().zip(paths).map(layer);
    layers.filter(|layer| !layer.path.is_empty()).collect()
}

/// A text in a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub x: String,
    pub y: String,
    pub anchor: &'static str,
    pub text: String,
}

/// What one period says when a pointer rests on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hover {
    pub x: String,
    pub width: String,
    pub text: String,
}

/// Bars over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    pub height: u32,
    /// Where bars stand.
    pub base: u32,
    /// Where the largest number of the axis is.
    pub top: u32,
    /// The largest number of the axis.
    pub most: String,
    pub layers: Vec<Layer>,
    pub ticks: Vec<Mark>,
    pub hovers: Vec<Hover>,
}

/// A row of the heat map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeatRow {
    pub layers: Vec<Layer>,
    pub numbers: Vec<Mark>,
}

/// The runs of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StripFigure {
    pub layers: Vec<Layer>,
    /// Where it changed.
    pub changes: Vec<String>,
}

/// How long a period is, in words.
pub(super) fn period_words(seconds: i64) -> String {
    match seconds {
        3_600 => "hour".to_owned(),
        ..DAY => format!("{} hours", seconds / 3_600),
        DAY => "day".to_owned(),
        _ if seconds == 7 * DAY => "week".to_owned(),
        _ => format!("{} weeks", seconds / (7 * DAY)),
    }
}

/// When a period begins: a day, or a day and an hour.
pub(super) fn begins(period: &PeriodView, seconds: i64) -> String {
    let kept = if seconds < DAY { 16 } else { 10 };
    let text = &period.begins;
    text.get(..kept).map_or(text.clone(), |begin| begin.replace('T', " "))
}

/// Runs of each period, by what became of them.
pub(super) fn runs(trend: &TrendView) -> Chart {
    let most = trend.periods.iter().map(|period| period.runs).max().unwrap_or(0);
    let parts = |period: &PeriodView| {
        let other = period.red - period.red_for_flakes;
        let green = period.runs - period.red - period.outages;
        [other, period.red_for_flakes, period.outages, green].map(f64::from)
    };
    let hover = |period: &PeriodView| {
        let mut said = vec![sentence::count(period.runs, "run")];
        if period.red > 0 {
            let flakes = sentence::number(period.red_for_flakes.into());
            let red = sentence::number(period.red.into());
            said.push(format!("{red} red, {flakes} of them for flakes alone"));
        }
        if period.outages > 0 {
            said.push(sentence::count(period.outages, "outage"));
        }
        said.join(", ")
    };
    let classes =
        [("bad", "#b42318"), ("flaky", "#b76e00"), ("outage", "#8a8f98"), ("pass", "#cfd4da")];
    let most = round_up(f64::from(most));
    bars(trend, 150, most, &classes, &|period| parts(period).to_vec(), &hover)
}

/// Flaky failures for each run of a period.
pub(super) fn flakes(trend: &TrendView) -> Chart {
    let rate = |period: &PeriodView| {
        f64::from(period.flakes) / f64::from((period.runs - period.outages).max(1))
    };
    let most = trend.periods.iter().map(rate).fold(0.0, f64::max);
    let hover = |period: &PeriodView| {
        let usual = sentence::count(period.runs - period.outages, "run");
        format!("{} in {usual}", sentence::count(period.flakes, "flaky failure"))
    };
    let classes = [("flaky", "#b76e00")];
    bars(trend, 100, round_up(most), &classes, &|period| vec![rate(period)], &hover)
}

type Hovered<'a> = &'a dyn Fn(&PeriodView) -> String;

fn bars(
    trend: &TrendView,
    height: u32,
    most: f64,
    classes: &[Shade],
    parts: &dyn Fn(&PeriodView) -> Vec<f64>,
    hover: Hovered<'_>,
) -> Chart {
    let (top, base) = (12, height - 22);
    let room = f64::from(base - top);
    let step = (WIDTH - LEFT) / trend.periods.len().max(1) as f64;
    let width = step - (step / 6.0).clamp(0.5, 6.0);
    let mut layers: Vec<Rectangles> = classes.iter().map(|_| Rectangles::default()).collect();
    let mut hovers = Vec::new();
    for (place, period) in trend.periods.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let mut y = f64::from(base);
        for (layer, part) in layers.iter_mut().zip(parts(period)) {
            let tall = part / most * room;
            if tall > 0.0 {
                y -= tall;
                layer.add(x, y, width, tall);
            }
        }
        if period.runs > 0 {
            let text = format!("{}: {}", begins(period, trend.period_seconds), hover(period));
            hovers.push(Hover { x: short(x), width: short(step), text });
        }
    }
    let layers = drawn(classes, layers);
    let most = match most {
        small if small > 0.0 && small < 10.0 => {
            // Rounded up to one digit, and shown with as many decimals as that takes.
            format!("{small:.*}", (-small.log10().floor()).max(0.0) as usize)
        }
        most => sentence::number(most as u64),
    };
    Chart {
        height,
        base,
        top,
        most,
        layers,
        ticks: ticks(trend, f64::from(height - 6), LEFT),
        hovers,
    }
}

/// The dates above the heat map.
pub(super) fn heat_ticks(trend: &TrendView) -> Vec<Mark> {
    ticks(trend, 12.0, 0.0)
}

fn ticks(trend: &TrendView, y: f64, left: f64) -> Vec<Mark> {
    let periods = trend.periods.len();
    let step = (WIDTH - left) / periods.max(1) as f64;
    let most = if trend.period_seconds < DAY { HOUR_TICKS_MAX } else { TICKS_MAX };
    let count = periods.min(most);
    let tick = |nth: usize| {
        let place = nth * periods.saturating_sub(1) / count.saturating_sub(1).max(1);
        let period = trend.periods.get(place)?;
        let from = left + step * place as f64;
        let (x, anchor) = match nth {
            0 => (from, "start"),
            nth if nth + 1 == count => (WIDTH, "end"),
            _ => (from + step / 2.0, "middle"),
        };
        let text = begins(period, trend.period_seconds);
        Some(Mark { x: short(x), y: short(y), anchor, text })
    };
    (0..count).filter_map(tick).collect()
}

/// The smallest of 1, 2, 5, 10, 20, … (or of 0.1, 0.2, …) that is no less; 1 for nothing.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let decade = 10_f64.powf(most.log10().floor());
    let fits = |step: &f64| step * decade >= most * (1.0 - 1e-9);
    [1.0, 2.0, 5.0, 10.0].into_iter().find(fits).unwrap_or(10.0) * decade
}

/// A row of the heat map: the stronger the colour, the more of the runs of a period failed.
pub(super) fn heat(squares: &[SquareView]) -> HeatRow {
    let step = WIDTH / squares.len().max(1) as f64;
    let width = step - (step / 10.0).min(1.5);
    let classes: [Shade; 5] = [
        ("ran", "#eceff2"),
        ("h1", "#f6c9b8"),
        ("h2", "#ea8f6f"),
        ("h3", "#cf4f30"),
        ("h4", "#8f1d10"),
    ];
    let mut layers: [Rectangles; 5] = Default::default();
    let mut numbers = Vec::new();
    for (place, square) in squares.iter().enumerate().filter(|(_, square)| square.ran > 0) {
        let share = f64::from(square.bad) / f64::from(square.ran);
        let level = match square.bad {
            0 => 0,
            _ => 1 + LEVELS.iter().filter(|from| share > **from).count(),
        };
        let x = step * place as f64;
        if let Some(layer) = layers.get_mut(level) {
            layer.add(x, 0.0, width, SQUARE);
        }
        if square.bad > 0 && step >= NUMBER_FROM && square.bad < 1_000 {
            let anchor = if level > 2 { "light" } else { "dark" };
            let x = short(x + width / 2.0);
            numbers.push(Mark { x, y: "13".to_owned(), anchor, text: square.bad.to_string() });
        }
    }
    HeatRow { layers: drawn(&classes, layers), numbers }
}

/// A bar for each run: a failure tall, a pass on retry half as tall, a pass a low one.
pub(super) fn strip(marks: &str, changes: impl Iterator<Item = usize>) -> StripFigure {
    let folded = strip::folded(marks, STRIP_MARKS_MAX);
    let marks: Vec<char> = folded.chars().collect();
    let step = (WIDTH / marks.len().max(1) as f64).min(STRIP_BAR_MAX);
    let apart = if step >= APART_FROM { 1.0 } else { 0.0 };
    let classes: [Shade; 5] = [
        ("pass", "#cfd4da"),
        ("bad", "#b42318"),
        ("flaky", "#b76e00"),
        ("outage", "#8a8f98"),
        ("skip", "#8a8f98"),
    ];
    let mut layers: [Rectangles; 5] = Default::default();
    let mut place = 0;
    for same in marks.chunk_by(|one, other| one == other) {
        let Some(mark) = same.first() else { continue };
        let (layer, y, height) = match mark {
            'F' | 'E' => (1, 2.0, 26.0),
            &strip::MIXED => (1, 9.0, 19.0),
            &strip::RETRIED => (2, 14.0, 14.0),
            &strip::OUTAGE => (3, 2.0, 26.0),
            's' => (4, 27.0, 1.0),
            &strip::FOLD => (4, 0.0, 30.0),
            _ => (0, 24.0, 4.0),
        };
        // Runs that did the same share a bar, but where each failure can be seen.
        let bars = if apart > 0.0 && layer != 0 { same.len() } else { 1 };
        let width = step * (same.len() / bars) as f64;
        for bar in 0..bars {
            let x = step * place as f64 + width * bar as f64;
            if let Some(layer) = layers.get_mut(layer) {
                layer.add(x, y, width - apart, height);
            }
        }
        place += same.len();
    }
    // Of a folded strip nobody can point to a run.
    let changes = changes.filter(|_| folded.len() == marks.len() && !folded.contains(strip::FOLD));
    StripFigure {
        layers: drawn(&classes, layers),
        changes: changes.map(|place| short(step * place as f64)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_axis_ends_with_a_round_number() {
        for (most, end) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (3.0, 5.0),
            (7.0, 10.0),
            (12.0, 20.0),
            (0.34, 0.5),
            (10.0, 10.0),
        ] {
            assert!((round_up(most) - end).abs() < 1e-9, "{most}: {}", round_up(most));
        }
        assert!((round_up(f64::NAN) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn each_outcome_has_a_shape_of_its_own() {
        let figure = strip("..Frsx", std::iter::once(2));
        let shapes: Vec<_> =
            figure.layers.iter().map(|layer| (layer.class, layer.path.as_str())).collect();
        assert_eq!(
            shapes,
            [
                ("pass", "M0 24h19v4h-19z"),
                ("bad", "M20 2h9v26h-9z"),
                ("flaky", "M30 14h9v14h-9z"),
                ("outage", "M50 2h9v26h-9z"),
                ("skip", "M40 27h9v1h-9z"),
            ]
        );
        assert_eq!(figure.changes, ["20"]);
        assert_eq!(strip("", std::iter::empty()).layers, []);
    }

    #[test]
    fn squares_are_as_dark_as_the_share_that_failed() {
        let square = |bad, ran| SquareView { ran, bad };
        let row = heat(&[
            square(0, 0),
            square(0, 5),
            square(1, 10),
            square(2, 10),
            square(5, 10),
            square(9, 10),
        ]);
        let classes: Vec<_> = row.layers.iter().map(|layer| layer.class).collect();
        assert_eq!(classes, ["ran", "h1", "h2", "h3", "h4"]);
        let numbers: Vec<_> = row.numbers.iter().map(|number| number.text.as_str()).collect();
        assert_eq!(numbers, ["1", "2", "5", "9"]);
    }

    proptest! {
        #[test]
        fn a_strip_stays_small_however_long_the_history(marks in "[.FErsx]{0,3000}") {
            let figure = strip(&marks, [0, 2_999].into_iter());
            let bytes: usize = figure.layers.iter().map(|layer| layer.path.len()).sum();
            prop_assert!(bytes <= (STRIP_MARKS_MAX + 1) * 36, "{bytes}");
        }
    }
}
