//! The demo reports show what the program finds.

use std::collections::BTreeSet;

use credlens::rule::Catalogue;

use super::{Workspace, fixture};

#[test]
fn every_default_rule_finds_something_in_the_demo() {
    let demo = fixture("demo");
    let run = Workspace::new().run(["scan", demo.to_str().unwrap(), "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let rules = document["rules"].as_array().unwrap().iter();
    let failing = rules.filter(|rule| rule["failed"].as_u64() > Some(0));
    let failing: BTreeSet<&str> = failing.map(|rule| rule["id"].as_str().unwrap()).collect();
    let catalogue = Catalogue::builtin();
    let defaults = catalogue.rules().filter(|rule| rule.default);
    let silent: Vec<&str> = defaults
        .map(|rule| rule.id.as_str())
        .filter(|id| !failing.contains(id))
        .collect();
    assert!(
        silent.is_empty(),
        "these rules find nothing in fixtures/demo: {silent:?}"
    );
    let users = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["arn"].as_str());
    assert!(
        users.collect::<BTreeSet<_>>().len() < 20,
        "most users are in order"
    );
    assert_eq!(document["inputs"][0]["as_of"], "2026-06-01T00:00:00Z");
}
