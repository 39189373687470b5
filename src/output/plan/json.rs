//! `json`: the plan as `credlens.plan/v1`, which `credlens remedy apply` reads.

use super::{PlanView, PlanWriter};
use crate::output::format::{FormatSpec, Readers};

pub(super) const FORMAT: FormatSpec<PlanWriter> = FormatSpec::new(
    "json",
    "one document, which `credlens remedy plan --announced` reads",
    Readers::Program,
    PlanWriter(write),
);

fn write(view: &PlanView<'_>) -> String {
    let json = serde_json::to_string_pretty(view.plan);
    json.expect("invariant: the type has only texts, numbers and lists") + "\n"
}
