//! Signals that end a run at once: temporary files are removed first, so that every output is whole or as it was.
//! The same with and without the feature `aws`.

#[cfg(any(unix, feature = "aws"))]
use credlens::io::temporary;

#[cfg(any(unix, feature = "aws"))]
use super::failure::Exit;
use super::failure::Failure;

/// SIGINT, which Ctrl-C sends.
pub(super) const INTERRUPT: u8 = 2;

/// How long the end of a run waits for its message to be printed.
#[cfg(feature = "aws")]
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// SIGINT, SIGTERM and SIGHUP.
pub(super) const ALL: [u8; 3] = [INTERRUPT, 15, 1];

/// From here on, each of them removes temporary files and ends the run. For runs without their own shutdown.
pub(super) fn end_cleanly() -> Result<(), Failure> {
    end_run_on(&ALL)
}

/// Those that end a run which handles them itself.
#[cfg(feature = "aws")]
pub(super) fn heeded() -> Vec<u8> {
    ALL.into_iter().filter(|&signal| !is_ignored(signal)).collect()
}

/// Ends the run as this signal does, after `first` and the removal of temporary files.
#[cfg(any(unix, feature = "aws"))]
#[expect(clippy::exit, reason = "what the run waits for may never come")]
pub(super) fn end_run(signal: u8, first: impl FnOnce()) {
    first();
    temporary::discard();
    std::process::exit(Exit::Signal(signal).status().into());
}

/// Prints that the run is interrupted. If standard error is a pipe that no one reads, the end does not wait for it.
#[cfg(feature = "aws")]
pub(super) fn say_interrupted(signal: u8) {
    let (sender, printed) = std::sync::mpsc::channel();
    let print = move || {
        Failure::Signal(signal, "interrupted").report();
        let _ = sender.send(());
    };
    let thread = std::thread::Builder::new().spawn(print);
    if thread.is_ok() {
        let _ = printed.recv_timeout(PATIENCE);
    }
}

/// From here on, each of these signals removes temporary files and ends the run.
#[cfg(unix)]
fn end_run_on(signals: &[u8]) -> Result<(), Failure> {
    use std::thread;

    use signal_hook::iterator::Signals;

    use super::failure::Attempt as _;

    let handled = signals.iter().filter(|&&signal| !is_ignored(signal));
    let mut signals = Signals::new(handled.map(|&signal| i32::from(signal)))?;
    let listen = move || {
        let number = signals.forever().next().map(u8::try_from);
        end_run(number.and_then(Result::ok).unwrap_or(INTERRUPT), || {});
    };
    let thread = thread::Builder::new().name("signals".to_owned()).spawn(listen);
    thread.attempt(|| "cannot start the thread that waits for signals".to_owned())?;
    Ok(())
}

/// Whether the parent process had the signal ignored, as `nohup` does with SIGHUP: to listen would undo that. Where
/// the system does not say (there is no `/proc`), SIGHUP is left alone.
#[cfg(unix)]
fn is_ignored(signal: u8) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (signal - 1) & 1 == 1,
        None => signal == 1,
    }
}

/// Elsewhere no process can have it ignored.
#[cfg(all(not(unix), feature = "aws"))]
const fn is_ignored(_: u8) -> bool {
    false
}

/// Elsewhere the system ends the run.
#[cfg(not(unix))]
fn end_run_on(_: &[u8]) -> Result<(), Failure> {
    Ok(())
}
