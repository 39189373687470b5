//! One bit per user and rule instance.

use super::verdicts::ones;

/// Bits by index of the user and rule instance. Nothing is stored as long as no user has bits.
#[derive(Clone, Debug, Default)]
pub(super) struct InstanceBits {
    /// The number of words per user.
    words: usize,
    bits: Vec<u64>,
}

impl InstanceBits {
    /// Replaces the content by the bits of a block: for each word of its rows and each of the rule instances a bitmap of
    /// rows. None if there are no bitmaps.
    pub(super) fn fill(&mut self, rows: usize, instances: usize, bitmaps: &[u64]) {
        self.bits.clear();
        if bitmaps.is_empty() {
            return;
        }
        self.words = instances.div_ceil(64);
        self.bits.resize(self.words * rows, 0);
        for (position, &rows) in bitmaps.iter().enumerate() {
            let (word, instance) = (position / instances, position % instances);
            for row in ones(rows) {
                self.bits[(word * 64 + row) * self.words + instance / 64] |= 1 << (instance % 64);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.bits.clear();
    }

    /// The words of a user; empty if it has no bits.
    pub(super) fn of(&self, user: usize) -> &[u64] {
        self.bits
            .get(user * self.words..(user + 1) * self.words)
            .unwrap_or_default()
    }

    /// Adds the words of the next user, who has this index.
    pub(super) fn push(&mut self, user: usize, words: &[u64]) {
        if !words.is_empty() {
            self.words = words.len();
            self.bits.resize(user * self.words, 0);
            self.bits.extend_from_slice(words);
        }
    }

    /// Appends the bits of other users; `users` is the number of users before them.
    pub(super) fn append(&mut self, users: usize, other: &mut Self) {
        if !other.bits.is_empty() {
            self.words = other.words;
            self.bits.resize(users * self.words, 0);
            self.bits.append(&mut other.bits);
        }
    }
}

/// Whether the words of a user have the bit of this rule instance.
pub(super) fn has(words: &[u64], instance: usize) -> bool {
    let word = words.get(instance / 64);
    word.is_some_and(|word| word >> (instance % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_bits_before_and_after_those_with_bits() {
        let mut block = InstanceBits::default();
        // Two words of rows, three rule instances.
        block.fill(66, 3, &[0b10, 0, 0, 0, 0, 0b10]);
        let mut all = InstanceBits::default();
        all.push(0, &[]);
        all.append(1, &mut block);
        assert!(has(all.of(2), 0) && has(all.of(66), 2));
        let bits = (0..68).flat_map(|user| (0..3).map(move |instance| (user, instance)));
        let count = bits
            .filter(|&(user, instance)| has(all.of(user), instance))
            .count();
        assert_eq!(count, 2);
        all.push(70, &[0b1]);
        assert!(has(all.of(70), 0) && !has(all.of(69), 0) && !has(all.of(71), 0));
    }
}
