//! When two requests are the same: the identity from which decisions derive.

use serde_json::Value;

use super::exchange::Exchange;

/// 128 bits that two requests share only where method, path and body are the same, however the
/// body's JSON was spelt: the order of keys, white space, `null` for absent and `1.0` for `1` make
/// no difference, nor does the case or a `:latest` of the model, nor the boundary of a multipart body.
#[must_use]
pub fn identity(exchange: &Exchange) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in [&exchange.method, &exchange.path, &exchange.query] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    match &exchange.json {
        Some(json) => {
            let mut canonical = Vec::with_capacity(exchange.body.len());
            write_body(json, &mut canonical);
            hasher.update(&canonical);
        }
        None => match boundary(exchange) {
            Some(boundary) => {
                let mut from = 0;
                for at in memchr::memmem::find_iter(&exchange.body, boundary) {
                    hasher.update(&exchange.body[from..at]);
                    from = at + boundary.len();
                }
                hasher.update(&exchange.body[from..]);
            }
            None => {
                hasher.update(&exchange.body);
            }
        },
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    short
}

/// The boundary of a multipart body: clients draw a new one for each request.
fn boundary(exchange: &Exchange) -> Option<&[u8]> {
    let kind = exchange.header("content-type").filter(|kind| kind.starts_with("multipart/"))?;
    let (_, after) = kind.split_once("boundary=")?;
    let boundary = after.split(';').next()?.trim().trim_matches('"');
    (!boundary.is_empty()).then_some(boundary.as_bytes())
}

fn write_body(body: &Value, into: &mut Vec<u8>) {
    match body {
        Value::Object(fields) => {
            write_fields(fields, into, |name, value, into| match (name, value) {
                ("model" | "name", Value::String(model)) => {
                    let model = model.to_lowercase();
                    write_text(model.strip_suffix(":latest").unwrap_or(&model), into);
                }
                _ => write(value, into),
            });
        }
        _ => write(body, into),
    }
}

fn write(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Null => into.push(b'n'),
        Value::Bool(yes) => into.push(if *yes { b't' } else { b'f' }),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => write_number(whole as f64, Some(whole), into),
            None => write_number(number.as_f64().unwrap_or(f64::NAN), None, into),
        },
        Value::String(text) => write_text(text, into),
        Value::Array(items) => {
            into.push(b'[');
            for item in items {
                write(item, into);
            }
            into.push(b']');
        }
        Value::Object(fields) => write_fields(fields, into, |_, value, into| write(value, into)),
    }
}

fn write_fields(
    fields: &serde_json::Map<String, Value>,
    into: &mut Vec<u8>,
    write_value: impl Fn(&str, &Value, &mut Vec<u8>),
) {
    let mut sorted: Vec<(&String, &Value)> =
        fields.iter().filter(|(_, value)| !value.is_null()).collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    into.push(b'{');
    for (name, value) in sorted {
        write_text(name, into);
        write_value(name, value, into);
    }
    into.push(b'}');
}

/// Whole numbers as such, so that those beyond 2^53 stay apart.
fn write_number(number: f64, whole: Option<i64>, into: &mut Vec<u8>) {
    let whole = whole.or_else(|| {
        let fits = number.fract() == 0.0 && number.abs() < 9e15;
        fits.then_some(number as i64)
    });
    match whole {
        Some(whole) => {
            into.push(b'i');
            into.extend_from_slice(&whole.to_le_bytes());
        }
        None => {
            into.push(b'd');
            into.extend_from_slice(&number.to_bits().to_le_bytes());
        }
    }
}

fn write_text(text: &str, into: &mut Vec<u8>) {
    into.push(b's');
    into.extend_from_slice(&(text.len() as u64).to_le_bytes());
    into.extend_from_slice(text.as_bytes());
}

/// An identity in 32 lower-case hexadecimal digits, as the journal shows it.
#[must_use]
pub fn hex(identity: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> [u8; 16] {
        let json: Value = serde_json::from_str(body).unwrap();
        identity(&Exchange { json: Some(json), ..Exchange::bare("POST", "/api/chat", body) })
    }

    #[test]
    fn spelling_makes_no_difference() {
        let plain = of(r#"{"model":"a","options":{"x":1,"y":[1,2]}}"#);
        assert_eq!(plain, of(r#"{"options":{"y":[1, 2.0],"x":1.0}, "model":"A:latest"}"#));
        assert_eq!(plain, of(r#"{"model":"a","keep_alive":null,"options":{"x":1,"y":[1,2]}}"#));
    }

    #[test]
    fn boundaries_make_no_difference() {
        let upload = |boundary: &str, content: &str| {
            let body = format!("--{boundary}\r\n\r\n{content}\r\n--{boundary}--\r\n");
            let mut exchange = Exchange::bare("POST", "/v1/audio/transcriptions", &body);
            let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
            exchange.headers.insert("content-type", kind.parse().unwrap());
            identity(&exchange)
        };
        assert_eq!(upload("abc", "sound"), upload("xyz12", "sound"));
        assert_ne!(upload("abc", "sound"), upload("abc", "noise"));
    }

    #[test]
    fn what_is_said_makes_one() {
        let plain = of(r#"{"model":"a","options":{"x":1}}"#);
        for other in [
            r#"{"model":"b","options":{"x":1}}"#,
            r#"{"model":"a","options":{"x":"1"}}"#,
            r#"{"model":"a","options":{"x":true}}"#,
            r#"{"model":"a","options":{"x":[1]}}"#,
            r#"{"model":"a","x":1}"#,
        ] {
            assert_ne!(plain, of(other), "{other}");
        }
        let large = of(r#"{"n":9007199254740993}"#);
        assert_ne!(large, of(r#"{"n":9007199254740992}"#));
        let path = Exchange::bare("POST", "/api/generate", "{}");
        assert_ne!(identity(&path), identity(&Exchange::bare("POST", "/api/chat", "{}")));
    }
}
