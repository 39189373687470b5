//! `ocsf`: an event for each finding.

use super::common_parts::RulePartsCache;
use super::{FindingStream, ScanWriter};
use crate::engine::{FindingRef, UserRow};
use crate::output::format::{FormatSpec, Readers};
use crate::output::ocsf::{Activity, Event, EventUser, RuleParts};

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "ocsf",
    "OCSF compliance findings, one per line, for Security Lake and SIEMs",
    Readers::Program,
    ScanWriter::StreamFindings(|| Box::new(Events::default())),
);

/// Writes findings as events.
#[derive(Debug, Default)]
struct Events {
    rules: RulePartsCache<RuleParts>,
}

impl FindingStream for Events {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        let rule = self.rules.get(finding.rule(), RuleParts::new);
        let as_of = finding.input().as_of;
        let event = Event {
            activity: Activity::Create,
            rule: finding.rule(),
            id: finding.id(),
            as_of,
            last_seen: as_of,
            status: Some(finding.status),
            change: None,
            message: &finding.message(),
            account: finding.account(),
            account_name: finding.account_name(),
            user: finding.row().map(|row| EventUser {
                is_root: row.is_root(),
                name: row.user().filter(|name| !name.is_empty()),
                arn: row.arn(),
                owner: finding.owner(),
                access_key: finding
                    .access_key_id()
                    .map(|id| (id, finding.access_key_description())),
            }),
            credential: finding.credential(),
            due_at: finding.due_at,
            suppression: finding.suppression,
            source: (&finding.input().path, finding.row().map(UserRow::number)),
        };
        event.write(rule, finding.evidence(), out);
    }
}
