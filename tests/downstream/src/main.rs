//! Uses every function of the public API, and reads what it returns.

use std::error::Error;

use credlens::{
    Audit, Auditor, Code, DiffDocument, EventKind, Finding, Level, Reports, Rules, Severity, Status, Timestamp,
    TrendDocument,
};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active";
const ARN: &str = "arn:aws:iam::111122223333:user";

/// A report of a day: alice with or without MFA.
fn report(mfa: bool, day: &str) -> Result<Reports, Box<dyn Error>> {
    let text = format!("{HEADER}\nalice,{ARN}/alice,2025-01-01T00:00:00Z,true,{mfa},false\n");
    Ok(Reports::from_bytes(text).as_of(day.parse()?))
}

fn audits(fixtures: &str) -> Result<(), Box<dyn Error>> {
    let auditor = Auditor::new(Rules::new())?.threads(1);
    let as_of: Timestamp = "2026-06-01T00:00:00Z".parse()?;
    let of_files = auditor.audit(Reports::from_path(format!("{fixtures}/demo")).as_of(as_of))?;
    assert!(of_files.findings.iter().any(|finding| finding.severity >= Severity::High));
    // The same report in two envelopes.
    let [plain, base64] = ["cli-json.json", "base64.txt"].map(|name| -> Result<Audit, Box<dyn Error>> {
        let bytes = std::fs::read(format!("{fixtures}/{name}"))?;
        Ok(auditor.audit(Reports::from_bytes(bytes).as_of(as_of))?)
    });
    let who = |finding: &Finding| (finding.rule.clone(), finding.user.clone(), finding.status);
    let [plain, base64] = [plain?, base64?].map(|audit| audit.findings.iter().map(who).collect::<Vec<_>>());
    assert!(!plain.is_empty());
    assert_eq!(plain, base64);
    Ok(())
}

fn rules_of_ones_own() -> Result<(), Box<dyn Error>> {
    let rules = Rules::new()
        .file("team.gsl", "# Everyone has MFA\nIamUser should have mfaActive=true")?
        .rule("console-user-without-mfa")
        .rule("access-key-unused")
        .set("access-key-unused.max_idle=60")?
        .suppressions(
            "settings.toml",
            "[[suppress]]\nrule = \"console-user-without-mfa\"\nuser = \"alice\"\nreason = \"known\"\n",
        )?;
    let audit = Auditor::new(rules)?.audit(report(false, "2026-06-01")?)?;
    let statuses: Vec<_> = audit.findings.iter().map(|finding| finding.status).collect();
    assert!(statuses.contains(&Status::Fail) && statuses.contains(&Status::Suppressed), "{statuses:?}");
    // A missing column is never clean.
    let unused = audit.rules.iter().find(|rule| rule.id == "access-key-unused");
    assert!(unused.is_some_and(|rule| rule.passed == 0));
    assert!(audit.diagnostics.iter().any(|note| note.code == Code::MissingColumns || note.level >= Level::Note));

    let errors = Rules::new().file("broken.gsl", "IamUser should").map(|_| ());
    assert!(matches!(errors, Err(credlens::Error::Rules(messages)) if messages[0].contains("broken.gsl")));
    let unknown = Auditor::new(Rules::new().framework("cis-aws-99.0")).map(|_| ());
    assert!(matches!(unknown, Err(credlens::Error::Rules(_))));
    Ok(())
}

fn comparisons() -> Result<(), Box<dyn Error>> {
    let auditor = Auditor::new(Rules::new().rule("console-user-without-mfa"))?;
    let diff: DiffDocument = auditor.diff(report(true, "2026-06-01")?, report(false, "2026-06-02")?)?;
    assert_eq!(diff.events[0].kind, EventKind::MfaDeactivated);
    assert_eq!(diff.findings.opened[0].user.as_deref(), Some("alice"));
    // What the reports lack is said of a comparison, too.
    assert!(diff.diagnostics.iter().any(|note| note.code == Code::MissingColumns), "{:?}", diff.diagnostics);

    let days = [("2026-06-03", true), ("2026-06-01", true), ("2026-06-02", false)];
    let reports = days.into_iter().map(|(day, mfa)| report(mfa, day));
    let trend: TrendDocument = auditor.trend(reports.collect::<Result<Vec<_>, _>>()?)?;
    let moves: Vec<_> = trend.snapshots.iter().map(|point| (point.opened, point.resolved)).collect();
    assert_eq!(moves, [(0, 0), (1, 0), (0, 1)]);
    Ok(())
}

/// Each is an error that says what to do, and none a clean result.
fn errors(auditor: &Auditor) {
    let undated = auditor.audit(Reports::from_bytes(format!("{HEADER}\nalice,{ARN}/alice,,,,\n")));
    let undated = undated.map(|_| ()).unwrap_err();
    assert_eq!(undated.to_string(), "nothing says when the report was generated: give its as-of");
    let garbage = auditor.audit(Reports::from_bytes("no report").as_of(Timestamp(0)));
    assert!(matches!(garbage, Err(credlens::Error::Unreadable(_))));
    let nothing = auditor.audit(Reports::from_paths(Vec::<String>::new()));
    assert!(matches!(nothing, Err(credlens::Error::NoReport)));
    let other = format!("{HEADER}\nbob,arn:aws:iam::444455556666:user/bob,2025-01-01,true,true,false\n");
    let other = Reports::from_bytes(other).as_of(Timestamp(1_800_000_000));
    let old = report(true, "2026-06-01").expect("a day");
    let incomparable = auditor.diff(old.clone(), other);
    assert!(matches!(incomparable, Err(credlens::Error::Incomparable(_))));
    let swapped = auditor.diff(report(true, "2026-06-02").expect("a day"), old);
    assert!(matches!(swapped, Err(credlens::Error::Incomparable(message)) if message.contains("swap them")));
}

fn main() -> Result<(), Box<dyn Error>> {
    let fixtures = std::env::args().nth(1).ok_or("the folder of the fixtures is missing")?;
    audits(&fixtures)?;
    rules_of_ones_own()?;
    comparisons()?;
    errors(&Auditor::new(Rules::new())?);
    Ok(())
}
