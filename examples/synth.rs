//! Writes a synthetic credential report with realistic proportions, generated as of 2026-06-01T00:00:00Z:
//! `cargo run --release --example synth -- --users 1000000 --seed 1 > report.csv`

#[path = "../benches/synth/mod.rs"]
#[expect(dead_code, reason = "the benches use more of it")]
mod synth;

use std::io::{self, Write as _};

use clap::Parser;

/// Writes a synthetic credential report to standard output
#[derive(Parser)]
struct Args {
    /// Number of data rows
    #[arg(long, default_value_t = 5_000)]
    users: u64,
    /// Rows per account; the first is root
    #[arg(long, default_value_t = 5_000)]
    users_per_account: u64,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> io::Result<()> {
    let Args {
        users,
        users_per_account,
        seed,
    } = Args::parse();
    let mut out = io::BufWriter::with_capacity(1 << 20, io::stdout().lock());
    synth::Synth {
        users,
        users_per_account,
        seed,
    }
    .write(&mut out)?;
    out.flush()
}
