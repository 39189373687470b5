//! The part of a finding that it shares with the findings before: formatted once, copied into each.

/// The part of the findings with the same key, such as the user.
#[derive(Debug)]
pub(super) struct SharedPart<K> {
    key: Option<K>,
    text: Vec<u8>,
}

impl<K> Default for SharedPart<K> {
    fn default() -> Self {
        let (key, text) = (None, Vec::new());
        Self { key, text }
    }
}

impl<K: PartialEq> SharedPart<K> {
    /// The part of this key. Without a key it is not shared.
    pub(super) fn get(&mut self, key: Option<K>, format: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if key.is_none() || self.key != key {
            self.key = key;
            self.text.clear();
            format(&mut self.text);
        }
        &self.text
    }
}
