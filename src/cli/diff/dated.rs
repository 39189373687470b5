//! `--old-as-of` and `--new-as-of`: sources with an as-of per input, and a part of a source.

use std::sync::Arc;

use credlens::engine::{BlockEnd, DeferredInput, Input, Source, SourceEvent};
use credlens::finding::AsOfSource;
use credlens::report::time::Timestamp;

/// A source whose inputs get these as-of, in their order; where there is none, an input has its own.
pub(crate) struct Dated<S> {
    source: S,
    as_of: std::vec::IntoIter<Option<Timestamp>>,
    /// The as-of of the current input, and its report with it.
    current: Option<(Option<Timestamp>, Option<Arc<Input>>)>,
}

impl<S: Source> Dated<S> {
    pub(crate) fn new(source: S, as_of: Vec<Option<Timestamp>>) -> Self {
        Self {
            source,
            as_of: as_of.into_iter(),
            current: None,
        }
    }
}

impl<S: Source> Source for Dated<S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let event = self.source.next(text)?;
        let (as_of, dated) = match self.current.take() {
            Some(current) => current,
            None => (self.as_of.next().flatten(), None),
        };
        let (input, end, text) = match event {
            SourceEvent::Block { input, end } => (input, end, None),
            SourceEvent::DeferredBlock { input, end, text } => (input, end, Some(text)),
            SourceEvent::DeferredInput(whole) => {
                return Some(SourceEvent::DeferredInput(DeferredInput(Box::new(Dated::new(
                    whole.0,
                    vec![as_of],
                )))));
            }
            failed @ SourceEvent::Failed { ends_input, .. } => {
                self.current = (!ends_input).then_some((as_of, None));
                return Some(failed);
            }
            SourceEvent::PassedOver(file) => return Some(SourceEvent::PassedOver(file)),
            SourceEvent::LargeBlockAhead => {
                self.current = Some((as_of, dated));
                return Some(SourceEvent::LargeBlockAhead);
            }
        };
        let input = match (as_of, dated) {
            (None, _) => input,
            (Some(_), Some(dated)) => dated,
            (Some(as_of), None) => Arc::new(Input {
                as_of,
                as_of_source: AsOfSource::Argument,
                ..Input::clone(&input)
            }),
        };
        self.current = match end {
            BlockEnd::Nothing => Some((as_of, Some(Arc::clone(&input)))),
            BlockEnd::Report => Some((as_of, None)),
            BlockEnd::Input => None,
        };
        Some(match text {
            None => SourceEvent::Block { input, end },
            Some(text) => SourceEvent::DeferredBlock { input, end, text },
        })
    }
}

/// The next inputs of a source, this many; the source then continues behind them.
pub(crate) struct Next<'a, S> {
    source: &'a mut S,
    inputs: usize,
}

impl<'a, S: Source> Next<'a, S> {
    pub(crate) fn new(source: &'a mut S, inputs: usize) -> Self {
        Self { source, inputs }
    }
}

impl<S: Source> Source for Next<'_, S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        if self.inputs == 0 {
            return None;
        }
        let event = self.source.next(text)?;
        self.inputs -= usize::from(event.ends_input());
        Some(event)
    }
}
