//! The schemas of the documents: made from the code, committed, and true of all that tests see.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::folder::{Folder, names_in};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn schemas() -> BTreeMap<String, Value> {
    let names = names_in(&docs().join("schema")).into_iter();
    let read = |name: String| {
        let text = std::fs::read(docs().join("schema").join(&name)).unwrap();
        (name.strip_suffix(".json").unwrap().to_owned(), serde_json::from_slice(&text).unwrap())
    };
    names.map(read).collect()
}

/// Denies keys that an object's schema does not name, so that none can be added beside it.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") && fields.get("type") == Some(&json!("object")) {
                fields.insert("additionalProperties".into(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn validators() -> &'static BTreeMap<String, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<String, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let closed = |(name, mut schema)| {
            close(&mut schema);
            let validator =
                jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, validator)
        };
        schemas().into_iter().map(closed).collect()
    })
}

fn errors_of(document: &Value) -> Vec<String> {
    let name = document["schema"].as_str().unwrap();
    let validator = validators().get(name).unwrap_or_else(|| panic!("{name} has no schema"));
    let errors = validator.iter_errors(document);
    errors.map(|error| format!("{name}: {error} at {}", error.instance_path())).collect()
}

/// Holds what a command printed against its schema, if it is a document or several on lines.
pub(crate) fn assert_valid(text: &str) {
    if !text.starts_with('{') {
        return;
    }
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok) {
        if document["schema"].as_str().is_some_and(|name| name.starts_with("imsprep.")) {
            assert_eq!(errors_of(&document), [""; 0], "{text}");
        }
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["generate", "schema", "--all", "schema"]).status, 0);
    let (made, committed) = (folder.path("schema"), docs().join("schema"));
    assert_eq!(names_in(&made), names_in(&committed));
    for name in names_in(&made) {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(read(&made), read(&committed), "{name}: cargo run -- generate schema --all docs/schema");
    }
    let all = serde_json::from_str::<Vec<Value>>(&folder.run(&["generate", "schema"]).out).unwrap();
    assert_eq!(all.len(), schemas().len());
    let one =
        serde_json::from_str::<Value>(&folder.run(&["generate", "schema", "imsprep.check"]).out).unwrap();
    assert_eq!(one, schemas()["imsprep.check"]);
    let none = folder.run(&["generate", "schema", "imsprep.chek"]);
    assert!(none.status == 2 && none.err.contains("imsprep.check, "), "{none:?}");
    for schema in all {
        for key in ["title", "description", "$id"] {
            assert!(schema[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {schema}");
        }
    }
}

/// The keys that a schema names, wherever.
fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                found.extend(properties.keys().cloned());
            }
            fields.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_documentation_names_every_key_of_every_schema() {
    let page = std::fs::read_to_string(docs().join("report.md")).unwrap();
    for (name, schema) in schemas() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
        let mut found = BTreeSet::new();
        keys(&schema, &mut found);
        assert!(found.len() > 5, "{name}");
        for key in found {
            assert!(page.contains(&format!("`{key}`")), "{name}: {key}");
        }
    }
}

#[test]
fn a_key_that_no_schema_names_is_refused() {
    let (_, mut document) = Folder::new().json(&["rules", "BM-001"]);
    assert_eq!(errors_of(&document), [""; 0]);
    document["rules"][0]["extra"] = json!(1);
    assert_eq!(errors_of(&document).len(), 1);
    document["rules"][0].as_object_mut().unwrap().remove("extra");
    document["rules"][0].as_object_mut().unwrap().remove("code");
    assert_eq!(errors_of(&document).len(), 1);
}
