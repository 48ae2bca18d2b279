//! JSON Schemas of all documents, made from the structures that are printed.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{
    Document, UnderPolicy, bench, bitmap, bitmap_files, boot, check, compare, convert, detect, inspect,
    layouts, learn, manifest, map, os_versions, plan, prepare, repair, report, request, serve, service_codes,
    summary, verify, zvhd2,
};

/// A document: the value of its key `schema`, what prints it, and how its schema is made.
struct Described {
    name: &'static str,
    description: &'static str,
    schema: fn() -> Schema,
}

const fn of<T: JsonSchema>(name: &'static str, description: &'static str) -> Described {
    Described { name, description, schema: generated::<T> }
}

const fn own<T: JsonSchema>(name: &'static str, description: &'static str) -> Described {
    of::<Document<T>>(name, description)
}

const fn judged<T: JsonSchema>(name: &'static str, description: &'static str) -> Described {
    own::<UnderPolicy<T>>(name, description)
}

/// Every document, in the order of their names.
const ALL: &[Described] = &[
    own::<bench::Benchmark>("imsprep.bench", "imsprep bench --json"),
    own::<bitmap_files::Converted>("imsprep.bitmap.convert", "imsprep bitmap convert --json"),
    own::<bitmap::Created>("imsprep.bitmap.create", "imsprep bitmap create --json"),
    own::<bitmap_files::Diff>("imsprep.bitmap.diff", "imsprep bitmap diff --json"),
    own::<layouts::Body>("imsprep.bitmap.layouts", "imsprep bitmap layouts --json"),
    own::<learn::Body>("imsprep.bitmap.learn", "imsprep bitmap learn --json"),
    own::<learn::Made>("imsprep.bitmap.make-sample", "imsprep bitmap make-sample --json"),
    own::<bitmap_files::Shown>("imsprep.bitmap.show", "imsprep bitmap show --json"),
    judged::<bitmap::Verified>("imsprep.bitmap.verify", "imsprep bitmap verify --json"),
    own::<learn::Verified>("imsprep.bitmap.verify-program", "imsprep bitmap verify --program --json"),
    own::<boot::Body>("imsprep.boot", "imsprep boot --json"),
    judged::<check::Files>("imsprep.check", "imsprep check --json"),
    judged::<check::OneFile>("imsprep.check.file", "A line of imsprep check --format ndjson"),
    own::<compare::Body>("imsprep.compare", "imsprep compare --json"),
    judged::<convert::Converted>("imsprep.convert", "imsprep convert --json"),
    own::<detect::Files>("imsprep.detect", "imsprep detect --json"),
    own::<detect::Row>("imsprep.detect.file", "A line of imsprep detect --format ndjson"),
    judged::<inspect::Files>("imsprep.inspect", "imsprep inspect --json"),
    judged::<inspect::Row>("imsprep.inspect.file", "A line of imsprep inspect --format ndjson"),
    own::<manifest::Body>("imsprep.manifest", "The file that --manifest writes"),
    own::<os_versions::OsVersions>("imsprep.os-versions", "imsprep os-versions --json"),
    judged::<plan::Body>(
        "imsprep.plan",
        "imsprep convert --dry-run --json and imsprep prepare --dry-run --json",
    ),
    judged::<prepare::Body>("imsprep.prepare", "imsprep prepare --json"),
    judged::<prepare::Many>("imsprep.prepare.files", "imsprep prepare --json of several images"),
    judged::<request::Made>("imsprep.request", "imsprep request --json"),
    own::<service_codes::Job>("imsprep.request.job", "imsprep request --job --json"),
    judged::<request::Validated>("imsprep.request.validate", "imsprep request --validate --json"),
    own::<report::Rules>("imsprep.rules", "imsprep rules --json"),
    own::<serve::Body>("imsprep.serve", "imsprep serve --json"),
    own::<summary::Body>("imsprep.summary", "imsprep summary --json"),
    own::<verify::Body>("imsprep.verify", "imsprep verify --json"),
    own::<verify::File>("imsprep.verify.file", "A line of imsprep verify --format ndjson"),
    judged::<zvhd2::WireContainer>("imsprep.zvhd2.check", "imsprep zvhd2 check --json"),
    own::<zvhd2::Described>("imsprep.zvhd2.info", "imsprep zvhd2 info --json"),
    of::<Vec<map::WireRange>>(
        "imsprep.zvhd2.map",
        "imsprep zvhd2 map --json, in the shape of qemu-img map --output=json",
    ),
    own::<repair::Body>("imsprep.zvhd2.repair", "imsprep zvhd2 repair --json"),
];

fn generated<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// The names of all schemas.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|one| one.name)
}

/// The schema of this name.
pub(crate) fn find(name: &str) -> Option<Value> {
    let one = ALL.iter().find(|one| one.name == name)?;
    let mut schema = (one.schema)();
    let version = super::VERSION;
    schema.insert("$id".into(), json!(format!("urn:imsprep:schema:{name}:{version}")));
    schema.insert("title".into(), json!(name));
    schema.insert("description".into(), json!(one.description));
    let mut schema = schema.to_value();
    for (key, value) in [("schema", json!(name)), ("version", json!(version))] {
        if let Some(property) = schema.pointer_mut(&format!("/properties/{key}")) {
            *property = json!({ "const": value });
        }
    }
    Some(schema)
}
