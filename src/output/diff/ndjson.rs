//! `ndjson`: one event per line, `credlens.event/v1`.

use std::io::{self, Write};
use std::ops::Range;

use super::in_order::write_in_order;
use super::{DiffView, DiffWriter, EventLine};
use crate::history::Event;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text;

pub(super) const FORMAT: FormatSpec<DiffWriter> = FormatSpec::new(
    "ndjson",
    "one event per line, without findings",
    Readers::Program,
    write,
);

fn write(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let line = |event: &Event, out: &mut Vec<u8>| {
        let [old_as_of, new_as_of] = view.instants(event).map(|as_of| as_of.to_string());
        let event = EventLine {
            schema: EventLine::SCHEMA.to_owned(),
            old_as_of,
            new_as_of,
            event: view.event(event),
        };
        json_text::write(&event, out);
        out.push(b'\n');
    };
    let events = |range: Range<usize>, out: &mut Vec<u8>| {
        view.diff.events[range].iter().for_each(|event| line(event, out));
    };
    let all = view.diff.events.len();
    write_in_order(view, all, events, |text| out.write_all(text))
}
