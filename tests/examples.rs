//! Every example of every built-in rule, evaluated by the engine.

use credlens::engine::examples::verdict;
use credlens::rule::Catalogue;

#[test]
fn every_example_gets_its_verdict() {
    let mut wrong = Vec::new();
    for rule in Catalogue::builtin().rules() {
        for example in &rule.examples {
            let found = verdict(rule, example).unwrap();
            if found != example.verdict {
                let (found, wanted) = (found.name(), example.verdict.name());
                wrong.push(format!("{}: {}: {found}, not {wanted}", rule.id, example.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
