//! Large, compressed and damaged inputs are read in bounded memory.

use std::io::{self, Cursor, Read};

use credlens::engine::{BlockEnd, Source as _, SourceEvent};
use credlens::io::error::InputError;
use credlens::io::inputs::{Inputs, Limits};

use super::{HEADER, gzip, options, read, read_bytes, rows, users, zstd};

#[test]
fn blocks_of_any_size_hold_the_same_rows() {
    let rows = rows(5_000, |n| format!("user-{n},\"tr\"\"ue\n\",x\r\n"));
    let text = format!("\u{feff}{HEADER}{rows}last,true");
    let whole = read_bytes(text.clone(), Limits::default());
    assert_eq!((whole.rows().len(), whole.blocks), (5_001, 1));
    for block in [1, 7, 64, 4_096, 100_000, text.len() - HEADER.len() - 3] {
        let limits = Limits {
            block,
            ..Limits::default()
        };
        for bytes in [
            text.clone().into_bytes(),
            gzip(text.as_bytes()),
            zstd(text.as_bytes()),
        ] {
            let read = read_bytes(bytes, limits);
            assert_eq!(read.rows(), whole.rows(), "blocks of {block}");
            assert!(read.error.is_none());
        }
    }
}

#[test]
fn a_long_record_grows_the_block_up_to_the_limit() {
    let limits = Limits {
        block: 1_024,
        record: 1 << 20,
        ..Limits::default()
    };
    let name = "x".repeat(1 << 19);
    let fits = read_bytes(format!("{HEADER}a,true\n{name},true\nb,true\n"), limits);
    assert_eq!(users(&fits), ["a", name.as_str(), "b"]);
    let endless = format!("{HEADER}a,true\n\"{},true\n", "x\n".repeat(1 << 20));
    let read = read_bytes(endless, limits);
    assert_eq!(users(&read), ["a"]);
    assert!(
        read.message().starts_with("has a record longer than 1 MiB"),
        "{}",
        read.message()
    );
}

#[test]
fn rows_before_damage_in_compressed_data_are_read() {
    let rows = rows(200_000, |n| format!("user-{n},{}\n", n * 7919 % 65_537));
    let text = format!("{HEADER}{rows}");
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        let cut = read_bytes(&packed[..packed.len() - 20], Limits::default());
        assert!(cut.message().contains("damaged or cut off"), "{}", cut.message());
        let before = cut.rows();
        assert!(
            before.len() > 100_000 && before.len() <= 200_000,
            "{}",
            before.len()
        );
        assert!(before.iter().all(|row| row.len() == 2));
        let garbage = [&packed[..], b"garbage"].concat();
        assert!(read_bytes(garbage, Limits::default()).error.is_some());
        let mut flipped = packed;
        let middle = flipped.len() / 2;
        flipped[middle..middle + 64].fill(0xa5);
        assert!(read_bytes(flipped, Limits::default()).error.is_some());
    }
}

#[test]
fn compression_is_bounded() {
    let limits = Limits {
        ratio: 20,
        ratio_floor: 1 << 20,
        unpacked: 8 << 20,
        ..Limits::default()
    };
    let zeros = [HEADER.as_bytes(), &vec![b'\n'; 4 << 20], b"alice,true\n"].concat();
    for packed in [gzip(&zeros), zstd(&zeros)] {
        let read = read_bytes(packed.clone(), limits);
        assert!(
            matches!(read.error, Some(InputError::Bomb { unpacked_mib: 1, .. })),
            "{read:?}"
        );
        let lenient = Limits {
            ratio: u64::MAX,
            ..limits
        };
        assert!(read_bytes(packed.clone(), lenient).error.is_none());
        let tight = Limits {
            unpacked: 2 << 20,
            ..lenient
        };
        assert!(read_bytes(packed, tight).message().contains("more than 2 MiB"));
    }
    let small = format!("{HEADER}{}", "alice,true\n".repeat(50_000));
    assert_eq!(
        read_bytes(gzip(small.as_bytes()), limits).rows().len(),
        50_000,
        "below the floor"
    );
}

#[test]
fn compression_in_compression() {
    let text = format!("{HEADER}alice,true\n");
    let twice = read_bytes(zstd(&gzip(text.as_bytes())), Limits::default());
    assert_eq!(
        (users(&twice), twice.input().kind.as_str()),
        (vec!["alice".to_owned()], "csv+gzip+zstd")
    );
    let thrice = read_bytes(gzip(&zstd(&gzip(text.as_bytes()))), Limits::default());
    assert!(
        thrice.message().contains("more than 2 times over"),
        "{}",
        thrice.message()
    );
}

#[test]
fn envelopes_are_bounded() {
    let limits = Limits {
        held: 1 << 20,
        ..Limits::default()
    };
    let json = |rows: usize| {
        format!(
            "{{\"Content\":\"user,mfa_active\\n{}\"}}",
            "alice,true\\n".repeat(rows)
        )
    };
    assert_eq!(read_bytes(json(50_000), limits).rows().len(), 50_000);
    for bytes in [json(100_000).into_bytes(), gzip(json(100_000).as_bytes())] {
        assert!(matches!(
            read_bytes(bytes, limits).error,
            Some(InputError::TooLarge(1))
        ));
    }
}

/// Rows without end.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line: &[u8] = if self.0 == 0 {
            HEADER.as_bytes()
        } else {
            b"alice,true\n"
        };
        let line = &line[..line.len().min(buffer.len())];
        buffer[..line.len()].copy_from_slice(line);
        self.0 += line.len() as u64;
        Ok(line.len())
    }
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let mut source = Inputs::new(vec!["-".into()], Box::new(Endless(0)), options(Limits::default()));
    let mut text = Vec::new();
    for _ in 0..20 {
        assert!(matches!(
            source.next(&mut text),
            Some(SourceEvent::Block {
                end: BlockEnd::Nothing,
                ..
            })
        ));
        assert!(text.capacity() <= 4 << 20, "{}", text.capacity());
    }
}

#[test]
fn rows_before_a_read_error_are_read() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable fell out"))
        }
    }
    let stdin = Cursor::new(format!("{HEADER}alice,true\nbob,fal")).chain(Fails);
    let all = read(vec!["-".into()], stdin, options(Limits::default()));
    assert_eq!(users(&all[0]), ["alice"]);
    assert!(all[0].message().contains("the cable fell out"));
}
