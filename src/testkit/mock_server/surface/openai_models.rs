//! `/v1/models`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::go_json::to_line;
use super::openai;
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Models, Name};
use crate::testkit::mock_server::refusal::Refusal;

#[derive(Serialize)]
struct List {
    object: &'static str,
    /// `null` where there is no model.
    data: Option<Vec<Listed>>,
}

#[derive(Serialize)]
struct Listed {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
}

impl Listed {
    fn new(id: String, modified_at: DateTime<Utc>) -> Self {
        let owned_by = owner(&id).to_owned();
        Self { id, object: "model", created: modified_at.timestamp(), owned_by }
    }
}

/// Who a model is of: the namespace in its name, or that of Ollama's own.
fn owner(name: &str) -> &str {
    name.rsplit('/').nth(1).filter(|owner| !owner.is_empty()).unwrap_or("library")
}

/// Lists all models.
pub(super) fn list(_: &Exchange, models: &mut Models, _: &Stamp) -> Result<Asked, Refusal> {
    let all = models.all().iter();
    let data: Vec<Listed> =
        all.map(|model| Listed::new(model.name.short(), model.modified_at)).collect();
    let data = Some(data).filter(|data| !data.is_empty());
    Ok(Asked::Done(openai::whole(
        std::time::Duration::ZERO,
        to_line(&List { object: "list", data }),
    )))
}

/// Shows one model, under the name that the request gives it.
pub(super) fn one(exchange: &Exchange, models: &mut Models, _: &Stamp) -> Result<Asked, Refusal> {
    let asked = exchange.parameter.clone().unwrap_or_default();
    let name = Name::of_request(&asked).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let model = models
        .find(&name)
        .ok_or_else(|| Refusal::not_found(format!("model '{}' not found", name.short())))?;
    let listed = Listed::new(asked, model.modified_at);
    Ok(Asked::Done(openai::whole(std::time::Duration::ZERO, to_line(&listed))))
}

#[cfg(test)]
mod tests {
    use super::super::played::{exchange, json_of, stamp};
    use super::*;

    fn done(asked: Result<Asked, Refusal>) -> serde_json::Value {
        match asked {
            Ok(Asked::Done(script)) => json_of(&script),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn models_are_listed_as_the_tags_are() {
        let mut models = Models::new(["qwen3", "me/mine:7b"]);
        let listed = done(list(&exchange(""), &mut models, &stamp()));
        assert_eq!(listed["object"], "list");
        let created: Vec<i64> = models.all().iter().map(|m| m.modified_at.timestamp()).collect();
        assert_eq!(
            listed["data"],
            serde_json::json!([
                {"id": "qwen3:latest", "object": "model", "created": created[0], "owned_by": "library"},
                {"id": "me/mine:7b", "object": "model", "created": created[1], "owned_by": "me"},
            ])
        );
        let none = done(list(&exchange(""), &mut Models::new([""; 0]), &stamp()));
        assert_eq!(none.to_string(), r#"{"object":"list","data":null}"#);
    }

    #[test]
    fn one_model_has_the_name_that_was_asked_for() {
        let mut models = Models::new(["qwen3"]);
        let mut asked = exchange("");
        asked.parameter = Some("Qwen3".to_owned());
        let shown = done(one(&asked, &mut models, &stamp()));
        assert_eq!((&shown["id"], &shown["owned_by"]), (&"Qwen3".into(), &"library".into()));
        asked.parameter = Some("nope".to_owned());
        let refusal = one(&asked, &mut models, &stamp()).unwrap_err();
        assert_eq!(refusal, Refusal::not_found("model 'nope:latest' not found"));
    }
}
