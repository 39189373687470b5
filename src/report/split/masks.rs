//! Where the bytes are that the splitter cares about, 64 at a time.
//!
//! This is most of the splitter's time, so it is done by AVX2 where that is found at run time, and eight bytes
//! in a `u64` elsewhere: one binary serves every machine. Both are held equal to a plain loop by a property
//! test. The call is the only `unsafe` line of the package.

/// For 64 bytes, which of them are what; bit i is byte i.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) delimiter: u64,
    pub(super) newline: u64,
    pub(super) carriage_return: u64,
    pub(super) quote: u64,
}

/// Bytes that one mask covers.
pub(super) const WINDOW: usize = 64;

/// The masks of whole windows; `text` is as long as `masks` windows.
pub(super) fn find(text: &[u8], delimiter: u8, masks: &mut [Masks]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was detected on the line above; that is all the function asks for.
        #[expect(
            unsafe_code,
            reason = "the caller is compiled for any machine, the callee is not"
        )]
        unsafe {
            return x86::find_avx2(text, delimiter, masks);
        }
    }
    portable::find(text, delimiter, masks);
}

/// Eight bytes as a little-endian number, so that byte i is bits 8 i and up.
fn word(window: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&window[at..at + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    use super::{Masks, WINDOW, word};

    #[target_feature(enable = "avx2")]
    pub(super) fn find_avx2(text: &[u8], delimiter: u8, masks: &mut [Masks]) {
        let delimiter = _mm256_set1_epi8(delimiter.cast_signed());
        let newline = _mm256_set1_epi8(b'\n'.cast_signed());
        let carriage_return = _mm256_set1_epi8(b'\r'.cast_signed());
        let quote = _mm256_set1_epi8(b'"'.cast_signed());
        for (window, masks) in text.chunks_exact(WINDOW).zip(masks) {
            let (low, high) = (load_256(window, 0), load_256(window, 32));
            *masks = Masks {
                delimiter: equal_256(low, high, delimiter),
                newline: equal_256(low, high, newline),
                carriage_return: equal_256(low, high, carriage_return),
                quote: equal_256(low, high, quote),
            };
        }
    }

    /// Compiles to one load of 32 bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load_256(window: &[u8], at: usize) -> __m256i {
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
}

mod portable {
    use super::{Masks, WINDOW, word};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    /// Gathers the lowest bits of eight bytes into the top byte, the first byte's lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    pub(super) fn find(text: &[u8], delimiter: u8, masks: &mut [Masks]) {
        for (window, masks) in text.chunks_exact(WINDOW).zip(masks) {
            *masks = Masks::default();
            for at in (0..WINDOW).step_by(8) {
                let eight = word(window, at);
                masks.delimiter |= equal(eight, delimiter) << at;
                masks.newline |= equal(eight, b'\n') << at;
                masks.carriage_return |= equal(eight, b'\r') << at;
                masks.quote |= equal(eight, b'"') << at;
            }
        }
    }

    /// One bit a byte that equals. A byte is zero after the exclusive or where it did; adding 0x7f to its low
    /// bits carries into its high bit where it is not, and never into the next byte.
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

    fn naive(text: &[u8], delimiter: u8) -> Vec<Masks> {
        let mask = |window: &[u8], wanted: u8| {
            let bits = window.iter().enumerate();
            bits.fold(0, |mask, (bit, &byte)| mask | u64::from(byte == wanted) << bit)
        };
        text.chunks_exact(WINDOW)
            .map(|window| Masks {
                delimiter: mask(window, delimiter),
                newline: mask(window, b'\n'),
                carriage_return: mask(window, b'\r'),
                quote: mask(window, b'"'),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_way_finds_the_same(
            text in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(b",;\t\r\n\"\x0b-".to_vec())],
                WINDOW * 3,
            ),
            delimiter in prop::sample::select(b",;\t".to_vec()),
        ) {
            let expected = naive(&text, delimiter);
            let with = |find: fn(&[u8], u8, &mut [Masks])| {
                let mut masks = vec![Masks::default(); 3];
                find(&text, delimiter, &mut masks);
                masks
            };
            prop_assert_eq!(&with(find), &expected);
            prop_assert_eq!(&with(portable::find), &expected);
        }
    }
}
