//! Which settings a node takes.

use serde_json::{Map, Value};

use crate::testkit::contracts::clause::{Finding, Stop, broken};
use crate::testkit::contracts::setting::{Setting, SettingKind};
use crate::testkit::contracts::subject::Case;
use crate::testkit::contracts::trial::Trial;

type Config = Map<String, Value>;

/// The usual settings with one more.
fn with(trial: &Trial, key: &str, value: Value) -> Result<Config, Stop> {
    Ok(trial.usual()?.with(key, value).config)
}

async fn taken(trial: &Trial, key: &str, value: Value) -> Result<(), Stop> {
    match trial.attempt(&with(trial, key, value.clone())?).await? {
        Ok(_) => Ok(()),
        Err(reason) => broken!("`{key}` {value} is in its range and was refused: {reason}"),
    }
}

async fn refused(trial: &Trial, key: &str, value: Value) -> Result<(), Stop> {
    match trial.attempt(&with(trial, key, value.clone())?).await? {
        Ok(_) => broken!("`{key}` {value} is out of its range and was taken"),
        Err(_) => Ok(()),
    }
}

async fn setting(trial: &Trial, key: &str) -> Result<Setting, Stop> {
    match trial.settings().await?.into_iter().find(|setting| setting.name == key) {
        Some(setting) => Ok(setting),
        None => broken!("the node has no setting `{key}`"),
    }
}

/// One common setting: `usual` is taken and held, what is out of its range is refused.
async fn common(trial: &Trial, key: &str, usual: u64) -> Finding {
    let setting = setting(trial, key).await?;
    let specimen = trial.make(&with(trial, key, usual.into())?).await?;
    let described = specimen.describe().await?;
    let held = described.pointer(&format!("/config/{key}")).cloned().unwrap_or_default();
    if held != usual {
        broken!("`{key}` was written as {usual} and is held as {held}");
    }
    let (Some(least), Some(greatest)) = (&setting.least, &setting.greatest) else {
        // A node that could wait, or try again, for ever would bound nothing.
        broken!("`{key}` is unbounded on one side")
    };
    for (end, step) in [(least, -1), (greatest, 1)] {
        match setting.beyond(end, step) {
            Some(beyond) => refused(trial, key, beyond).await?,
            None => broken!("`{key}` ends at {end}, which bounds nothing"),
        }
    }
    Ok(format!("{usual} is held; {}..={}", setting.written(least), setting.written(greatest)))
}

pub(super) async fn timeout_range(trial: Trial) -> Finding {
    common(&trial, "timeout_ms", 5_000).await
}

pub(super) async fn retry_range(trial: Trial) -> Finding {
    common(&trial, "retry_count", 2).await
}

pub(super) async fn choices(trial: Trial) -> Finding {
    let mut words = Vec::new();
    let settings = trial.settings().await?;
    // A word may make the node wait; then its timeout ends that, which says why as well.
    let timeout = settings.iter().find(|setting| setting.name == "timeout_ms");
    let timeout = timeout.and_then(Setting::least_whole).unwrap_or_default().max(1_000);
    for setting in settings {
        if setting.kind == SettingKind::Choice {
            words.extend(setting.choices.into_iter().map(|word| (setting.name.clone(), word)));
        }
    }
    if words.is_empty() {
        return Err(Stop::NotApplicable("the type has no setting of words".to_owned()));
    }
    let mut seen = 0;
    let mut failed = 0;
    let mut refusals = Vec::new();
    for (key, word) in words {
        let case = trial.usual()?.with("timeout_ms", timeout).with(&key, word.as_str());
        // A word may need settings beside it; then it is refused, which says why.
        let specimen = match trial.attempt(&case.config).await? {
            Ok(specimen) => specimen,
            Err(reason) => {
                refusals.push(format!("`{key}` \"{word}\": {reason}"));
                continue;
            }
        };
        let done = specimen.execute(&case.execution()).await?;
        seen += 1;
        if !done.succeeded() {
            failed += 1;
            if done.error().is_empty() {
                broken!("with `{key}` \"{word}\" the node fails and says no error");
            }
        }
    }
    match seen {
        0 => broken!("every word of every choice is refused: {}", refusals.join("; ")),
        _ => Ok(format!(
            "words that ran: {seen}, of these failed and said why: {failed}; refused: {}",
            refusals.len()
        )),
    }
}

pub(super) async fn unknown_keys(trial: Trial) -> Finding {
    const KEY: &str = "no_such_setting";
    match trial.attempt(&with(&trial, KEY, true.into())?).await? {
        Ok(_) => broken!("`{KEY}` was taken; a slip of the hand would do nothing, silently"),
        Err(reason) if reason.contains(KEY) => Ok(reason),
        Err(reason) => broken!("`{KEY}` was refused, and the reason does not name it: {reason}"),
    }
}

pub(super) async fn ranges(trial: Trial) -> Finding {
    let settings = trial.settings().await?;
    let numeric =
        |setting: &&Setting| matches!(setting.kind, SettingKind::Integer | SettingKind::Number);
    let mut ends = 0;
    let mut passed = 0;
    for setting in settings.iter().filter(numeric) {
        for (end, step) in [(&setting.least, -1), (&setting.greatest, 1)] {
            let Some(end) = end else { continue };
            taken(&trial, &setting.name, setting.written(end)).await?;
            // Some ends have no neighbour that every language tells from them.
            if let Some(beyond) = setting.beyond(end, step) {
                refused(&trial, &setting.name, beyond).await?;
                passed += 1;
            }
            ends += 1;
        }
    }
    match ends {
        0 => Err(Stop::NotExercised("no setting has a range".to_owned())),
        _ => Ok(format!("ends of ranges reached: {ends}, numbers beyond refused: {passed}")),
    }
}

pub(super) async fn defaults(trial: Trial) -> Finding {
    let specimen = match trial.attempt(&Map::new()).await? {
        Ok(specimen) => specimen,
        Err(reason) => return Ok(format!("refused: {reason}")),
    };
    let case = Case { config: Map::new(), ..trial.usual()? };
    let done = specimen.execute(&case.execution()).await?;
    match done.succeeded() {
        true => Ok("a node without settings works".to_owned()),
        false => broken!(
            "a node without settings is made and cannot work: {}; refuse it, or give it defaults",
            done.error()
        ),
    }
}
