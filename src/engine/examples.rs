//! Runs the examples that rules carry, through the same pipeline as any report.

use std::io;
use std::sync::Arc;

use super::{Account, Event, Hit, Input, Options, Program, Sink, Source, assess};
use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::time::Timestamp;
use crate::rule::{self, BoundRule, EXAMPLE_AS_OF, Example, Rule, Verdict};

/// What the rule says of the example's row: the worst of its verdicts on the row's entities.
///
/// # Errors
/// Where the rule's logic is wrong, or the example's cells make no report.
pub fn verdict(rule: &Arc<Rule>, example: &Example) -> Result<Verdict, rule::Error> {
    let mut parameters = rule.defaults();
    parameters.extend(example.parameters.clone());
    let bound = BoundRule {
        parameters: parameters.clone(),
        severity: rule.severity,
        typed: rule.bind(&parameters)?,
        requirements: Vec::new(),
        message: rule.message_with(&parameters),
        rule: Arc::clone(rule),
    };
    let csv = example.csv();
    let refuse = |error: &dyn std::fmt::Display| {
        rule::Error::new(format!("{}: example '{}': {error}", rule.id, example.name))
    };
    let (header, rows) = Header::split(csv.as_bytes()).map_err(|error| refuse(&error))?;
    let input = Input {
        index: 0,
        path: example.name.clone(),
        kind: "csv".to_owned(),
        header,
        as_of: Timestamp::parse(EXAMPLE_AS_OF.as_bytes()).expect("invariant: the constant is a time"),
        as_of_source: AsOfSource::Argument,
        generated: None,
        account: Account::default(),
    };
    let source = Once(Some((Arc::new(input), rows.to_vec())));
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let tally =
        assess(&Program::new(vec![bound]), source, &Nowhere, options).map_err(|error| refuse(&error))?;
    let counts = &tally.rules[0];
    Ok(match (counts.failed, counts.undetermined, counts.passed) {
        (1.., _, _) => Verdict::Fail,
        (0, 1.., _) => Verdict::Undetermined,
        (0, 0, 1..) => Verdict::Pass,
        (0, 0, 0) => Verdict::NotRelevant,
    })
}

/// One report in memory.
struct Once(Option<(Arc<Input>, Vec<u8>)>);

impl Source for Once {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        let (input, rows) = self.0.take()?;
        *text = rows;
        Some(Event::Block { input, last: true })
    }
}

/// Only the counts matter.
struct Nowhere;

impl Sink for Nowhere {
    type Part = ();

    fn part(&self) {}

    fn hit(&self, (): &mut (), _: &Hit<'_>) {}

    fn accept(&self, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}
