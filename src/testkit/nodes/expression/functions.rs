//! The functions and methods of expressions.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::testkit::shown::cut;

/// The functions: as in Python, over values that are there.
///
/// `len` counts characters, items or keys; `str`, `int`, `float` and `bool` convert; `any` and `all`
/// take a list; `min` and `max` take a list, or two values and more.
pub const FUNCTIONS: &[&str] = &["len", "str", "int", "float", "bool", "any", "all", "min", "max"];

/// The methods: of texts all but the last, which is of objects.
pub const METHODS: &[&str] = &["lower", "upper", "strip", "startswith", "endswith", "get"];

/// Bytes that one fuel pays for, as in minijinja.
const BYTES_PER_FUEL: u64 = 64;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_function("len", len);
    environment.add_function("str", |state: &State, value: Value| {
        let text = defined(value)?.to_string();
        paid(state, text.len())?;
        Ok::<_, Error>(text)
    });
    environment.add_function("int", |value: Value| int(&defined(value)?));
    environment.add_function("float", |value: Value| float(&defined(value)?));
    environment.add_function("bool", |value: Value| Ok::<_, Error>(defined(value)?.is_true()));
    environment.add_function("any", |state: &State, list: Value| {
        Ok::<_, Error>(items(state, &list)?.iter().any(Value::is_true))
    });
    environment.add_function("all", |state: &State, list: Value| {
        Ok::<_, Error>(items(state, &list)?.iter().all(Value::is_true))
    });
    environment.add_function("min", |state: &State, values: Rest<Value>| {
        candidates(state, values.0)?.into_iter().min().ok_or_else(|| wrong("min of nothing"))
    });
    environment.add_function("max", |state: &State, values: Rest<Value>| {
        candidates(state, values.0)?.into_iter().max().ok_or_else(|| wrong("max of nothing"))
    });
    environment.set_unknown_method_callback(|state, value, method, arguments| {
        call(state, value, method, arguments)
    });
}

fn wrong(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

/// A value in an error: a text by its begin, a list or an object by its kind.
fn described(value: &Value) -> String {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => format!("{:?}", Value::from(cut(text).as_ref())),
        (None, kind @ (ValueKind::Seq | ValueKind::Map | ValueKind::Iterable)) => kind.to_string(),
        (None, _) => format!("{value:?}"),
    }
}

fn paid(state: &State, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(bytes as u64 / BYTES_PER_FUEL)
}

fn defined(value: Value) -> Result<Value, Error> {
    match value.is_undefined() {
        true => Err(Error::from(ErrorKind::UndefinedError)),
        false => Ok(value),
    }
}

fn len(state: &State, value: Value) -> Result<usize, Error> {
    let value = defined(value)?;
    if let Some(text) = value.as_str() {
        paid(state, text.len())?;
        return Ok(text.chars().count());
    }
    value.len().ok_or_else(|| wrong(format!("{} has no length", value.kind())))
}

fn int(value: &Value) -> Result<Value, Error> {
    /// Whole numbers up to here are exact as floating point, and fit an `i64`.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    let none = || wrong(format!("int of {}", described(value)));
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(i64::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => Ok(value.clone()),
        ValueKind::Number => {
            let number = f64::try_from(value.clone())?.trunc();
            match number.abs() <= WHOLE_MAX {
                true => Ok(Value::from(number as i64)),
                false => Err(none()),
            }
        }
        _ => {
            let text = value.as_str().ok_or_else(none)?;
            text.trim().parse::<i64>().map(Value::from).map_err(|_| none())
        }
    }
}

fn float(value: &Value) -> Result<f64, Error> {
    let none = || wrong(format!("float of {}", described(value)));
    let number = match value.kind() {
        ValueKind::Bool => f64::from(u8::from(value.is_true())),
        ValueKind::Number => f64::try_from(value.clone())?,
        _ => value.as_str().ok_or_else(none)?.trim().parse().map_err(|_| none())?,
    };
    match number.is_finite() {
        true => Ok(number),
        false => Err(none()),
    }
}

fn items(state: &State, list: &Value) -> Result<Vec<Value>, Error> {
    if list.as_str().is_some() {
        return Err(wrong("needs a list, not a text"));
    }
    let items = list.try_iter()?;
    state.consume_fuel(list.len().unwrap_or_default() as u64)?;
    Ok(items.collect())
}

fn candidates(state: &State, mut values: Vec<Value>) -> Result<Vec<Value>, Error> {
    let values = match (values.len(), values.pop()) {
        (1, Some(list)) => items(state, &list)?,
        (_, Some(last)) => {
            values.push(last);
            values
        }
        (_, None) => values,
    };
    values.into_iter().map(defined).collect()
}

fn call(state: &State, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let unknown = || {
        let detail = format!("{} has no method `{method}`", value.kind());
        Error::new(ErrorKind::UnknownMethod, detail)
    };
    if let ("get", ValueKind::Map, [key, rest @ ..]) = (method, value.kind(), arguments) {
        let found = value.get_item(key)?;
        return match (found.is_undefined(), rest) {
            (false, _) => Ok(found),
            (true, [instead]) => Ok(instead.clone()),
            (true, _) => Ok(Value::from(())),
        };
    }
    let text = value.as_str().ok_or_else(unknown)?;
    paid(state, text.len())?;
    let part = |argument: &Value| {
        argument
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| wrong(format!("`{method}` needs a text")))
    };
    match (method, arguments) {
        ("lower", []) => Ok(Value::from(text.to_lowercase())),
        ("upper", []) => Ok(Value::from(text.to_uppercase())),
        ("strip", []) => Ok(Value::from(text.trim())),
        ("startswith", [start]) => Ok(Value::from(text.starts_with(&part(start)?))),
        ("endswith", [end]) => Ok(Value::from(text.ends_with(&part(end)?))),
        _ => Err(unknown()),
    }
}
