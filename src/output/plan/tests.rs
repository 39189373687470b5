//! The schema of plans.

use crate::output::schema::check_committed;
use crate::remedy::Plan;

#[test]
fn the_committed_schema_is_that_of_the_type() {
    check_committed::<Plan>("plan.v1", Plan::SCHEMA);
}
