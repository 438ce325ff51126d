//! Setting a server up before it starts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::clock::Clock;
use super::fault::{Decisions, FaultRule};
use super::handle::{MockOllama, StartError};
use super::models::{Capability, Models, Name, UnknownModels};
use super::namespace::Beginning;
use super::record::Upstream;
use super::recorder::Recorder;
use super::server;
use super::settings::{CustomRoute, Settings};
use super::stub::{RuleFile, Stub, Stubs};
use super::timing::Timing;
use super::world::{Options, World};

/// A body, at most, unless told otherwise: 100 MiB.
pub const BODY_BYTES_MAX: usize = 100 << 20;

/// A server to be.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    host: IpAddr,
    port: u16,
    threads: usize,
    options: Options,
    clock: Clock,
    upstream: Option<Upstream>,
    settings: Settings,
    /// Names of models; none: the default list.
    models: Vec<String>,
    /// What models can do that rules give it for, by their names.
    capabilities: BTreeMap<String, Vec<Capability>>,
    /// Names that a pull does not find.
    not_in_registry: Vec<String>,
    default_model: Option<String>,
    unknown: UnknownModels,
    stubs: Vec<Stub>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            host: server::HOST,
            port: 0,
            threads: 1,
            options: Options { body_bytes_max: BODY_BYTES_MAX, checks_host: true },
            clock: Clock::system(),
            upstream: None,
            settings: Settings::default(),
            models: Vec::new(),
            capabilities: BTreeMap::new(),
            not_in_registry: Vec::new(),
            default_model: None,
            unknown: UnknownModels::default(),
            stubs: Vec::new(),
        }
    }
}

impl Builder {
    /// Listens on this port in place of any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Listens on this address in place of loopback. Anyone who reaches it may ask.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Serves with so many threads in place of one.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// What every decision derives from; 0 unless told otherwise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Has this model. The first one named takes the place of the default list.
    pub fn model(self, name: &str) -> Self {
        self.models([name])
    }

    /// Has these models, as [`Builder::model`].
    pub fn models<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.models.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
        self
    }

    /// Answers with this model where a request names none; the server has it.
    pub fn default_model(mut self, name: &str) -> Self {
        self.default_model = Some(name.to_owned());
        self
    }

    /// Everything that a rule file says.
    pub fn rules(mut self, rules: RuleFile) -> Self {
        let RuleFile { models, capabilities, settings, stubs } = rules;
        self.capabilities.extend(capabilities);
        self.not_in_registry.extend(settings.not_in_registry.iter().flatten().cloned());
        settings.apply(&mut self.settings);
        if let Some(any_model) = settings.any_model {
            self.unknown = if any_model { UnknownModels::Allow } else { UnknownModels::Reject };
        }
        self.default_model = settings.default_model.or(self.default_model);
        self.stubs.extend(stubs);
        self.models(models)
    }

    /// Answers for models that it does not have, too.
    pub fn any_model(mut self) -> Self {
        self.unknown = UnknownModels::Allow;
        self
    }

    /// A stub, and the models that it names; later ones win over earlier ones of the same
    /// priority.
    pub fn stub(mut self, stub: Stub) -> Self {
        self.stubs.push(stub);
        self
    }

    /// Answers requests without a stub by their `format` schema and their `tools`.
    pub fn auto(mut self) -> Self {
        self.settings.auto = true;
        self
    }

    /// Makes a request without a stub an error that says which stub came nearest.
    pub fn strict(mut self) -> Self {
        self.settings.default_replies = false;
        self
    }

    /// How long answers take; what it does not set stays as it is.
    pub fn timing(mut self, timing: &Timing) -> Self {
        self.settings.timing = timing.over(&self.settings.timing);
        self
    }

    /// What breaks, and when.
    pub fn fault(mut self, rule: FaultRule) -> Self {
        self.settings.faults.push(rule);
        self
    }

    /// Decides as an earlier run did, where it saw the same request as often.
    pub fn decisions(mut self, decisions: Decisions) -> Self {
        self.settings.decisions = Some(Arc::new(decisions));
        self
    }

    /// Passes what no stub, route or fault of this server answers on to a real server, and records
    /// what that says ([`MockOllama::cassette`]). Which models there are is the real server's affair.
    pub fn record(mut self, upstream: Upstream) -> Self {
        self.upstream = Some(upstream);
        self.unknown = UnknownModels::Allow;
        self
    }

    /// A raw answer to a method and path, before the API: the server as a plain HTTP stub.
    pub fn route(mut self, route: CustomRoute) -> Self {
        self.settings.routes.push(route);
        self
    }

    /// Goes by this clock in place of the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Refuses bodies of more bytes than these with 413.
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.options.body_bytes_max = bytes;
        self
    }

    /// Answers whatever `Host` a request is for; the real server, on loopback, refuses foreign ones.
    pub fn any_host(mut self) -> Self {
        self.options.checks_host = false;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// Where a model's name is not valid, the port cannot be opened, or no thread can be had.
    pub fn start(self) -> Result<MockOllama, StartError> {
        let beginning = self.beginning()?;
        let Self { host, port, threads, mut options, clock, upstream, .. } = self;
        options.checks_host &= host.is_loopback();
        let world = World::new(options, beginning, clock, upstream.map(Recorder::new));
        MockOllama::serve(world, host, port, threads)
    }

    fn beginning(&self) -> Result<Beginning, StartError> {
        let moment = self.clock.now();
        let wrong = |name: &str| StartError::Model { name: name.to_owned() };
        for name in &self.models {
            Name::parse(name).map_err(|_| wrong(name))?;
        }
        let mut models = match self.models.is_empty() {
            true => Models::default(),
            false => Models::new(&self.models),
        };
        models.set_unknown_models(self.unknown);
        models.set_not_in_registry(&self.not_in_registry);
        for (name, capabilities) in &self.capabilities {
            let name = Name::parse(name).map_err(|_| wrong(name))?;
            models.set_capabilities(&name, capabilities);
        }
        if let Some(name) = &self.default_model {
            models.add_unless_listed(name, moment).map_err(|_| wrong(name))?;
            models.set_default_model(Some(name.clone()));
        }
        let settings = self.settings.clone();
        let mut beginning = Beginning { settings, models, stubs: Stubs::default() };
        for stub in &self.stubs {
            beginning.add_stub(stub.clone(), moment);
        }
        Ok(beginning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_say_what_models_can_do_and_what_a_pull_does_not_find() {
        let text = "[[models]]\nname = 'llama3.2'\ncapabilities = ['completion']\n\
                    [settings]\nnot_in_registry = ['gone']\n";
        let rules = RuleFile::parse(text, "r.toml").unwrap();
        let models = Builder::default().rules(rules).beginning().unwrap().models;
        let name = |name| Name::parse(name).unwrap();
        let model = models.listed(&name("llama3.2")).unwrap();
        assert_eq!(model.capabilities, [Capability::Completion]);
        assert!(!models.in_registry(&name("gone")));
        assert!(models.in_registry(&name("there")));
    }
}
