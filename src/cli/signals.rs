//! Signals that end a run of files at once.

/// From here on, Ctrl-C and SIGTERM remove what is half-written before they end the run. SIGHUP is not heard: `nohup`
/// has it ignored, which who hears it undoes.
#[cfg(all(unix, feature = "aws"))]
#[expect(clippy::exit, reason = "a signal waits for nobody")]
pub(super) fn leave_nothing() {
    use credlens::io::temporary;
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .build();
    // Where signals cannot be heard they end the run as ever.
    let Ok(runtime) = runtime else { return };
    let _entered = runtime.enter();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let [Ok(mut interrupt), Ok(mut terminate)] = kinds.map(signal) else {
        return;
    };
    runtime.spawn(async move {
        let kind = tokio::select! {
            _ = interrupt.recv() => kinds[0],
            _ = terminate.recv() => kinds[1],
        };
        temporary::discard();
        // As shells have it.
        std::process::exit(128 + kind.as_raw_value());
    });
    // Until the process ends.
    std::mem::forget(runtime);
}

/// Without the feature nothing hears signals.
#[cfg(not(all(unix, feature = "aws")))]
pub(super) fn leave_nothing() {}
