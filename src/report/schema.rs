//! The JSON Schemas of `docs/schema`: made from the views, and every JSON snapshot must fit them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::view::question::{
    AssociationsView, ClustersView, CostsView, HealedView, OwnersView, RevisionView, SinceView,
    SlowerView,
};
use super::view::{
    BacktestView, CompareView, GateView, HuntView, IngestView, LintView, Listing, OrderView,
    QuarantineView, ReportView, ShowView, SimulationView, SplitReviewView, SplitView, TotalsView,
    UpdateView, ValidateView, WorkersView,
};
use super::{Format, Screen, View, render, sample};
use crate::analysis::verdict::Status;

const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";

type Maker = fn() -> Schema;

/// A row for each view: its version and how its schema is made.
const SCHEMAS: [(&str, Maker); 24] = [
    (ReportView::SCHEMA, of::<ReportView>),
    (BacktestView::SCHEMA, of::<BacktestView>),
    (ShowView::SCHEMA, of::<ShowView>),
    (IngestView::SCHEMA, of::<IngestView>),
    (ValidateView::SCHEMA, of::<ValidateView>),
    (QuarantineView::SCHEMA, of::<QuarantineView>),
    (UpdateView::SCHEMA, of::<UpdateView>),
    (LintView::SCHEMA, of::<LintView>),
    (SimulationView::SCHEMA, of::<SimulationView>),
    (CompareView::SCHEMA, of::<CompareView>),
    (GateView::SCHEMA, of::<GateView>),
    (HuntView::SCHEMA, of::<HuntView>),
    (WorkersView::SCHEMA, of::<WorkersView>),
    (SplitView::SCHEMA, of::<SplitView>),
    (SplitReviewView::SCHEMA, of::<SplitReviewView>),
    (OrderView::SCHEMA, of::<OrderView>),
    (CostsView::SCHEMA, of::<CostsView>),
    (SinceView::SCHEMA, of::<SinceView>),
    (RevisionView::SCHEMA, of::<RevisionView>),
    (ClustersView::SCHEMA, of::<ClustersView>),
    (OwnersView::SCHEMA, of::<OwnersView>),
    (AssociationsView::SCHEMA, of::<AssociationsView>),
    (SlowerView::SCHEMA, of::<SlowerView>),
    (HealedView::SCHEMA, of::<HealedView>),
];

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Its keys come from the statuses, so it is written by hand as its serializer is.
impl JsonSchema for TotalsView {
    fn schema_name() -> Cow<'static, str> {
        "TotalsView".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
        let mut properties = BTreeMap::from([
            ("tests".to_owned(), count("Distinct tests.")),
            ("verdicts".to_owned(), count("Tests counted once for each variant.")),
            ("quarantine".to_owned(), count("Verdicts that recommend quarantine.")),
        ]);
        properties.extend(Status::ALL.map(|status| {
            let about = format!("Verdicts that are {}.", status.word());
            (status.word().replace('-', "_"), count(&about))
        }));
        let required: Vec<&String> = properties.keys().collect();
        json_schema!({
            "description": "How many verdicts there are of each status.",
            "type": "object",
            "properties": properties,
            "required": required,
        })
    }
}

/// The schema as it is published.
fn published(version: &str, schema: &Schema) -> Value {
    let mut schema = schema.clone().to_value();
    schema["title"] = json!(version);
    schema["properties"]["schema"]["const"] = json!(version);
    // By name, whether or not another feature has maps keep the order of insertion.
    schema.sort_all_objects();
    schema
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

#[test]
fn the_published_schemas_are_those_of_the_views() {
    let mut files: Vec<String> = Vec::new();
    for (version, schema) in SCHEMAS {
        let file = format!("{version}.json");
        let wanted = serde_json::to_string_pretty(&published(version, &schema())).unwrap() + "\n";
        if std::env::var_os(REWRITE).is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(folder().join(&file), wanted).unwrap();
        } else {
            let found = std::fs::read_to_string(folder().join(&file)).unwrap_or_default();
            assert!(found == wanted, "docs/schema/{file} is out of date: run with {REWRITE}=1");
        }
        files.push(file);
    }
    let found = std::fs::read_dir(folder()).unwrap();
    let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // Those of the mock server are held by its own tests.
    for name in names.filter(|name| name.starts_with("flakedb.")) {
        assert!(files.contains(&name), "docs/schema/{name} is of no view");
    }
}

/// The JSON snapshots beside the screens, by name.
fn snapshots() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report");
    let mut found = Vec::new();
    for folder in ["snapshots", "screens/snapshots"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if name.ends_with("_json") {
                let text = std::fs::read_to_string(&path).unwrap();
                let (_, json) = text.split_once("\n---\n").unwrap();
                found.push((name, serde_json::from_str(json).unwrap()));
            }
        }
    }
    found
}

/// Schemas that know every key: what no schema names is a mistake in one of ours.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let closed = object.contains_key("properties");
            object.values_mut().for_each(strict);
            if closed {
                object.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

#[test]
fn every_snapshot_fits_the_schema_that_it_names() {
    let mut validators = BTreeMap::new();
    for (version, schema) in SCHEMAS {
        let mut schema = published(version, &schema());
        strict(&mut schema);
        validators.insert(version, (jsonschema::validator_for(&schema).unwrap(), 0));
    }
    let mut hostile = Vec::new();
    render(View::Report(&sample::hostile_report()), Format::Json, Screen::default(), &mut hostile)
        .unwrap();
    let mut failed = sample::report_of(&sample::usual(), Listing::All);
    sample::fail(&mut failed);
    let mut samples = snapshots();
    samples.push(("hostile".to_owned(), serde_json::from_slice(&hostile).unwrap()));
    samples.push(("failed".to_owned(), serde_json::to_value(&failed).unwrap()));
    for (name, value) in samples {
        let version = value["schema"].as_str().unwrap();
        let (validator, seen) =
            validators.get_mut(version).unwrap_or_else(|| panic!("{version} has no row"));
        *seen += 1;
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        // A schema that takes anything would say nothing.
        let mut broken = value.clone();
        broken.as_object_mut().unwrap().remove("schema");
        assert!(!validator.is_valid(&broken), "{name}");
    }
    for (version, (_, seen)) in validators {
        assert!(seen > 0, "no snapshot of {version}");
    }
}
