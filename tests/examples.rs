//! Every example of every built-in rule, judged by the engine.

use std::io;
use std::sync::Arc;

use credlens::engine::{Event, Hit, Input, Options, Program, Sink, Source, assess};
use credlens::finding::AsOfSource;
use credlens::report::header::Header;
use credlens::rule::{Catalogue, EXAMPLE_AS_OF, Example, Rule, Selection, Setting, Verdict, select};

/// One report in one block.
struct OneReport(Option<(Arc<Input>, Vec<u8>)>);

impl OneReport {
    fn of(csv: &str) -> Self {
        let (header, records) = Header::split(csv.as_bytes()).expect("a report");
        let input = Input {
            index: 0,
            path: "example.csv".to_owned(),
            kind: "csv".to_owned(),
            header,
            as_of: EXAMPLE_AS_OF.parse().expect("a time"),
            as_of_source: AsOfSource::Argument,
            generated: None,
        };
        Self(Some((Arc::new(input), records.to_owned())))
    }
}

impl Source for OneReport {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        let (input, records) = self.0.take()?;
        *text = records;
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

fn verdict(catalogue: &Catalogue, rule: &Rule, example: &Example) -> Verdict {
    let setting = |(parameter, &value): (&String, &i64)| Setting {
        rule: rule.id.clone(),
        parameter: parameter.clone(),
        value,
    };
    let selection = Selection {
        rules: vec![rule.id.clone()],
        frameworks: Vec::new(),
        settings: example.parameters.iter().map(setting).collect(),
    };
    let program = Program::new(select(catalogue, &selection).expect("a known rule").rules);
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let tally = assess(&program, OneReport::of(&example.csv()), &Nowhere, options).expect("a verdict");
    let counts = &tally.rules[0];
    if counts.failed > 0 {
        Verdict::Fail
    } else if counts.undetermined > 0 {
        Verdict::Undetermined
    } else if counts.passed > 0 {
        Verdict::Pass
    } else {
        Verdict::NotRelevant
    }
}

#[test]
fn every_example_gets_its_verdict() {
    let catalogue = Catalogue::builtin();
    let mut wrong = Vec::new();
    for rule in catalogue.rules() {
        for example in &rule.examples {
            let found = verdict(&catalogue, rule, example);
            if found != example.verdict {
                wrong.push(format!(
                    "{}: {}: {}, not {}",
                    rule.id,
                    example.name,
                    found.name(),
                    example.verdict.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
