//! Numbers: within their bounds, on their steps, from the text where they can be.

use serde_json::{Map, Number, Value};

use super::{Builder, Place, check, mention};

/// So many multiples of a step are tried.
const MULTIPLES_MAX: i32 = 2_000;
/// Whole numbers beyond this are not exact as floating-point numbers.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Usual numbers by a word of the property's name.
const USUAL: [(&str, f64); 14] = [
    ("age", 30.0),
    ("year", 2026.0),
    ("month", 6.0),
    ("day", 15.0),
    ("hour", 12.0),
    ("temperature", 21.5),
    ("price", 9.99),
    ("cost", 9.99),
    ("amount", 10.0),
    ("population", 1_000_000.0),
    ("score", 0.9),
    ("confidence", 0.9),
    ("probability", 0.5),
    ("limit", 10.0),
];

struct Bounds {
    least: Option<f64>,
    most: Option<f64>,
    /// The bounds themselves are left out.
    open: (bool, bool),
}

impl Builder<'_> {
    pub(super) fn number(
        &self,
        whole: bool,
        keys: &Map<String, Value>,
        place: &Place,
        variant: u64,
    ) -> Option<Value> {
        let bounds = bounds(keys);
        let fits = |value: &f64| {
            value.is_finite() && bounds.hold(*value) && (!whole || value.fract() == 0.0)
        };
        let steps = match keys.get("multipleOf") {
            Some(Value::Array(steps)) => steps.clone(),
            Some(step) => vec![step.clone()],
            None => Vec::new(),
        };
        let on_steps = |value: &f64| {
            steps.iter().filter_map(Value::as_f64).all(|step| check::is_multiple(*value, step))
        };
        let mut wanted: Vec<f64> = Vec::new();
        if variant == 0 {
            wanted.extend(self.spoken(place));
            wanted.extend(given(keys));
            wanted.extend(usual(&place.name));
        }
        if let Some(value) = wanted.into_iter().find(|value| fits(value) && on_steps(value)) {
            return json(value, whole);
        }
        match steps.first().and_then(Value::as_f64).filter(|step| *step > 0.0) {
            Some(step) => stepped(step, &bounds, variant, &|value| {
                self.work.spend(5).is_some() && fits(value) && on_steps(value)
            })
            .and_then(|value| json(value, whole)),
            None => json(free(whole, &bounds, variant), whole),
        }
    }

    /// The number that the text gives for this place: after its name, or the next one not taken.
    fn spoken(&self, place: &Place) -> Option<f64> {
        if let Some(number) = mention::number(self.text, &place.name) {
            return Some(number);
        }
        let numbers = mention::numbers(self.text);
        let mut claims = self.claims.borrow_mut();
        let next = claims.len();
        let index = *claims.entry(place.path.clone()).or_insert(next);
        numbers.get(index).copied()
    }
}

impl Bounds {
    fn hold(&self, value: f64) -> bool {
        self.least.is_none_or(|least| if self.open.0 { value > least } else { value >= least })
            && self.most.is_none_or(|most| if self.open.1 { value < most } else { value <= most })
    }
}

fn bounds(keys: &Map<String, Value>) -> Bounds {
    let closed = |key: &str| keys.get(key).and_then(Value::as_f64);
    let narrower = |closed: Option<f64>, open: &Value, later: fn(f64, f64) -> bool| match open {
        Value::Bool(open) => (closed, *open),
        open => match (closed, open.as_f64()) {
            (Some(closed), Some(open)) if later(closed, open) => (Some(closed), false),
            (_, Some(open)) => (Some(open), true),
            (closed, None) => (closed, false),
        },
    };
    let absent = Value::Null;
    let open = |key: &str| keys.get(key).unwrap_or(&absent);
    let (least, least_open) =
        narrower(closed("minimum"), open("exclusiveMinimum"), |closed, open| closed > open);
    let (most, most_open) =
        narrower(closed("maximum"), open("exclusiveMaximum"), |closed, open| closed < open);
    Bounds { least, most, open: (least_open, most_open) }
}

/// Numbers that the schema itself gives.
fn given(keys: &Map<String, Value>) -> impl Iterator<Item = f64> {
    let examples = keys.get("examples").and_then(Value::as_array);
    let examples = examples.into_iter().flatten().filter_map(Value::as_f64);
    keys.get("default").and_then(Value::as_f64).into_iter().chain(examples)
}

fn usual(name: &str) -> Option<f64> {
    let words = super::super::words::of_name(name);
    USUAL.iter().find(|(word, _)| words.iter().any(|other| other == word)).map(|(_, value)| *value)
}

/// A number on its step: the first few from zero or the nearest bound.
fn stepped(step: f64, bounds: &Bounds, variant: u64, fits: &dyn Fn(&f64) -> bool) -> Option<f64> {
    let start = match (bounds.least, bounds.most) {
        (Some(least), _) if least > 0.0 => (least / step).floor(),
        (_, Some(most)) if most < step => (most / step).ceil(),
        _ => 1.0,
    };
    let mut candidates = (0..MULTIPLES_MAX)
        .flat_map(|away| [f64::from(away), -f64::from(away)])
        .skip(1)
        .map(|away| decimal((start + away) * step))
        .filter(fits);
    candidates.nth(usize::try_from(variant).ok()?)
}

/// A product without the dust of binary fractions: `0.3`, not `0.30000000000000004`.
fn decimal(value: f64) -> f64 {
    format!("{value:.12}").parse().unwrap_or(value)
}

/// A number with no step: 1 where that is within the bounds, or close to the nearest one.
fn free(whole: bool, bounds: &Bounds, variant: u64) -> f64 {
    let variant = variant as f64;
    let unit = match (bounds.least, bounds.most) {
        _ if whole => 1.0,
        (Some(least), Some(most)) => ((most - least) / 16.0).min(0.5),
        // Halves: of an integer and a number, a schema may want exactly the one.
        _ => 0.5,
    };
    let (up, down) = (
        bounds.least.map(|least| {
            let least = if whole { least.ceil() } else { least };
            if bounds.open.0 && bounds.least == Some(least) { least + unit } else { least }
        }),
        bounds.most.map(|most| {
            let most = if whole { most.floor() } else { most };
            if bounds.open.1 && bounds.most == Some(most) { most - unit } else { most }
        }),
    );
    match (up, down) {
        (Some(up), Some(down)) => {
            let start = if up <= 1.0 && 1.0 <= down { 1.0 } else { up };
            let room = ((down - up) / unit).floor().max(0.0) + 1.0;
            up + ((start - up) + variant * unit) % (room * unit)
        }
        (Some(up), None) => up.max(1.0) + variant * unit,
        (None, Some(down)) => down.min(1.0) - variant * unit,
        (None, None) => 1.0 + variant * unit,
    }
}

fn json(value: f64, whole: bool) -> Option<Value> {
    if (whole || value.fract() == 0.0) && value.abs() <= EXACT_MAX {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}
