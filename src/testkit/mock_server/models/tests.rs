use std::time::Duration;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

#[test]
fn models_are_found_whatever_their_case() {
    let models = Models::new(["Llama3.2", "me/x:1b", "llama3.2:latest", "not a name"]);
    assert_eq!(models.names(), ["Llama3.2:latest", "me/x:1b"]);
    let found = models.find(&name("LLAMA3.2")).unwrap();
    assert_eq!(found.name.short(), "Llama3.2:latest");
    assert!(models.find(&name("llama3.2:1b")).is_none());
}

#[test]
fn unknown_models_are_admitted_where_they_are_allowed_and_never_listed() {
    let mut models = Models::default();
    models.set_unknown_models(UnknownModels::Allow);
    assert_eq!(models.find(&name("anything:9b")).unwrap().parameter_size(), "9.0B");
    assert_eq!(models.names(), DEFAULT_MODELS);
}

#[test]
fn what_is_added_comes_first_and_keeps_its_spelling() {
    let mut models = Models::default();
    models.add("NEW", moment(0)).unwrap();
    models.add("new:latest", moment(5)).unwrap();
    assert_eq!(models.names()[0], "NEW:latest");
    assert_eq!(models.names().len(), 8);
    assert_eq!(models.all()[0].modified_at, moment(5));
    assert!(models.remove("New"));
    assert!(!models.remove("new"));
    assert_eq!(models.add("a b", moment(0)).unwrap_err(), NameError::Invalid);
}

#[test]
fn a_load_lasts_as_long_as_its_keep_alive() {
    let mut models = Models::default();
    let model = name("llama3.2");
    assert!(models.load(&model, KeepAlive::Default, None, moment(0)));
    assert!(!models.load(&model, KeepAlive::Default, None, moment(100)));
    assert_eq!(models.loads().at(moment(100))[0].expires_at(), moment(400));
    assert!(models.loads().at(moment(400)).is_empty());
    assert!(models.load(&model, KeepAlive::Forever, None, moment(400)));
    assert!(!models.load(&model, KeepAlive::Default, None, moment(9_000)));
    assert_eq!(models.loads().at(moment(1_000_000)).len(), 1);
    assert!(models.load(&model, KeepAlive::Default, Some(8_192), moment(9_001)));
    assert!(!models.load(&model, KeepAlive::For(Duration::ZERO), Some(8_192), moment(9_002)));
    assert!(models.loads().at(moment(9_002)).is_empty());
    assert!(models.load(&model, KeepAlive::Default, None, moment(9_003)));
    assert!(models.remove("llama3.2"));
    assert!(models.loads().at(moment(9_003)).is_empty());
}

#[test]
fn a_life_is_counted_from_the_end_of_the_answer() {
    let mut models = Models::default();
    let model = name("llama3.2");
    let ten = KeepAlive::For(Duration::from_secs(10));
    models.load(&model, ten, None, moment(0));
    assert_eq!(models.loads_mut().take_used(), Some(model.clone()));
    assert_eq!(models.loads_mut().take_used(), None);
    models.loads_mut().used_until(&model, moment(60));
    // A request that came before the end does not shorten the life.
    assert!(!models.load(&model, ten, None, moment(30)));
    assert_eq!(models.loads().at(moment(59))[0].expires_at(), moment(70));
    assert!(models.loads().at(moment(70)).is_empty());
    // Also where it is not kept at all.
    models.load(&model, KeepAlive::For(Duration::ZERO), None, moment(100));
    models.loads_mut().used_until(&model, moment(105));
    assert_eq!(models.loads().at(moment(104)).len(), 1);
    assert!(models.loads().at(moment(105)).is_empty());
    // What was unloaded meanwhile does not come back.
    models.loads_mut().unload(&model);
    models.loads_mut().used_until(&model, moment(200));
    assert!(models.loads().at(moment(150)).is_empty());
}

#[test]
fn the_longest_lived_load_comes_first() {
    let mut models = Models::default();
    for (text, keep_alive) in [
        ("phi3:mini", KeepAlive::For(Duration::from_secs(10))),
        ("llama3.2", KeepAlive::Forever),
        ("qwen3", KeepAlive::Default),
    ] {
        models.load(&name(text), keep_alive, None, moment(0));
    }
    let names: Vec<String> =
        models.loads().at(moment(1)).iter().map(|load| load.model.name.short()).collect();
    assert_eq!(names, ["llama3.2:latest", "qwen3:latest", "phi3:mini"]);
}

#[test]
fn layers_of_models_are_blobs() {
    let mut models = Models::default();
    for layer in models.all()[0].layers() {
        assert!(models.has_blob(&layer.digest));
    }
    let digest = models.blobs_mut().add(&bytes::Bytes::from_static(b"GGUF rest"));
    assert!(models.has_blob(&digest));
    assert!(models.blobs().get(&digest).unwrap().is_gguf());
    assert_eq!(digest_of_path(&digest.replace(':', "-")), Some(digest.clone()));
    assert_eq!(digest_of_path(&digest[..70]), None);
    assert_eq!(digest_of_path("sha256:zz"), None);
}

/// Asked through all of a namespace: the answer lasts longer than the model is kept.
#[test]
fn a_model_that_is_answering_does_not_expire() {
    use super::super::exchange::Exchange;
    use super::super::namespace::{Beginning, Namespace, Responded};
    use super::super::script::Delivery;
    use super::super::settings::Settings;
    use super::super::stub::Stubs;
    use super::super::timing::{Span, Timing};

    let per_token = Some(Span::Fixed(Duration::from_secs(60)));
    let settings =
        Settings { timing: Timing { per_token, ..Timing::default() }, ..Settings::default() };
    let beginning = Beginning { settings, models: Models::default(), stubs: Stubs::default() };
    let namespace = Namespace::new("", &beginning);
    let respond = |path: &str, body: &str, seconds: i64| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let exchange =
            Exchange { received_at: moment(seconds), ..Exchange::bare(method, path, body) };
        match namespace.respond(exchange, None) {
            Responded::Here(Delivery::Http(script)) => script,
            _ => panic!("no answer in HTTP"),
        }
    };
    let loaded = |seconds: i64| {
        let listed = respond("/api/ps", "", seconds).bytes();
        let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
        listed["models"].as_array().unwrap().len()
    };
    let body = r#"{"model": "llama3.2", "prompt": "Hi", "options": {"num_predict": 3}, "keep_alive": "10s"}"#;
    let ends = respond("/api/generate", body, 0).lasts();
    assert!(ends >= Duration::from_secs(120), "{ends:?}");
    let ends = i64::try_from(ends.as_secs()).unwrap();
    assert_eq!((loaded(60), loaded(ends + 9), loaded(ends + 10)), (1, 1, 0));
}
