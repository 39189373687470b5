//! Writes a credential report that looks like a real one: `cargo run --release --example synth -- --users
//! 1000000 --seed 1 > report.csv`. Generated as of 2026-06-01T00:00:00Z.

#[path = "../benches/synth/mod.rs"]
#[expect(dead_code, reason = "the benches use more of it")]
mod synth;

use std::io::{self, Write as _};

use clap::Parser;

/// Writes a credential report that looks like a real one to standard output
#[derive(Parser)]
struct Args {
    /// Data rows
    #[arg(long, default_value_t = 5_000)]
    users: u64,
    /// Rows an account; the first is root
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
