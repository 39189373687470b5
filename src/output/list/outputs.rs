//! The engine's sink: several formats of one list.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::sort::SortKey;
use super::{
    Accounts, DisplayOptions, ItemFormat, ItemStream, ItemWriter, ListCounts, ListRequest, ListView,
};
use crate::engine::{Block, FindingRef, ItemRef, ItemScratch, Listed, Lister, Program, ReportId, Sink};
use crate::finding::{ListItem, Tally};
use crate::report::schema::ColumnSet;

/// Sorted lines are written in pieces of about this many bytes.
const PIECE: usize = 1 << 18;

/// Writes the items of a list as they come, or sorted at the end, in every format asked for.
#[derive(Debug)]
pub struct ListOutputs<W> {
    lister: Lister,
    request: ListRequest,
    formats: Vec<ItemFormat>,
    options: DisplayOptions,
    written: Mutex<Written<W>>,
    /// Whether formats for people have all items that they show.
    is_full: AtomicBool,
}

#[derive(Debug)]
struct Written<W> {
    /// One per format.
    writers: Vec<W>,
    /// The items that formats for people show, and more of them while they are sorted.
    shown: Vec<Shown>,
    sorted: Vec<SortedLine>,
    counts: ListCounts,
    /// Whether the openings are written.
    opened: bool,
    /// Whether an item is written, one per format.
    begun: Vec<bool>,
}

/// An item for people, and what it is sorted by.
#[derive(Debug)]
struct Shown {
    key: Option<SortKey>,
    item: ListItem,
}

/// An item that is sorted: its text in each format that streams.
#[derive(Debug)]
struct SortedLine {
    key: Option<SortKey>,
    user: (ReportId, u64),
    texts: Box<[Box<[u8]>]>,
}

/// The items of a block, formatted by a worker.
pub struct ListPart {
    scratch: ItemScratch,
    streams: Vec<StreamBuffer>,
    /// None if no format is for people.
    shown: Option<Vec<Shown>>,
    sorted: Vec<SortedLine>,
    /// The user whose item was formatted last.
    last_user: Option<(ReportId, u64)>,
    path: String,
    listed: Listed,
    accounts: Accounts,
}

/// The items in one format that streams.
struct StreamBuffer {
    /// Position among the formats.
    output: usize,
    stream: Box<dyn ItemStream>,
    buffer: Vec<u8>,
}

impl<W: io::Write + Send> ListOutputs<W> {
    /// Writes each format to its writer, in large pieces. The program lists what is requested.
    pub fn new(
        outputs: Vec<(ItemFormat, W)>,
        request: ListRequest,
        program: &Program,
        options: DisplayOptions,
    ) -> Self {
        let (formats, writers): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
        Self {
            lister: Lister::new(program, request.min_severity),
            request,
            options,
            written: Mutex::new(Written {
                writers,
                shown: Vec::new(),
                sorted: Vec::new(),
                counts: ListCounts::default(),
                opened: false,
                begun: vec![false; formats.len()],
            }),
            is_full: AtomicBool::new(false),
            formats,
        }
    }

    /// How many items were listed so far.
    pub fn counts(&self) -> ListCounts {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.counts.clone()
    }

    /// Writes what comes at the end, flushes, and gives the writers back, in order.
    pub fn finish(self, tally: &Tally) -> io::Result<Vec<W>> {
        let mut written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.open(&self.formats)?;
        written.write_sorted(&self.formats, &self.request)?;
        written.keep_shown(&self.request, self.options.limit);
        let shown: Vec<ListItem> = written.shown.into_iter().map(|shown| shown.item).collect();
        let view = ListView {
            request: &self.request,
            tally,
            shown: &shown,
            counts: &written.counts,
            options: self.options,
        };
        for (format, writer) in self.formats.iter().zip(&mut written.writers) {
            let ending = match format.writer {
                ItemWriter::Stream(start) => start().ending(&view),
                ItemWriter::Render(render) => render(&view).into_bytes(),
            };
            writer.write_all(&ending)?;
            writer.flush()?;
        }
        Ok(written.writers)
    }
}

impl<W: io::Write> Written<W> {
    /// Writes the openings, once.
    fn open(&mut self, formats: &[ItemFormat]) -> io::Result<()> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        for (format, writer) in formats.iter().zip(&mut self.writers) {
            if let ItemWriter::Stream(start) = format.writer {
                writer.write_all(&start().opening())?;
            }
        }
        Ok(())
    }

    /// Writes items, the first one without its separator.
    fn write(&mut self, output: usize, separator: &[u8], items: &[u8]) -> io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.begun[output], true);
        let items = match items.strip_prefix(separator) {
            Some(rest) if first => rest,
            Some(_) | None => items,
        };
        self.writers[output].write_all(items)
    }

    fn write_sorted(&mut self, formats: &[ItemFormat], request: &ListRequest) -> io::Result<()> {
        let Some(order) = request.sort else { return Ok(()) };
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort_by(|one, other| order.compare(one.key.as_ref(), other.key.as_ref()));
        let streams = formats.iter().enumerate();
        let streams = streams.filter_map(|(output, format)| Some((output, format.writer.stream()?)));
        for (position, (output, stream)) in streams.enumerate() {
            let mut users = HashSet::new();
            let mut piece = Vec::new();
            for line in &sorted {
                if stream.is_once_per_user() && !users.insert(line.user) {
                    continue;
                }
                piece.extend_from_slice(&line.texts[position]);
                if piece.len() >= PIECE {
                    self.write(output, stream.separator(), &piece)?;
                    piece.clear();
                }
            }
            self.write(output, stream.separator(), &piece)?;
        }
        Ok(())
    }

    /// Sorts the items for people and keeps as many as are shown.
    fn keep_shown(&mut self, request: &ListRequest, limit: usize) {
        if let Some(order) = request.sort {
            // Stable: equal ones stay in the order of inputs and rows.
            self.shown
                .sort_by(|one, other| order.compare(one.key.as_ref(), other.key.as_ref()));
        }
        self.shown.truncate(limit);
    }

    fn count(&mut self, part: &mut ListPart) {
        let listed = std::mem::take(&mut part.listed);
        let counts = &mut self.counts;
        counts.listed += listed.items;
        counts.determined |= listed.determined;
        if listed.unknown > 0 {
            *counts.unknown.entry(part.path.clone()).or_default() += listed.unknown;
        }
        counts.accounts.append(&std::mem::take(&mut part.accounts));
    }
}

impl ItemWriter {
    fn stream(self) -> Option<Box<dyn ItemStream>> {
        match self {
            Self::Stream(start) => Some(start()),
            Self::Render(_) => None,
        }
    }
}

impl ListPart {
    fn add(&mut self, item: &ItemRef<'_>, request: &ListRequest, is_full: bool) {
        let user = (item.input().id, item.row.number());
        let is_same_user = self.last_user.replace(user) == Some(user);
        if !is_same_user && !self.accounts.are_several {
            let name = || item.row.account_name().map(str::as_bytes);
            self.accounts.add(item.row.account().or_else(name));
        }
        let key = request.sort.and_then(|order| order.key(item));
        if let Some(shown) = self.shown.as_mut().filter(|_| !is_full) {
            shown.push(Shown {
                key: key.clone(),
                item: item.to_item(),
            });
        }
        if request.sort.is_none() {
            for StreamBuffer { stream, buffer, .. } in &mut self.streams {
                if !(is_same_user && stream.is_once_per_user()) {
                    stream.item(item, buffer);
                }
            }
            return;
        }
        let texts = self.streams.iter_mut().map(|part| {
            part.stream.item(item, &mut part.buffer);
            let text = part.buffer.as_slice().into();
            part.buffer.clear();
            text
        });
        let texts: Box<[Box<[u8]>]> = texts.collect();
        if !texts.is_empty() {
            self.sorted.push(SortedLine { key, user, texts });
        }
    }
}

impl<W: io::Write + Send> Sink for ListOutputs<W> {
    type Part = ListPart;

    fn part(&self) -> ListPart {
        let streams = self.formats.iter().enumerate().filter_map(|(output, format)| {
            Some(StreamBuffer {
                output,
                stream: format.writer.stream()?,
                buffer: Vec::new(),
            })
        });
        let is_for_people = |format: &ItemFormat| matches!(format.writer, ItemWriter::Render(_));
        ListPart {
            scratch: ItemScratch::default(),
            streams: streams.collect(),
            shown: self.formats.iter().any(is_for_people).then(Vec::new),
            sorted: Vec::new(),
            last_user: None,
            path: String::new(),
            listed: Listed::default(),
            accounts: Accounts::default(),
        }
    }

    fn columns(&self) -> ColumnSet {
        self.lister.columns()
    }

    fn rows(&self, part: &mut ListPart, block: Block<'_>) {
        part.path.clone_from(&block.input.path);
        part.last_user = None;
        let mut scratch = std::mem::take(&mut part.scratch);
        let listed = self.lister.list(&block, &mut scratch, |item| {
            let limit = self.options.limit;
            let has_enough = part.shown.as_ref().is_some_and(|shown| shown.len() >= limit);
            let is_full = self.request.sort.is_none() && (has_enough || self.is_full.load(Ordering::Relaxed));
            part.add(item, &self.request, is_full);
        });
        part.scratch = scratch;
        part.listed = listed;
    }

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, _part: &mut ListPart, _finding: &FindingRef<'_>) {}

    fn accept(&self, part: &mut ListPart) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.open(&self.formats)?;
        written.count(part);
        for stream in &mut part.streams {
            written.write(stream.output, stream.stream.separator(), &stream.buffer)?;
            stream.buffer.clear();
        }
        written.sorted.append(&mut part.sorted);
        if let Some(shown) = &mut part.shown {
            written.shown.append(shown);
            let limit = self.options.limit;
            // Now and then, so that memory does not grow with the items that are not shown.
            if written.shown.len() / 2 > limit || self.request.sort.is_none() {
                written.keep_shown(&self.request, limit);
            }
            self.is_full
                .store(written.shown.len() >= limit, Ordering::Relaxed);
        }
        Ok(())
    }
}
