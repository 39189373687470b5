//! Uses the widest vector instructions of the machine for the loops that take most of the time; one binary detects them
//! at run time.
//!
//! Field ends are found 64 bytes at a time, with AVX-512, AVX2, or eight bytes in a `u64`; a property test compares all
//! three with a plain loop. Other loops are the same code everywhere, compiled a second time for AVX2. The core has
//! `unsafe` code only in this module: calls of code that is compiled for the detected instructions, and a vector read as
//! an array.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined is compiled without the wider instructions"
)]

/// Work for [`widest`]. Not a closure, which would be compiled by itself, without wider instructions.
pub(crate) trait Work {
    /// Its result.
    type Output;

    /// Does the work. Must be `#[inline(always)]`, like every function in it that takes time.
    fn run(self) -> Self::Output;
}

/// Does the work with code that is compiled for AVX2, if the machine has it.
pub(crate) fn widest<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    match Level::of_machine() {
        // SAFETY: the machine has the instructions that the function requires, as its level says.
        #[expect(
            unsafe_code,
            reason = "the caller is compiled for any machine, the callee is not"
        )]
        Level::Avx2 | Level::Avx512 => return unsafe { x86::work(work) },
        Level::Any => {}
    }
    work.run()
}

/// How many bytes are searched at once.
pub(super) const WINDOW: usize = 64;

/// How many fields and lines end in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EndCounts {
    /// Delimiters and line ends, all of which end a field.
    pub(super) fields: usize,
    /// Line ends alone.
    pub(super) line_ends: usize,
    /// Whether there is a quote. The bytes after it were not searched.
    pub(super) is_quoted: bool,
}

/// A text to be searched for field ends.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a> {
    /// Whole windows.
    pub(super) text: &'a [u8],
    /// The position of the first one in its block.
    pub(super) base: u32,
    /// Whether the byte before them is a carriage return.
    pub(super) after_return: bool,
    pub(super) delimiter: u8,
}

/// Writes the positions of field ends, up to the first quote. A line feed after a carriage return does not count. `ends`
/// must have room for one end per byte; the elements after those found have no meaning.
pub(super) fn find_ends(windows: Windows<'_>, ends: &mut [u32]) -> EndCounts {
    #[cfg(target_arch = "x86_64")]
    match Level::of_machine() {
        // SAFETY: the machine has the instructions that the function requires, as its level says.
        #[expect(
            unsafe_code,
            reason = "the caller is compiled for any machine, the callee is not"
        )]
        Level::Avx512 => return unsafe { x86::find_avx512(windows, ends) },
        // SAFETY: as above.
        #[expect(
            unsafe_code,
            reason = "the caller is compiled for any machine, the callee is not"
        )]
        Level::Avx2 => return unsafe { x86::find_avx2(windows, ends) },
        Level::Any => {}
    }
    portable::find(windows, ends)
}

/// Which of 64 bytes are delimiters, line ends and quotes; bit i is byte i.
#[derive(Clone, Copy, Default)]
struct Masks {
    delimiter: u64,
    newline: u64,
    carriage_return: u64,
    quote: u64,
}

/// The search, with any way to compute the masks and to write their bits as positions from a base.
#[inline(always)]
fn find_by(
    windows: Windows<'_>,
    ends: &mut [u32],
    masks: impl Fn(&[u8; WINDOW]) -> Masks,
    write: impl Fn(u64, u32, &mut [u32; WINDOW]),
) -> EndCounts {
    let mut found = EndCounts::default();
    let mut after_return = u64::from(windows.after_return);
    for (window, base) in windows
        .text
        .as_chunks()
        .0
        .iter()
        .zip((windows.base..).step_by(WINDOW))
    {
        let masks = masks(window);
        let mut line_ends = masks.newline;
        let mut fields = masks.delimiter | line_ends;
        if masks.carriage_return | masks.quote | after_return != 0 {
            line_ends =
                masks.carriage_return | (masks.newline & !(masks.carriage_return << 1 | after_return));
            after_return = masks.carriage_return >> 63;
            // Bytes after a quote must wait until the quoted record has been read.
            let before_quote = masks.quote.wrapping_sub(1) & !masks.quote;
            line_ends &= before_quote;
            fields = (masks.delimiter & before_quote) | line_ends;
            found.is_quoted = masks.quote != 0;
        }
        let slots = ends.get_mut(found.fields..).and_then(<[u32]>::first_chunk_mut);
        write(
            fields,
            base,
            slots.expect("invariant: there is room for one end per byte"),
        );
        found.fields += fields.count_ones() as usize;
        found.line_ends += line_ends.count_ones() as usize;
        if found.is_quoted {
            break;
        }
    }
    found
}

/// Writes eight positions at a time, needed or not: their number cannot be predicted.
#[inline(always)]
fn write_by_eight(mut mask: u64, base: u32, slots: &mut [u32; WINDOW]) {
    for slots in slots.as_chunks_mut::<8>().0 {
        for slot in slots {
            *slot = base + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            return;
        }
    }
}

/// Eight bytes as a little-endian number, so that byte i is bits 8 i and up.
#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&window[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// The instructions that the machine has.
#[cfg(target_arch = "x86_64")]
enum Level {
    Any,
    Avx2,
    Avx512,
}

#[cfg(target_arch = "x86_64")]
impl Level {
    fn of_machine() -> Self {
        use std::arch::is_x86_feature_detected as has;
        if !(has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt")) {
            Self::Any
        } else if has!("avx512f") && has!("avx512bw") && has!("avx512vbmi2") {
            Self::Avx512
        } else {
            Self::Avx2
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8,
        _mm512_add_epi32, _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32,
        _mm512_maskz_compress_epi8, _mm512_set1_epi8, _mm512_set1_epi32,
    };
    use std::mem::transmute;

    use super::{EndCounts, Masks, WINDOW, Windows, Work, find_by, word, write_by_eight};

    /// 0, 1, 2, …
    const COUNTING: [u8; WINDOW] = {
        let mut bytes = [0; WINDOW];
        let mut at = 1;
        while at < WINDOW {
            bytes[at] = bytes[at - 1] + 1;
            at += 1;
        }
        bytes
    };

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn work<W: Work>(work: W) -> W::Output {
        work.run()
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn find_avx2(windows: Windows<'_>, ends: &mut [u32]) -> EndCounts {
        let wanted = [windows.delimiter, b'\n', b'\r', b'"'].map(u8::cast_signed);
        let [delimiter, newline, carriage_return, quote] = wanted.map(|byte| _mm256_set1_epi8(byte));
        let masks = |window: &[u8; WINDOW]| {
            let (low, high) = (load_256(window, 0), load_256(window, 32));
            Masks {
                delimiter: equal_256(low, high, delimiter),
                newline: equal_256(low, high, newline),
                carriage_return: equal_256(low, high, carriage_return),
                quote: equal_256(low, high, quote),
            }
        };
        find_by(windows, ends, masks, write_by_eight)
    }

    /// Compiles to one load of 32 bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load_256(window: &[u8; WINDOW], at: usize) -> __m256i {
        let part = |offset: usize| word(window, at + offset).cast_signed();
        _mm256_set_epi64x(part(24), part(16), part(8), part(0))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn equal_256(low: __m256i, high: __m256i, byte: __m256i) -> u64 {
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)).cast_unsigned();
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)).cast_unsigned();
        u64::from(low) | u64::from(high) << 32
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vbmi2")]
    pub(super) fn find_avx512(windows: Windows<'_>, ends: &mut [u32]) -> EndCounts {
        let wanted = [windows.delimiter, b'\n', b'\r', b'"'].map(u8::cast_signed);
        let [delimiter, newline, carriage_return, quote] = wanted.map(|byte| _mm512_set1_epi8(byte));
        let masks = |window: &[u8; WINDOW]| {
            let bytes = load_512(window);
            Masks {
                delimiter: _mm512_cmpeq_epi8_mask(bytes, delimiter),
                newline: _mm512_cmpeq_epi8_mask(bytes, newline),
                carriage_return: _mm512_cmpeq_epi8_mask(bytes, carriage_return),
                quote: _mm512_cmpeq_epi8_mask(bytes, quote),
            }
        };
        let counting = load_512(&COUNTING);
        let write = |mask: u64, base: u32, slots: &mut [u32; WINDOW]| {
            let bits = _mm512_maskz_compress_epi8(mask, counting);
            let base = _mm512_set1_epi32(base.cast_signed());
            let sixteen = [
                _mm512_extracti32x4_epi32::<0>(bits),
                _mm512_extracti32x4_epi32::<1>(bits),
                _mm512_extracti32x4_epi32::<2>(bits),
                _mm512_extracti32x4_epi32::<3>(bits),
            ];
            let mut left = mask.count_ones();
            for (slots, bits) in slots.as_chunks_mut().0.iter_mut().zip(sixteen) {
                let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(bits), base);
                // SAFETY: both types are 64 bytes, and any bytes are a value of either.
                #[expect(unsafe_code, reason = "no safe function stores a vector")]
                let positions = unsafe { transmute::<__m512i, [u32; 16]>(positions) };
                *slots = positions;
                left = left.saturating_sub(16);
                if left == 0 {
                    break;
                }
            }
        };
        find_by(windows, ends, masks, write)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load_512(window: &[u8; WINDOW]) -> __m512i {
        // SAFETY: both types are 64 bytes, and any bytes are a value of either.
        #[expect(
            unsafe_code,
            reason = "built from eight numbers it would not be a single load"
        )]
        unsafe {
            transmute(*window)
        }
    }
}

mod portable {
    use super::{EndCounts, Masks, WINDOW, Windows, find_by, word, write_by_eight};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    /// Gathers the lowest bits of eight bytes into the top byte, the first byte's lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    pub(super) fn find(windows: Windows<'_>, ends: &mut [u32]) -> EndCounts {
        let masks = |window: &[u8; WINDOW]| {
            let mut masks = Masks::default();
            for at in (0..WINDOW).step_by(8) {
                let eight = word(window, at);
                masks.delimiter |= equal(eight, windows.delimiter) << at;
                masks.newline |= equal(eight, b'\n') << at;
                masks.carriage_return |= equal(eight, b'\r') << at;
                masks.quote |= equal(eight, b'"') << at;
            }
            masks
        };
        find_by(windows, ends, masks, write_by_eight)
    }

    /// One bit for each byte that equals. After the exclusive or such a byte is zero; adding 0x7f to the low bits of any
    /// other byte carries into its high bit, and never into the next byte.
    fn equal(eight: u64, byte: u8) -> u64 {
        let differs = eight ^ (ONES * u64::from(byte));
        let zero = !(((differs & LOW_BITS) + LOW_BITS) | differs | LOW_BITS);
        (zero >> 7).wrapping_mul(GATHER) >> 56
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The field ends, how many of them are line ends, and whether there is a quote.
    fn naive(windows: Windows<'_>) -> (Vec<u32>, usize, bool) {
        let (mut ends, mut line_ends) = (Vec::new(), 0);
        let mut after_return = windows.after_return;
        for (at, &byte) in (windows.base..).zip(windows.text) {
            if byte == b'"' {
                return (ends, line_ends, true);
            }
            let is_line_end = byte == b'\r' || (byte == b'\n' && !after_return);
            if is_line_end || byte == windows.delimiter {
                ends.push(at);
            }
            line_ends += usize::from(is_line_end);
            after_return = byte == b'\r';
        }
        (ends, line_ends, false)
    }

    fn assert_equal(windows: Windows<'_>) {
        type Find = fn(Windows<'_>, &mut [u32]) -> EndCounts;
        let mut ways: Vec<Find> = vec![find_ends, portable::find];
        #[cfg(target_arch = "x86_64")]
        if !matches!(Level::of_machine(), Level::Any) {
            // SAFETY: the machine has the instructions that the function requires, as its level says.
            #[expect(unsafe_code, reason = "AVX2 must be correct on machines with AVX-512, too")]
            ways.push(|windows, ends| unsafe { x86::find_avx2(windows, ends) });
        }
        for find in ways {
            let mut ends = vec![0; windows.text.len() + WINDOW];
            let found = find(windows, &mut ends);
            ends.truncate(found.fields);
            assert_eq!((ends, found.line_ends, found.is_quoted), naive(windows));
        }
    }

    proptest! {
        #[test]
        fn every_way_finds_the_same(
            text in prop::collection::vec(
                prop_oneof![
                    8 => any::<u8>(),
                    8 => prop::sample::select(b",;\t\r\n\x0b-".to_vec()),
                    1 => Just(b'"'),
                ],
                WINDOW * 3,
            ),
            delimiter in prop::sample::select(b",;\t".to_vec()),
            after_return: bool,
            base in 0_u32..1 << 31,
        ) {
            assert_equal(Windows { text: &text, base, after_return, delimiter });
        }

        #[test]
        fn every_way_finds_any_number_of_ends(
            text in prop::collection::vec(prop::sample::select(b",,,,\na\r".to_vec()), WINDOW * 3),
        ) {
            assert_equal(Windows { text: &text, base: 7, after_return: false, delimiter: b',' });
        }
    }
}
