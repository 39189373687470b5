//! Reads reports and splits them into fields, and does nothing else: the lower bound for the time of a scan with this
//! splitter. `cargo run --release --example split -- --threads 2 report.csv`

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Parser;
use credlens::engine::{Source as _, SourceEvent};
use credlens::io::inputs::{InputOptions, Inputs, Limits};
use credlens::report::rows::Rows;
use credlens::report::split::Splitter;
use credlens::report::time::Timestamp;

/// Splits reports into fields, and says how many records there are
#[derive(Parser)]
struct Args {
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Files, directories or - for standard input
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "the program prints the count")]
fn main() {
    let args = Args::parse();
    let options = InputOptions {
        hashed: 0,
        as_of: Some(Timestamp(0)),
        now: Timestamp(0),
        compared: false,
        limits: Limits::default(),
    };
    let inputs = Mutex::new(Inputs::new(args.inputs, Box::new(io::stdin()), options));
    let records = AtomicUsize::new(0);
    let work = || {
        let (mut splitter, mut rows, mut issues) = (Splitter::default(), Rows::default(), Vec::new());
        loop {
            let mut event = inputs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(rows.text_mut());
            if let Some(SourceEvent::DeferredInput(mut small)) = event {
                event = small.0.next(rows.text_mut());
            }
            match event {
                Some(SourceEvent::Block { input, .. }) => {
                    splitter.split(&mut rows, &input.header, &mut issues);
                    records.fetch_add(rows.len(), Ordering::Relaxed);
                }
                Some(
                    SourceEvent::DeferredInput(_)
                    | SourceEvent::LargeBlockAhead
                    | SourceEvent::DeferredBlock { .. }
                    | SourceEvent::Failed { .. }
                    | SourceEvent::PassedOver(_),
                ) => {}
                None => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(work);
        }
    });
    println!("{}", records.into_inner());
}
