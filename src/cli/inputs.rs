//! The INPUT arguments: files, directories, standard input, archives, and `s3://` addresses.

use std::io;
use std::path::PathBuf;

use clap::Args;
use credlens::io::inputs::{InputOptions, Inputs, Limits};

use super::{archive, aws};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LimitArgs {
    /// Let a compressed input unpack to this many GiB, whatever the ratio [default: 64 GiB and a thousand times the
    /// input]
    #[arg(long, value_name = "GIB")]
    pub(super) max_unpacked: Option<u64>,
}

impl LimitArgs {
    pub(super) fn limits(self) -> Limits {
        let usual = Limits::default();
        match self.max_unpacked {
            None => usual,
            Some(gib) => Limits {
                unpacked: gib.saturating_mul(1 << 30),
                ratio: u64::MAX,
                ..usual
            },
        }
    }
}

/// What reads the inputs of a run.
pub(super) struct InputReader {
    pub(super) paths: Vec<PathBuf>,
    pub(super) options: InputOptions,
    pub(super) objects: aws::Objects,
}

impl InputReader {
    pub(super) fn open(&self) -> Inputs {
        self.open_paths(&self.paths)
    }

    fn open_paths(&self, paths: &[PathBuf]) -> Inputs {
        let inputs = Inputs::new(paths.to_vec(), Box::new(io::stdin()), self.options);
        archive::with_archives(self.objects.attach(inputs, paths))
    }

    /// The same reports, in the order of their as-of.
    pub(super) fn open_in_time_order(&self) -> Inputs {
        self.open_paths(&self.open().in_time_order())
    }
}
