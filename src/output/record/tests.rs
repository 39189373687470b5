//! The schema of records.

use crate::output::schema::check_committed;
use crate::remedy::{AuditRecord, Record};

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    check_committed::<AuditRecord>("record.v1", AuditRecord::SCHEMA);
    check_committed::<Record>("journal.v1", "credlens.journal/v1");
}
