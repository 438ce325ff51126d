//! Which models are in memory, and until when. Moments come with the requests, so a virtual clock
//! works.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::keep_alive::{DEFAULT_KEEP_ALIVE, KeepAlive};
use super::model::Model;
use super::name::Name;

/// A model in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The model as it was when it was loaded.
    pub model: Model,
    /// Tokens that it attends to.
    pub context_length: u64,
    /// When it was last used: the end of the last answer, where that is known.
    pub used_at: DateTime<Utc>,
    /// How long it stays after its last use; `None`: for ever.
    pub stays: Option<Duration>,
}

impl Load {
    /// When it goes. For ever is Go's largest duration, 292 years, as the real server says it.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        let longest = TimeDelta::nanoseconds(i64::MAX);
        let stays = self.stays.and_then(|stays| TimeDelta::from_std(stays).ok()).unwrap_or(longest);
        self.used_at.checked_add_signed(stays.min(longest)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Whether it is still there at `moment`.
    #[must_use]
    pub fn is_loaded_at(&self, moment: DateTime<Utc>) -> bool {
        self.stays.is_none() || self.expires_at() > moment
    }
}

/// The models in memory.
#[derive(Debug, Clone, Default)]
pub struct Loads {
    by_key: BTreeMap<String, Load>,
    /// What [`Loads::take_used`] gives.
    used: Option<Name>,
}

impl Loads {
    /// Uses a model at `moment`, loading it where it is not there or has another context length.
    /// Whether it had to be loaded.
    pub fn touch(
        &mut self,
        name: &Name,
        model: impl FnOnce() -> Model,
        keep_alive: KeepAlive,
        context_length: Option<u64>,
        moment: DateTime<Utc>,
    ) -> bool {
        self.by_key.retain(|_, load| load.is_loaded_at(moment));
        self.used = Some(name.clone());
        let wanted = context_length.unwrap_or(super::DEFAULT_CONTEXT_LENGTH).max(1);
        if let Some(load) = self.by_key.get_mut(name.key()) {
            load.stays = stays(keep_alive, load.stays);
            // Requests may be read in another order than they came in.
            load.used_at = load.used_at.max(moment);
            let length = wanted.min(load.model.context_length);
            let reloads = load.context_length != length;
            load.context_length = length;
            return reloads;
        }
        let model = model();
        let load = Load {
            context_length: wanted.min(model.context_length),
            model,
            used_at: moment,
            stays: stays(keep_alive, Some(DEFAULT_KEEP_ALIVE)),
        };
        self.by_key.insert(name.key().to_owned(), load);
        true
    }

    /// The model that was used last, where this is asked for the first time since: what a request
    /// used that has just been read.
    pub fn take_used(&mut self) -> Option<Name> {
        self.used.take()
    }

    /// Says that a model, where it is in memory, is in use until `moment`: its life is counted from
    /// there. A model that answers longer than it is kept so stays until the answer's end.
    pub fn used_until(&mut self, name: &Name, moment: DateTime<Utc>) {
        if let Some(load) = self.by_key.get_mut(name.key()) {
            load.used_at = load.used_at.max(moment);
        }
    }

    /// A model that is, or was, in memory.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Load> {
        self.by_key.get(name.key())
    }

    /// Takes a model out of memory.
    pub fn unload(&mut self, name: &Name) {
        self.by_key.remove(name.key());
    }

    /// What is in memory at `moment`, what stays longest first.
    #[must_use]
    pub fn at(&self, moment: DateTime<Utc>) -> Vec<&Load> {
        let mut loads: Vec<&Load> =
            self.by_key.values().filter(|load| load.is_loaded_at(moment)).collect();
        loads.sort_by_key(|load| std::cmp::Reverse(load.expires_at().timestamp()));
        loads
    }
}

/// How long a model stays that stayed for `before`.
fn stays(keep_alive: KeepAlive, before: Option<Duration>) -> Option<Duration> {
    match keep_alive {
        KeepAlive::Default => before,
        KeepAlive::Forever => None,
        KeepAlive::For(span) => Some(span),
    }
}
