//! Flags that set a number of the chosen method: which method has which, and a refusal where a flag
//! that was typed would do nothing.
//!
//! A flag is a short way to write `--set judging.METHOD.KEY=`; whether a method has the key is read
//! from the settings themselves, so that a new method needs nothing here.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};
use toml::{Table, Value};

use crate::analysis::Settings;
use crate::analysis::method::METHODS;
use crate::report::sentence;

use super::failure::Failure;

/// A flag and the number it sets.
#[derive(Debug, Clone)]
pub struct Number {
    /// The flag's name in clap.
    pub id: &'static str,
    /// The flag as it is typed, without the dashes.
    pub flag: &'static str,
    /// The key of the method's section.
    pub key: &'static str,
    /// Its value, where there is one.
    pub value: Option<Value>,
}

/// Which of the flags that are numbers were typed; the others come from the environment, which is
/// meant for many commands and methods.
#[derive(Debug, Clone, Default)]
pub struct Typed(Vec<&'static str>);

impl Typed {
    const IDS: [&'static str; 5] =
        ["strict", "window_results", "min_runs", "threshold", "quarantine_runs"];

    fn has(&self, id: &str) -> bool {
        self.0.contains(&id)
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        Ok(Self(Self::IDS.into_iter().filter(typed).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// It has no flags of its own: it looks at those beside it.
impl clap::Args for Typed {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// Sets the numbers in the sections of the chosen methods.
///
/// # Errors
/// Where a flag was typed that none of the methods uses.
pub fn set(
    settings: Settings,
    numbers: Vec<Number>,
    typed: &Typed,
    chosen: &[&str],
) -> Result<Settings, Failure> {
    let given: Vec<Number> = numbers.into_iter().filter(|number| number.value.is_some()).collect();
    if given.is_empty() {
        return Ok(settings);
    }
    let mut table = Table::try_from(&settings).map_err(Failure::usage)?;
    for number in given {
        let takes =
            |name: &&&str| section(&table, name).is_some_and(|it| it.contains_key(number.key));
        let takers: Vec<&str> = chosen.iter().filter(takes).copied().collect();
        if takers.is_empty() && typed.has(number.id) {
            return Err(refusal(&table, &number, chosen));
        }
        for name in takers {
            let section = table.get_mut(name).and_then(Value::as_table_mut);
            if let (Some(section), Some(value)) = (section, &number.value) {
                section.insert(number.key.to_owned(), value.clone());
            }
        }
    }
    table.try_into().map_err(Failure::usage)
}

fn section<'a>(table: &'a Table, method: &str) -> Option<&'a Table> {
    table.get(method).and_then(Value::as_table)
}

fn refusal(table: &Table, number: &Number, chosen: &[&str]) -> Failure {
    let has = |name: &&str| section(table, name).is_some_and(|it| it.contains_key(number.key));
    let users: Vec<String> =
        METHODS.iter().map(|method| method.name).filter(has).map(str::to_owned).collect();
    let [plural, chosen_plural] =
        [users.len(), chosen.len()].map(|count| if count == 1 { "" } else { "s" });
    let names: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
    let failure = Failure::usage(anyhow::anyhow!(
        "--{} belongs to the method{plural} {}; the method{chosen_plural} {} would ignore it",
        number.flag,
        sentence::list(&users),
        sentence::list(&names),
    ));
    let Some((name, own)) = chosen.first().and_then(|name| Some((name, section(table, name)?)))
    else {
        return failure;
    };
    let numbers = own.iter().filter(|(_, value)| !value.is_table());
    let keys: Vec<String> =
        numbers.map(|(key, value)| format!("--set judging.{name}.{key}={value}")).collect();
    failure.hint(format!("the numbers of {name} are: {}", keys.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(key: &'static str, value: impl Into<Value>) -> Number {
        Number { id: key, flag: key, key, value: Some(value.into()) }
    }

    #[test]
    fn a_number_is_set_where_the_method_has_it_and_nowhere_else() {
        let set = |chosen: &[&str]| {
            let numbers = vec![number("window", 7), number("min-runs", 9)];
            set(Settings::default(), numbers, &Typed::default(), chosen).unwrap()
        };
        let settings = set(&["wilson"]);
        assert_eq!((settings.wilson.window, settings.wilson.min_runs), (7, 9));
        assert_eq!(settings.threshold, Settings::default().threshold);
        let settings = set(&["evidence", "threshold"]);
        assert_eq!((settings.evidence.min_runs, settings.threshold.window), (9, 7));
        let rest = Settings {
            evidence: Settings::default().evidence,
            threshold: Settings::default().threshold,
            ..settings
        };
        assert_eq!(rest, Settings::default());
    }

    #[test]
    fn what_was_typed_in_vain_is_refused_with_the_numbers_there_are() {
        let refuse = |typed: Typed| {
            set(Settings::default(), vec![number("window", 7)], &typed, &["entropy"])
        };
        assert_eq!(refuse(Typed::default()).unwrap(), Settings::default());
        let failure = refuse(Typed(vec!["window"])).unwrap_err();
        assert_eq!(
            failure.error.unwrap().to_string(),
            "--window belongs to the methods threshold and wilson; the method entropy would \
             ignore it"
        );
        let hint = failure.hint.unwrap();
        assert!(hint.contains("--set judging.entropy.threshold=0.05"), "{hint}");
    }
}
