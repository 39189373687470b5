//! Bitmaps of records: bit i of word w is record 64 w + i.

/// Compares first and packs the bits afterwards, so that many compares are done at once. Inlined always, so that it is
/// compiled for the instruction set of its caller.
#[inline(always)]
pub(super) fn fill<T: Copy>(bits: &mut [u64], cells: &[T], test: impl Fn(T) -> bool) {
    /// Gathers the lowest bits of eight bytes into the top byte, the first byte's lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let pack = |holds: &[u8; 64]| {
        holds.as_chunks::<8>().0.iter().rev().fold(0, |word, &eight| {
            word << 8 | u64::from_le_bytes(eight).wrapping_mul(GATHER) >> 56
        })
    };
    let (whole, rest) = cells.as_chunks::<64>();
    let mut words = bits.iter_mut();
    for (cells, word) in whole.iter().zip(&mut words) {
        *word = pack(&cells.map(|cell| u8::from(test(cell))));
    }
    if let Some(word) = words.next() {
        let mut holds = [0; 64];
        for (holds, &cell) in holds.iter_mut().zip(rest) {
            *holds = u8::from(test(cell));
        }
        *word = pack(&holds);
    }
}

/// Sets the bit of a record.
pub(super) fn set(bits: &mut [u64], row: usize, value: bool) {
    let bit = 1 << (row % 64);
    let word = &mut bits[row / 64];
    *word = if value { *word | bit } else { *word & !bit };
}
