//! What the tests of this layer share: hostile reports in memory, evaluated by built-in rules.

use std::sync::Arc;

use serde_json::Value;

use super::{DisplayOptions, Format, Outputs};
use crate::engine::{
    self, AccountInfo, AssessOptions, BlockEnd, EmitFilter, FileFacts, FindingRef, Input, Program, ReportId,
    Sink, Source, SourceEvent,
};
use crate::finding::{AsOfSource, Diagnostic, Severity, Status, Tally};
use crate::report::details::{Details, UserDetails};
use crate::report::escape::must_be_escaped;
use crate::report::header::Header;
use crate::report::time::Timestamp;
use crate::rule::{Catalogue, Selection, Suppressions, select};

/// The columns of the reports below.
pub(super) const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
    access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,\
    access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// Users who attack terminals, spreadsheets, Markdown and column widths.
pub(super) const HOSTILE: &str = "\
<root_account>,arn:aws:iam::123456789012:root,2019-01-01T00:00:00+00:00,not_supported,2026-11-20T10:00:00+00:00,not_supported,not_supported,true,true,2019-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
=cmd|'/c calc'!A1,arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1,2020-01-01T00:00:00+00:00,true,no_information,2026-10-01T00:00:00+00:00,N/A,false,true,2026-01-02T03:04:05+00:00,2026-11-20T00:00:00+00:00,eu-west-1,s3,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
\x1b[2J\u{202e}evil\u{9b}|`x`<script>,arn:aws:iam::123456789012:user/x,2020-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,soon\x07,N/A,N/A,N/A,true,2026-11-20T00:00:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A
\"ta,b \"\"東京\"\"\",arn:aws:iam::123456789012:user/tokyo,2020-01-01T00:00:00+00:00,true,2026-11-20T00:00:00+00:00,2026-10-01T00:00:00+00:00,N/A,maybe,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";

/// The rules by which they are evaluated.
pub(super) const RULES: [&str; 4] = [
    "access-key-not-rotated",
    "console-user-without-mfa",
    "root-access-key-active",
    "two-active-access-keys",
];

/// Blocks of literal records.
pub(super) struct Memory(std::vec::IntoIter<(Arc<Input>, BlockEnd, Vec<u8>)>);

impl Memory {
    /// Every report a path and its records without header, one block per record.
    pub(super) fn new(reports: &[(&str, &[u8])]) -> Self {
        let mut blocks = Vec::new();
        for (index, (path, records)) in reports.iter().enumerate() {
            let input = Arc::new(input(index, path));
            let mut lines: Vec<&[u8]> = records.split_inclusive(|&byte| byte == b'\n').collect();
            if lines.is_empty() {
                lines.push(b"");
            }
            let last = lines.len() - 1;
            let numbered = lines.into_iter().enumerate();
            blocks.extend(numbered.map(|(number, line)| {
                let end = BlockEnd::of_only_report(number == last);
                (Arc::clone(&input), end, line.to_vec())
            }));
        }
        Self(blocks.into_iter())
    }
}

/// A path whose input has an account with a name and a resolved key.
pub(super) const NAMED: &str = "aws://123456789012";

fn account(path: &str) -> AccountInfo {
    if path != NAMED {
        return AccountInfo::default();
    }
    let user = UserDetails {
        access_key_ids: [Some("AKIAIOSFODNN7EXAMPLE".to_owned()), None],
        ..UserDetails::default()
    };
    let details = Details {
        users: [("=cmd|'/c calc'!A1".to_owned(), user)].into(),
        ..Details::new(None, None, String::new())
    };
    AccountInfo {
        name: Some("pro\x1bd \"east\"".to_owned()),
        details: Some(Arc::new(details)),
        diagnostics: Vec::new(),
        rows: None,
    }
}

/// A path of a report that lacks columns, and has one without an ARN.
pub(super) const SHORT: &str = "short: 100%.csv";

/// The columns of [`SHORT`].
const SHORT_HEADER: &str =
    "user,user_creation_time,password_enabled,access_key_1_active,access_key_1_last_rotated";

fn input(index: usize, path: &str) -> Input {
    let header = if path == SHORT { SHORT_HEADER } else { HEADER };
    Input {
        id: ReportId::first_of(index),
        path: path.to_owned(),
        kind: "csv".to_owned(),
        header: Header::parse(header.as_bytes()).expect("a header"),
        as_of: "2026-11-21".parse::<Timestamp>().expect("a time"),
        as_of_source: AsOfSource::FileName,
        generated: None,
        account: account(path),
        file: FileFacts {
            lines_before: Some(1),
            ..FileFacts::default()
        },
    }
}

impl Source for Memory {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let (input, end, block) = self.0.next()?;
        text.clear();
        text.extend_from_slice(&block);
        Some(SourceEvent::Block { input, end })
    }
}

/// Built-in rules by id.
pub(super) fn program(rules: &[&str]) -> Program {
    let selection = Selection {
        rules: rules.iter().map(ToString::to_string).collect(),
        ..Selection::default()
    };
    let selected = select(&Catalogue::builtin(), &selection).expect("known rules");
    Program::new(selected.rules)
}

/// Evaluates the reports into the sink.
pub(super) fn evaluate(sink: &impl Sink, reports: &[(&str, &[u8])], rules: &[&str], threads: usize) -> Tally {
    let options = AssessOptions {
        threads,
        ..AssessOptions::default()
    };
    engine::assess(&program(rules), Memory::new(reports), sink, options).expect("memory takes all")
}

/// The reports in each format.
pub(super) fn written(
    formats: &[Format],
    options: DisplayOptions,
    reports: &[(&str, &[u8])],
    threads: usize,
) -> Vec<String> {
    let writers = formats.iter().map(|&format| (format, Vec::new())).collect();
    let outputs = Outputs::new(writers, options);
    let tally = evaluate(&outputs, reports, &RULES, threads);
    let texts = outputs.finish(&tally).expect("memory takes all");
    texts
        .into_iter()
        .map(|text| String::from_utf8(text).expect("UTF-8"))
        .collect()
}

/// The hostile report in the format of this name.
pub(super) fn hostile(format: &str, options: DisplayOptions) -> String {
    let format: Format = format.parse().expect("a format");
    written(&[format], options, &[("hos\x1btile.csv", HOSTILE.as_bytes())], 2).remove(0)
}

/// The same with how findings are fixed.
pub(super) fn hostile_with_fixes(format: &str, options: DisplayOptions) -> String {
    let format: Format = format.parse().expect("a format");
    let options = DisplayOptions {
        fixes: true,
        ..options
    };
    let outputs = Outputs::new(vec![(format, Vec::new())], options);
    let source = Memory::new(&[("hos\x1btile.csv", HOSTILE.as_bytes())]);
    let program = program(&RULES).with_fixes();
    let tally = engine::assess(&program, source, &outputs, AssessOptions::default());
    let texts = outputs.finish(&tally.expect("memory takes all"));
    String::from_utf8(texts.expect("memory takes all").concat()).expect("UTF-8")
}

/// Findings of every status in this format, by all rules: of users who attack, of an account with a name, of a user in China
/// without a name, and of whole reports; and what the format says that it leaves out.
pub(super) fn every_status(format: &str, options: DisplayOptions) -> (String, Vec<Diagnostic>) {
    let suppressions = "[[suppress]]\nrule = 'access-key-not-rotated'\nuser = '=cmd*'\n\
                        reason = \"until \\u001b[1m\\u202e % ,:]]> the move\"\nexpires = 2026-12-31\nticket = 'SEC-1'\n";
    let suppressions = Suppressions::parse("suppressions.toml", suppressions, &Catalogue::builtin());
    let assess = AssessOptions {
        emit: EmitFilter::new(&Status::ALL, Severity::Informational),
        suppressions: Some(&suppressions.expect("valid suppressions")),
        due_within: Some(366 * 86_400),
        ..AssessOptions::default()
    };
    let unnamed = ",arn:aws-cn:iam::111122223333:user/\u{202e}a/,2020-01-01T00:00:00Z,true,N/A,N/A,N/A,false,true,2026-11-01T00:00:00Z,\
        N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n";
    let short = "alice,2020-01-01T00:00:00Z,true,true,2020-01-01T00:00:00Z\n";
    let reports = [
        ("hos\x1btile.csv", HOSTILE.as_bytes()),
        (NAMED, HOSTILE.as_bytes()),
        ("a,b:c%/\u{202e}.csv", unnamed.as_bytes()),
        (SHORT, short.as_bytes()),
    ];
    let format: Format = format.parse().expect("a format");
    let outputs = Outputs::new(vec![(format, Vec::new())], options);
    let tally = engine::assess(&program(&["*"]), Memory::new(&reports), &outputs, assess);
    let diagnostics = outputs.diagnostics();
    let text = outputs.finish(&tally.expect("memory takes all"));
    let text = String::from_utf8(text.expect("memory takes all").concat());
    (text.expect("UTF-8"), diagnostics)
}

/// The characters that must be escaped, line ends aside.
pub(super) fn unescaped(text: &str) -> String {
    let is_unescaped = |&char: &char| must_be_escaped(char) && !matches!(char, '\n' | '\r');
    text.chars().filter(is_unescaped).collect()
}

/// Runs a test on every finding.
pub(super) struct ForEachFinding<F>(pub(super) F);

impl<F: Fn(&FindingRef<'_>) + Sync> Sink for ForEachFinding<F> {
    type Part = ();

    fn part(&self) {}

    fn finding(&self, (): &mut (), finding: &FindingRef<'_>) {
        self.0(finding);
    }

    fn accept(&self, (): &mut ()) -> std::io::Result<()> {
        Ok(())
    }
}

/// The schema of OCSF for compliance findings with the profile `cloud`.
pub(super) const OCSF: &str =
    include_str!("../../tests/formats/ocsf-compliance-finding-1.5.0-cloud.schema.json");
/// The schema of SARIF 2.1.0.
pub(super) const SARIF: &str = include_str!("../../tests/formats/sarif-schema-2.1.0.json");

/// Panics unless each document is valid by the schema that another organization published.
pub(super) fn assert_valid(schema: &str, documents: &[Value]) {
    // SARIF's schema has a pattern that is valid only in old dialects: of run.language, which is not used.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for document in documents {
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?} in {document}");
    }
}
