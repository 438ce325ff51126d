//! Answers made from the request by a template.

use minijinja::value::{Serde, Value as Template};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context};

use super::Facts;
use super::condition::Seen;
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::chance::Chance;

/// A template takes so many steps at most.
const STEPS_MAX: u64 = 200_000;
/// The longest text that a template makes, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// A template under work is called so in its errors.
const NAME: &str = "template";

/// Whether a template can be read.
///
/// # Errors
/// Where it cannot, with line and reason.
pub(super) fn check(source: &str) -> Result<(), String> {
    Environment::new().template_from_named_str(NAME, source).map(drop).map_err(|error| text(&error))
}

/// The text of a template for a request that is seen the `n`-th time.
///
/// # Errors
/// Where the template asks for what is not there, takes too many steps or makes too much text.
pub(super) fn render(source: &str, facts: &Facts<'_>, n: u64) -> Result<String, String> {
    let seen = Seen { exchange: facts.exchange, route: facts.route, asked: facts.asked };
    let environment = environment(facts.chance.under("template"));
    let ask = seen.ask();
    let messages: Vec<Template> = ask
        .map(|ask| ask.messages.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|message| context! { role => message.role.as_str(), content => message.content.as_str() })
        .collect();
    let options = match facts.asked {
        Asked::Text(ask) => Some(&ask.options),
        Asked::Vectors(ask) => Some(&ask.options),
        Asked::Done(_) => None,
    };
    let context = context! {
        user => match facts.asked {
            Asked::Text(ask) => ask.last_user_whole(),
            _ => seen.users().join("\n"),
        },
        system => ask.map(|ask| ask.system()),
        model => seen.model(),
        messages => messages,
        turn => ask.map_or(0, |ask| ask.turn()),
        tool_result => ask.and_then(|ask| ask.tool_result()).map(|result| result.content.as_str()),
        tools => ask.map(|ask| ask.tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>()),
        options => options.map(Serde),
        stream => ask.is_some_and(|ask| ask.stream),
        body => facts.exchange.json.as_ref().map(Serde),
        route => facts.route,
        n => n,
        now => facts.exchange.received_at.to_rfc3339(),
    };
    let template =
        environment.template_from_named_str(NAME, source).map_err(|error| text(&error))?;
    let mut made = Made::default();
    match template.render_captured_to(context, &mut made) {
        _ if made.too_much => Err(format!("it makes more than {TEXT_BYTES_MAX} bytes of text")),
        Err(error) => Err(text(&error)),
        Ok(_) => String::from_utf8(made.bytes).map_err(|error| error.to_string()),
    }
}

/// The text so far; what goes beyond its limit ends the work.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    too_much: bool,
}

impl std::io::Write for Made {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > TEXT_BYTES_MAX {
            self.too_much = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Functions that draw: the same for the same request and seed.
fn environment(chance: Chance) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(STEPS_MAX));
    environment.add_function("random", move |name: Option<String>| {
        chance.uniform(&name.unwrap_or_default(), 0)
    });
    environment.add_function("random_int", move |from: i64, to: i64, name: Option<String>| {
        let room = to.checked_sub(from).filter(|room| *room >= 0).ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, "random_int(from, to) wants from <= to")
        })?;
        let drawn = chance.bits(&name.unwrap_or_default(), 1) % (room.unsigned_abs() + 1);
        Ok(from.saturating_add_unsigned(drawn))
    });
    environment.add_function("choose", move |items: Vec<Template>, name: Option<String>| {
        let drawn = chance.bits(&name.unwrap_or_default(), 2) % items.len().max(1) as u64;
        let index = usize::try_from(drawn).unwrap_or(0);
        items.get(index).cloned().ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, "choose(list) wants a list that is not empty")
        })
    });
    environment.add_function("uuid", move |name: Option<String>| {
        let hex = chance.hex(&name.unwrap_or_default(), 3, 32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        format!(
            "{}-{}-4{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    });
    environment
}

fn text(error: &Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return format!("it takes more than {STEPS_MAX} steps");
    }
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {detail}"),
        None => detail,
    }
}
