//! The JSON Schemas under `docs/schemas/`, generated from the types.

#![expect(clippy::disallowed_methods, reason = "a test of committed files")]

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::json;

use super::test_support::{hostile, hostile_with_fixes};
use super::{Assessment, DisplayOptions};
use crate::finding::Finding;
use crate::remedy::Plan;
use crate::report::details::Details;

#[path = "../../tests/support/schemas.rs"]
pub(super) mod schemas;

/// The schema of a document type, whose member `schema` names it.
fn schema_of<T: JsonSchema>(name: &str) -> String {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    RecursiveTransform(refuse_unknown_members).transform(&mut schema);
    if schema.get("oneOf").is_some() {
        refuse_members_of_no_kind(&mut schema);
    }
    schema.insert("title".to_owned(), name.into());
    if let Some(member) = schema.pointer_mut("/properties/schema") {
        member["const"] = json!(name);
    }
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// Where a document is one of several kinds, its members are those of all documents and those of its kind together.
fn refuse_members_of_no_kind(schema: &mut Schema) {
    let Some(root) = schema.as_object_mut() else {
        return;
    };
    let mut kinds = Vec::new();
    for kind in root["oneOf"].as_array_mut().into_iter().flatten() {
        if let Some(kind) = kind.as_object_mut() {
            kind.remove("additionalProperties");
            kinds.extend(kind.get("$ref").and_then(|it| it.as_str()).map(str::to_owned));
        }
    }
    for kind in kinds {
        let of_kind = kind
            .strip_prefix("#/$defs/")
            .and_then(|name| root["$defs"].get_mut(name));
        if let Some(of_kind) = of_kind.and_then(|it| it.as_object_mut()) {
            of_kind.remove("additionalProperties");
        }
    }
    root.remove("additionalProperties");
    root.insert("unevaluatedProperties".to_owned(), false.into());
}

fn refuse_unknown_members(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

/// Compares the committed schema with that of the type, or writes it under `UPDATE=1`.
pub(super) fn check_committed<T: JsonSchema>(file: &str, name: &str) {
    let path = schemas::path(file);
    let generated = schema_of::<T>(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &generated).expect("docs/schemas can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed,
        generated,
        "{}: run the tests with UPDATE=1",
        path.display()
    );
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    check_committed::<Finding>("finding.v1", Finding::SCHEMA);
    check_committed::<Assessment>("assessment.v1", Assessment::SCHEMA);
    check_committed::<Details>("details.v1", Details::SCHEMA);
    check_committed::<Plan>("plan.v1", Plan::SCHEMA);
}

#[test]
fn real_output_is_valid_and_can_be_read_back() {
    let lines = hostile("ndjson", DisplayOptions::default());
    schemas::assert_findings(&lines);
    let document = hostile("json", DisplayOptions::default());
    schemas::assert_assessment(&document);
    let read: Assessment = serde_json::from_str(&document).unwrap();
    let findings: Vec<Finding> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read.findings, findings);
}

#[test]
fn output_with_fixes_is_valid_too() {
    let lines = hostile_with_fixes("ndjson", DisplayOptions::default());
    assert!(lines.contains(r#""fix":{"steps":[{"kind":"text""#), "{lines}");
    schemas::assert_findings(&lines);
    schemas::assert_assessment(&hostile_with_fixes("json", DisplayOptions::default()));
}

#[test]
fn details_that_are_written_are_valid_and_can_be_read_back() {
    let demo = include_str!("../../fixtures/demo/111122223333_20260601T000000Z.details.json");
    let details = Details::parse(demo.as_bytes()).unwrap();
    schemas::assert_document("details.v1", &details.to_json());
    assert_eq!(Details::parse(details.to_json().as_bytes()).unwrap(), details);
}
