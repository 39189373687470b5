//! `names`: the names of the users, each user once, one per line, for other programs and for people.

use super::{ItemStream, ItemWriter};
use crate::engine::ItemRef;
use crate::output::format::{FormatSpec, Readers};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "names",
    "each user's name on a line",
    Readers::Program,
    ItemWriter::Stream(|| Box::new(Names)),
);

/// Writes names, with control characters escaped. A user without a name is known by the ARN.
#[derive(Debug)]
struct Names;

impl ItemStream for Names {
    fn item(&mut self, item: &ItemRef<'_>, out: &mut Vec<u8>) {
        let name = item.row.user().filter(|name| !name.is_empty());
        if let Some(name) = name.or_else(|| item.row.arn()) {
            out.extend_from_slice(escape(&String::from_utf8_lossy(name)).as_bytes());
            out.push(b'\n');
        }
    }

    fn is_once_per_user(&self) -> bool {
        true
    }
}
