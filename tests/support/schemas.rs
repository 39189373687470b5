//! Validates real output against the committed JSON Schemas.

use std::path::PathBuf;

use serde_json::Value;

/// The path of the committed schema of this name.
pub(crate) fn path(name: &str) -> PathBuf {
    let name = format!("docs/schemas/{name}.json");
    [env!("CARGO_MANIFEST_DIR"), &name].iter().collect()
}

fn committed(name: &str) -> Value {
    let path = path(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_valid<'a>(name: &str, documents: impl Iterator<Item = &'a str>) {
    let validator = jsonschema::validator_for(&committed(name)).expect("a JSON Schema");
    for document in documents {
        let value: Value =
            serde_json::from_str(document).unwrap_or_else(|error| panic!("{error} in {document}"));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?} in {document}");
    }
}

/// Panics unless every line is a valid `credlens.finding/v1`.
pub(crate) fn assert_findings(ndjson: &str) {
    assert_valid("finding.v1", ndjson.lines());
}

/// Panics unless the text is a valid `credlens.assessment/v1`.
pub(crate) fn assert_assessment(json: &str) {
    assert_valid("assessment.v1", std::iter::once(json));
}

/// Panics unless the text is a valid document of the schema of this name.
pub(crate) fn assert_document(name: &str, json: &str) {
    assert_valid(name, std::iter::once(json));
}
