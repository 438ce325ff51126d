//! Texts, numbers, and what is made of them.

use super::{Ordered, Setting, setting};
use crate::testkit::generators::order::{Order, OrderError};
use crate::testkit::generators::{
    Alphanumerics, Booleans, Emails, Floats, HostileTexts, Integers, ItemKind, LENGTH_MAX, Lists,
    Maps, Strings, Timestamps, Urls,
};

/// A range of lengths, where an end of it was given.
fn length(order: &Order, usual: (usize, usize)) -> Result<Option<(usize, usize)>, OrderError> {
    let least = order.number("least", 0, LENGTH_MAX)?;
    let greatest = order.number("greatest", 0, LENGTH_MAX)?;
    Ok(match (least, greatest) {
        (None, None) => None,
        (Some(least), None) => Some((least, usual.1.max(least))),
        (None, Some(greatest)) => Some((usual.0.min(greatest), greatest)),
        (Some(least), Some(greatest)) => Some((least, greatest.max(least))),
    })
}

impl Ordered for Strings {
    const ABOUT: &'static str = "a text of letters";
    const SETTINGS: &'static [Setting] = &[
        setting("least", "the fewest letters", "10"),
        setting("greatest", "the most letters", "10"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let length = length(order, (10, 10))?;
        Ok(length.map_or_else(Self::new, |(least, most)| Self::new().length(least, most)))
    }
}

impl Ordered for Alphanumerics {
    const ABOUT: &'static str = "a text of letters and digits";
    const SETTINGS: &'static [Setting] = Strings::SETTINGS;

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let length = length(order, (10, 10))?;
        Ok(length.map_or_else(Self::new, |(least, most)| Self::new().length(least, most)))
    }
}

impl Ordered for HostileTexts {
    const ABOUT: &'static str = "a text that breaks careless code: Unicode, escapes, markup";
    const SETTINGS: &'static [Setting] =
        &[setting("xml", "only characters that XML 1.0 allows: true or false", "false")];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        Ok(if order.flag("xml")? { Self::new().xml() } else { Self::new() })
    }
}

impl Ordered for Integers {
    const ABOUT: &'static str = "a whole number";
    const SETTINGS: &'static [Setting] = &[
        setting("least", "the least number", "0"),
        setting("greatest", "the greatest number", "1000"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let number = |name| order.value(name, "a whole number of 64 bits", |_: &i64| true);
        Ok(match (number("least")?, number("greatest")?) {
            (None, None) => Self::new(),
            (Some(least), None) => Self::new().range(least, least.max(1_000)),
            (None, Some(greatest)) => Self::new().range(greatest.min(0), greatest),
            (Some(least), Some(greatest)) => Self::new().range(least, greatest.max(least)),
        })
    }
}

impl Ordered for Floats {
    const ABOUT: &'static str = "a number";
    const SETTINGS: &'static [Setting] = &[
        setting("least", "the least number", "0"),
        setting("greatest", "the greatest number", "1"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let number = |name| order.value(name, "a finite number", |number: &f64| number.is_finite());
        Ok(match (number("least")?, number("greatest")?) {
            (None, None) => Self::new(),
            (Some(least), None) => Self::new().range(least, least.max(1.0)),
            (None, Some(greatest)) => Self::new().range(greatest.min(0.0), greatest),
            (Some(least), Some(greatest)) => Self::new().range(least, greatest.max(least)),
        })
    }
}

impl Ordered for Booleans {
    const ABOUT: &'static str = "true or false";
    const SETTINGS: &'static [Setting] =
        &[setting("probability", "the probability of true", "0.5")];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let probability = order.probability("probability")?;
        Ok(probability.map_or_else(Self::new, |share| Self::new().probability(share)))
    }
}

impl Ordered for Timestamps {
    const ABOUT: &'static str = "a time in RFC 3339, UTC";

    fn ordered(_: &Order) -> Result<Self, OrderError> {
        Ok(Self::new())
    }
}

impl Ordered for Emails {
    const ABOUT: &'static str = "an address at a domain that belongs to nobody";

    fn ordered(_: &Order) -> Result<Self, OrderError> {
        Ok(Self)
    }
}

impl Ordered for Urls {
    const ABOUT: &'static str = "a URL at a domain that belongs to nobody";

    fn ordered(_: &Order) -> Result<Self, OrderError> {
        Ok(Self)
    }
}

impl Ordered for Maps {
    const ABOUT: &'static str = "an object with texts, numbers and truths";
    const SETTINGS: &'static [Setting] =
        &[setting("keys", "the keys, with commas between", "key0,key1,key2,key3,key4")];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        Ok(match order.text("keys") {
            Some(keys) => Self::new().keys(keys.split(',').map(str::trim)),
            None => Self::new(),
        })
    }
}

impl Ordered for Lists {
    const ABOUT: &'static str = "a list of texts, numbers or truths";
    const SETTINGS: &'static [Setting] = &[
        setting("items", "string, integer, float, boolean or mixed", "string"),
        setting("least", "the fewest items", "5"),
        setting("greatest", "the most items", "5"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        const ITEMS: [(&str, ItemKind); 5] = [
            ("string", ItemKind::String),
            ("integer", ItemKind::Integer),
            ("float", ItemKind::Float),
            ("boolean", ItemKind::Boolean),
            ("mixed", ItemKind::Mixed),
        ];
        let mut lists = Self::new();
        if let Some(items) = order.choice("items", &ITEMS)? {
            lists = lists.of(items);
        }
        if let Some((least, greatest)) = length(order, (5, 5))? {
            lists = lists.length(least, greatest);
        }
        Ok(lists)
    }
}
