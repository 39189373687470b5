//! The cost of an archive: `cargo bench --bench archive`. Adds a report of ten thousand users and reads it back as CSV;
//! also prints the bytes per user.

mod synth;

use std::fs;
use std::hint::black_box;
use std::io::Read as _;

use credlens::archive::add::{Added, add};
use credlens::archive::csv::Csv;
use credlens::archive::file::ArchiveFile;
use credlens::archive::store::Directory;
use credlens::engine::Memory;
use credlens::report::time::Timestamp;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const USERS: u64 = 10_000;

#[expect(clippy::disallowed_methods, reason = "the restriction is for src/")]
fn benches(criterion: &mut Criterion) {
    let csv = synth::Synth {
        users: USERS,
        users_per_account: 5_000,
        seed: 1,
    };
    let csv = String::from_utf8(csv.bytes()).expect("reports are UTF-8");
    let source = || Memory::csv("report.csv", &csv, Timestamp(synth::GENERATED)).expect("a report");
    let mut group = criterion.benchmark_group("archive");
    group.sample_size(20).throughput(Throughput::Elements(USERS));
    group.bench_function("add", |bencher| {
        bencher.iter_with_large_drop(|| {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let mut added = Added::default();
            add(&Directory::new(directory.path()), &mut source(), &mut added)
                .expect("the directory can be written");
            assert_eq!(added.added.len(), 1);
            directory
        });
    });
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = Directory::new(directory.path());
    let mut added = Added::default();
    add(&store, &mut source(), &mut added).expect("the directory can be written");
    let path = &added.files[0];
    let size = fs::metadata(directory.path().join(path))
        .expect("the file was written")
        .len();
    #[expect(clippy::print_stderr, reason = "the size is one of the results")]
    {
        eprintln!(
            "archive: {size} bytes, {} per user; CSV: {} bytes",
            size / USERS,
            csv.len()
        );
    }
    group.bench_function("read", |bencher| {
        let mut read = Vec::with_capacity(csv.len());
        bencher.iter(|| {
            let mut file = ArchiveFile::open(&store, path).expect("it is whole");
            read.clear();
            let mut report = Csv::new(&mut file, 0).expect("it is whole");
            report.read_to_end(&mut read).expect("it is whole");
            assert_eq!(black_box(&read).len(), csv.len());
        });
    });
    group.finish();
}

criterion_group!(archive, benches);
criterion_main!(archive);
