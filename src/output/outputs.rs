//! The engine's sink: several formats of one run.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::worst::Worst;
use super::{Format, Settings, Stream, View, csv, json, markdown, ndjson, summary, table};
use crate::engine::{FindingRef, Sink};
use crate::finding::{Finding, Tally};

/// Writes findings as they come, in every format asked for, and the rest at the end.
#[derive(Debug)]
pub struct Outputs<W> {
    formats: Vec<Format>,
    settings: Settings,
    state: Mutex<State<W>>,
    /// [`Worst::bar`] of all that was accepted.
    bar: AtomicU8,
}

#[derive(Debug)]
struct State<W> {
    /// One a format.
    writers: Vec<W>,
    worst: Worst,
    /// Whether what stands before the findings was written.
    opened: bool,
    /// Whether a finding was written, one a format.
    begun: Vec<bool>,
}

/// The findings of a block, formatted by a worker.
pub struct Part {
    streams: Vec<Streaming>,
    worst: Option<Worst>,
}

/// One format that streams.
struct Streaming {
    /// Position among the formats.
    output: usize,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

impl Format {
    /// Whether it shows the worst findings at the end.
    const fn keeps_worst(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }

    /// What writes its findings as they come, if it does.
    fn stream(self) -> Option<Box<dyn Stream>> {
        match self {
            Self::Ndjson => Some(Box::new(ndjson::Lines::default())),
            Self::Json => Some(Box::new(json::Elements::default())),
            Self::Csv => Some(Box::new(csv::Records::default())),
            Self::Table | Self::Summary | Self::Markdown => None,
        }
    }

    /// What each finding starts with, and the first does not.
    const fn separator(self) -> &'static [u8] {
        match self {
            Self::Json => json::SEPARATOR,
            Self::Ndjson | Self::Csv | Self::Table | Self::Summary | Self::Markdown => b"",
        }
    }

    /// What stands before the findings.
    fn opening(self) -> Vec<u8> {
        match self {
            Self::Json => json::opening(),
            Self::Csv => csv::header(),
            Self::Ndjson | Self::Table | Self::Summary | Self::Markdown => Vec::new(),
        }
    }

    /// What stands behind them.
    fn ending(self, view: &View<'_>) -> Vec<u8> {
        match self {
            Self::Json => json::ending(view),
            Self::Table => table::render(view).into_bytes(),
            Self::Summary => summary::render(view).into_bytes(),
            Self::Markdown => markdown::render(view).into_bytes(),
            Self::Ndjson | Self::Csv => Vec::new(),
        }
    }
}

impl<W: io::Write + Send> Outputs<W> {
    /// Writes each format to its writer, in large pieces.
    pub fn new(outputs: Vec<(Format, W)>, settings: Settings) -> Self {
        let (formats, writers): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
        let worst = Worst::new(settings.limit);
        Self {
            settings,
            bar: AtomicU8::new(worst.bar()),
            state: Mutex::new(State {
                writers,
                worst,
                opened: false,
                begun: vec![false; formats.len()],
            }),
            formats,
        }
    }

    /// Writes what comes after the findings, flushes, and gives the writers back, in order.
    ///
    /// # Errors
    /// Those of the writers.
    pub fn finish(self, tally: &Tally) -> io::Result<Vec<W>> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.open(&self.formats)?;
        let told = state.worst.told();
        let worst: Vec<Finding> = state.worst.into_findings();
        let view = View {
            tally,
            worst: &worst,
            told,
            settings: self.settings,
        };
        for (format, writer) in self.formats.iter().zip(&mut state.writers) {
            writer.write_all(&format.ending(&view))?;
            writer.flush()?;
        }
        Ok(state.writers)
    }
}

impl<W: io::Write> State<W> {
    /// Writes what stands before the findings, once.
    fn open(&mut self, formats: &[Format]) -> io::Result<()> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        for (format, writer) in formats.iter().zip(&mut self.writers) {
            writer.write_all(&format.opening())?;
        }
        Ok(())
    }

    /// Writes findings, the first one without its separator.
    fn write(&mut self, output: usize, separator: &[u8], findings: &[u8]) -> io::Result<()> {
        let first = !std::mem::replace(&mut self.begun[output], true);
        let findings = match findings.strip_prefix(separator) {
            Some(rest) if first => rest,
            Some(_) | None => findings,
        };
        self.writers[output].write_all(findings)
    }
}

impl<W: io::Write + Send> Sink for Outputs<W> {
    type Part = Part;

    fn part(&self) -> Part {
        let streams = self.formats.iter().enumerate().filter_map(|(output, format)| {
            let stream = format.stream()?;
            let buffer = Vec::new();
            Some(Streaming {
                output,
                stream,
                buffer,
            })
        });
        let keeps_worst = self.formats.iter().any(|format| format.keeps_worst());
        Part {
            streams: streams.collect(),
            worst: keeps_worst.then(|| Worst::new(self.settings.limit)),
        }
    }

    fn finding(&self, part: &mut Part, finding: &FindingRef<'_>) {
        for streaming in &mut part.streams {
            streaming.stream.finding(finding, &mut streaming.buffer);
        }
        if let Some(worst) = &mut part.worst {
            // Whatever was accepted comes before this finding, so an old bar is only too low.
            worst.add(finding, self.bar.load(Ordering::Relaxed));
        }
    }

    fn accept(&self, part: &mut Part) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open(&self.formats)?;
        for Streaming { output, buffer, .. } in &mut part.streams {
            if !buffer.is_empty() {
                state.write(*output, self.formats[*output].separator(), buffer)?;
                buffer.clear();
            }
        }
        if let Some(worst) = &mut part.worst {
            state.worst.take(worst);
            self.bar.store(state.worst.bar(), Ordering::Relaxed);
        }
        Ok(())
    }
}
