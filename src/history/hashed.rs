//! Maps and sets whose keys are hashes, so that they are not hashed a second time.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by keys that are hashes.
pub(super) type HashedMap<K, V> = HashMap<K, V, BuildHasherDefault<AsItIs>>;
/// A set of keys that are hashes.
pub(super) type HashedSet<K> = HashSet<K, BuildHasherDefault<AsItIs>>;

/// Takes the low 64 bits of a hash as they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0.rotate_left(8) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write_u128(&mut self, hash: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is a hash, too")]
        let low = hash as u64;
        self.0 = low;
    }
}
