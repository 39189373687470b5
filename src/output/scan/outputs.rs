//! The engine's sink: several formats of one run.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use super::foremost::{Mildness, SoonestFindings, WorstFindings, mildness};
use super::{Arranger, DisplayOptions, FindingStream, Format, ScanView, ScanWriter};
use crate::engine::{Block, FindingRef, ItemScratch, Lister, Sink};
use crate::finding::{Diagnostic, Finding, ListItem, Severity, Status, Tally};
use crate::gsl::typed::Entity;
use crate::report::schema::ColumnSet;

/// Writes findings as they come, in every format asked for, and the rest at the end.
#[derive(Debug)]
pub struct Outputs<W> {
    /// One per format.
    formats: Vec<ScanWriter>,
    /// Whether findings in this format say how they are fixed, one per format.
    with_fixes: Vec<bool>,
    options: DisplayOptions,
    /// How many of the worst findings are kept for the formats that show them.
    kept: usize,
    written: Mutex<Written<W>>,
    /// Findings of this mildness and milder ones cannot be among the worst any more.
    bar: AtomicU8,
    /// Findings due after this second cannot be among the soonest any more.
    due_bar: AtomicI64,
}

#[derive(Debug)]
struct Written<W> {
    /// One per format.
    writers: Vec<W>,
    worst: WorstFindings,
    soonest: SoonestFindings,
    /// Whether the openings are written.
    opened: bool,
    /// All users and their keys, for the formats that list them.
    users: Vec<ListItem>,
    keys: Vec<ListItem>,
    /// Whether a finding is written, one per format.
    begun: Vec<bool>,
    /// What arranges findings, one per format.
    arrangers: Vec<Option<Box<dyn Arranger>>>,
    /// What an arranger lets be written.
    arranged: Vec<u8>,
}

/// The findings of a block, formatted by a worker.
pub struct FormattedBlock {
    streams: Vec<StreamBuffer>,
    /// None if no format lists them.
    items: Option<Items>,
    ranked: Option<RankedFindings>,
}

/// The users and keys of a block.
#[derive(Default)]
struct Items {
    scratch: ItemScratch,
    users: Vec<ListItem>,
    keys: Vec<ListItem>,
}

/// The findings of a block that formats show which are rendered at the end.
struct RankedFindings {
    worst: WorstFindings,
    /// Of those that are due.
    soonest: SoonestFindings,
}

/// The findings in one format that streams.
struct StreamBuffer {
    /// Position among the formats.
    output: usize,
    stream: Box<dyn FindingStream>,
    buffer: Vec<u8>,
}

impl ScanWriter {
    /// What it writes where a ranking is asked for, or none is.
    pub(super) fn resolved(self, ranked: bool) -> Self {
        match self {
            Self::StreamOrRanking(_, ranking) if ranked => Self::RenderCounts(ranking),
            Self::StreamOrRanking(..)
            | Self::Stream(_)
            | Self::StreamFindings(_)
            | Self::RenderCounts(_)
            | Self::RenderRequirements(_)
            | Self::RenderWorst(_)
            | Self::RenderMost(..)
            | Self::RenderBook(..) => self,
        }
    }

    /// How its stream of findings starts, if it has one.
    pub(super) fn starts_stream(self) -> Option<fn() -> Box<dyn FindingStream>> {
        match self {
            Self::Stream(start) | Self::StreamFindings(start) | Self::StreamOrRanking(start, _) => {
                Some(start)
            }
            Self::RenderCounts(_)
            | Self::RenderRequirements(_)
            | Self::RenderWorst(_)
            | Self::RenderMost(..)
            | Self::RenderBook(..) => None,
        }
    }

    /// How many of the worst findings it shows, of those that are due the same.
    fn shown(self, options: DisplayOptions) -> usize {
        match self {
            Self::RenderWorst(_) => options.limit,
            Self::RenderMost(usual, _) | Self::RenderBook(usual, _) => options.most(usual),
            Self::StreamFindings(_)
            | Self::Stream(_)
            | Self::StreamOrRanking(..)
            | Self::RenderCounts(_)
            | Self::RenderRequirements(_) => 0,
        }
    }

    /// Whether it lists users and keys.
    fn lists_items(self) -> bool {
        matches!(self, Self::RenderBook(..))
    }

    fn stream(self) -> Option<Box<dyn FindingStream>> {
        self.starts_stream().map(|start| start())
    }

    fn arranger(self, options: DisplayOptions) -> Option<Box<dyn Arranger>> {
        self.stream()?.arranger(options)
    }

    fn shows_lines(self) -> bool {
        self.stream().is_none_or(|stream| stream.shows_lines())
    }

    fn opening(self) -> Vec<u8> {
        self.stream().map_or_else(Vec::new, |stream| stream.opening())
    }

    fn ending(self, view: &ScanView<'_>) -> Vec<u8> {
        match self {
            Self::Stream(start) | Self::StreamFindings(start) | Self::StreamOrRanking(start, _) => {
                start().ending(view.tally)
            }
            Self::RenderCounts(render) | Self::RenderRequirements(render) | Self::RenderWorst(render) => {
                render(view).into_bytes()
            }
            Self::RenderMost(_, render) | Self::RenderBook(_, render) => render(view),
        }
    }
}

impl<W: io::Write + Send> Outputs<W> {
    /// Writes each format to its writer, in large pieces.
    pub fn new(outputs: Vec<(Format, W)>, options: DisplayOptions) -> Self {
        Self::ranked(outputs, options, false)
    }

    /// The same; `ranked` says whether a ranking is asked for, which [`Tally::ranking`] will have.
    pub fn ranked(outputs: Vec<(Format, W)>, options: DisplayOptions, ranked: bool) -> Self {
        let with_fixes = outputs
            .iter()
            .map(|(format, _)| options.fixes || format.always_shows_fixes());
        let with_fixes = with_fixes.collect();
        let of = |(format, writer): (Format, W)| (format.writer.resolved(ranked), writer);
        let (formats, writers): (Vec<_>, Vec<_>) = outputs.into_iter().map(of).unzip();
        let kept = formats
            .iter()
            .map(|format| format.shown(options))
            .max()
            .unwrap_or(0);
        let worst = WorstFindings::new(kept);
        Self {
            options,
            kept,
            bar: AtomicU8::new(Mildness::MAX),
            due_bar: AtomicI64::new(i64::MAX),
            written: Mutex::new(Written {
                writers,
                worst,
                soonest: SoonestFindings::new(kept),
                opened: false,
                users: Vec::new(),
                keys: Vec::new(),
                begun: vec![false; formats.len()],
                arrangers: formats.iter().map(|format| format.arranger(options)).collect(),
                arranged: Vec::new(),
            }),
            formats,
            with_fixes,
        }
    }

    /// What formats left out of the findings that were emitted so far.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let arrangers = written.arrangers.iter().flatten();
        arrangers.flat_map(|arranger| arranger.diagnostics()).collect()
    }

    /// Writes what comes after the findings, flushes, and gives the writers back, in order.
    pub fn finish(self, tally: &Tally) -> io::Result<Vec<W>> {
        let mut written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.open(&self.formats)?;
        written.write_rest()?;
        let emitted = written.worst.emitted();
        let worst: Vec<Finding> = written.worst.into_findings();
        let due_emitted = written.soonest.emitted();
        let due = written.soonest.into_findings();
        let formats = self.formats.iter().zip(&self.with_fixes);
        for ((format, with_fixes), writer) in formats.zip(&mut written.writers) {
            let shown = format.shown(self.options);
            let first = |findings| first(findings, shown, *with_fixes);
            let view = ScanView {
                tally,
                worst: &first(&worst),
                emitted,
                users: &written.users,
                keys: &written.keys,
                due: &first(&due),
                due_emitted,
                options: self.options,
            };
            writer.write_all(&format.ending(&view))?;
            writer.flush()?;
        }
        Ok(written.writers)
    }
}

impl<W> Outputs<W> {
    fn shows_worst(&self) -> bool {
        self.kept > 0
    }

    fn lists_items(&self) -> bool {
        self.formats.iter().any(|format| format.lists_items())
    }
}

/// As many of the first findings as a format shows, as it shows them.
fn first(findings: &[Finding], shown: usize, with_fixes: bool) -> Cow<'_, [Finding]> {
    let first = &findings[..findings.len().min(shown)];
    if with_fixes || first.iter().all(|finding| finding.fix.is_none()) {
        return first.into();
    }
    let without_fix = |finding: &Finding| Finding {
        fix: None,
        ..finding.clone()
    };
    first.iter().map(without_fix).collect::<Vec<_>>().into()
}

impl<W: io::Write> Written<W> {
    /// Writes the openings, once.
    fn open(&mut self, formats: &[ScanWriter]) -> io::Result<()> {
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
        if let Some(arranger) = &mut self.arrangers[output] {
            self.arranged.clear();
            arranger.take(findings, &mut self.arranged);
            return self.writers[output].write_all(&self.arranged);
        }
        let first = !std::mem::replace(&mut self.begun[output], true);
        let findings = match findings.strip_prefix(separator) {
            Some(rest) if first => rest,
            Some(_) | None => findings,
        };
        self.writers[output].write_all(findings)
    }

    /// Writes what is still to be arranged.
    fn write_rest(&mut self) -> io::Result<()> {
        for (arranger, writer) in self.arrangers.iter_mut().zip(&mut self.writers) {
            if let Some(arranger) = arranger {
                self.arranged.clear();
                arranger.end(&mut self.arranged);
                writer.write_all(&self.arranged)?;
            }
        }
        Ok(())
    }
}

impl<W: io::Write + Send> Sink for Outputs<W> {
    type Part = FormattedBlock;

    fn part(&self) -> FormattedBlock {
        let streams = self.formats.iter().enumerate().filter_map(|(output, format)| {
            Some(StreamBuffer {
                output,
                stream: format.stream()?,
                buffer: Vec::new(),
            })
        });
        let ranked = || RankedFindings {
            worst: WorstFindings::new(self.kept),
            soonest: SoonestFindings::new(self.kept),
        };
        FormattedBlock {
            streams: streams.collect(),
            items: self.lists_items().then(Items::default),
            ranked: self.shows_worst().then(ranked),
        }
    }

    fn columns(&self) -> ColumnSet {
        let of_items = || Lister::columns_of(Entity::IamUser).union(Lister::columns_of(Entity::IamAccessKey));
        if self.lists_items() {
            of_items()
        } else {
            ColumnSet::default()
        }
    }

    fn rows(&self, part: &mut FormattedBlock, block: Block<'_>) {
        let Some(items) = &mut part.items else { return };
        for entity in [Entity::IamUser, Entity::IamAccessKey] {
            let lister = Lister::of_all(&block, entity, Severity::Informational);
            let list = if entity == Entity::IamUser {
                &mut items.users
            } else {
                &mut items.keys
            };
            lister.list(&block, &mut items.scratch, |item| list.push(item.to_item()));
        }
    }

    fn shows_lines(&self) -> bool {
        self.formats.iter().any(|format| format.shows_lines())
    }

    fn finding(&self, block: &mut FormattedBlock, finding: &FindingRef<'_>) {
        for part in &mut block.streams {
            let finding = if self.with_fixes[part.output] {
                *finding
            } else {
                finding.without_fix()
            };
            part.stream.finding(&finding, &mut part.buffer);
        }
        match &mut block.ranked {
            // Everything that was accepted comes before this finding, so an old bar only lets too many pass.
            Some(ranked) if finding.status == Status::Due => {
                let due_at = finding.due_at.expect("invariant: what is due has a time");
                let rank = (due_at, Reverse(finding.rule().bound.severity));
                let is_behind = due_at.0 > self.due_bar.load(Ordering::Relaxed);
                ranked.soonest.add(finding, rank, is_behind);
            }
            Some(ranked) => {
                let rank = mildness(finding);
                let is_behind = rank >= self.bar.load(Ordering::Relaxed);
                ranked.worst.add(finding, rank, is_behind);
            }
            None => {}
        }
    }

    fn accept(&self, block: &mut FormattedBlock) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.open(&self.formats)?;
        for part in block.streams.iter_mut().filter(|part| !part.buffer.is_empty()) {
            written.write(part.output, part.stream.separator(), &part.buffer)?;
            part.buffer.clear();
        }
        if let Some(items) = &mut block.items {
            written.users.append(&mut items.users);
            written.keys.append(&mut items.keys);
        }
        if let Some(ranked) = &mut block.ranked {
            written.worst.take(&mut ranked.worst);
            written.soonest.take(&mut ranked.soonest);
            let bar = written.worst.bar().unwrap_or(Mildness::MAX);
            let due_bar = written.soonest.bar().map_or(i64::MAX, |(due_at, _)| due_at.0);
            self.bar.store(bar, Ordering::Relaxed);
            self.due_bar.store(due_bar, Ordering::Relaxed);
        }
        Ok(())
    }
}
