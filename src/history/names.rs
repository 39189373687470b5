//! Stores the names and ARNs of many users in one buffer.

use std::ops::Range;

/// Name and ARN of each user, by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The ARN of each user, followed by the name unless the ARN ends with it.
    text: Vec<u8>,
    bounds: Vec<TextBounds>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TextBounds {
    /// Where the text of the user ends.
    end: usize,
    /// Length of the ARN.
    arn: u32,
    /// Length of the name, which is at the end of the text.
    name: u32,
}

impl Names {
    pub(super) fn push(&mut self, name: &[u8], arn: &[u8]) {
        self.text.extend_from_slice(arn);
        if !arn.ends_with(name) {
            self.text.extend_from_slice(name);
        }
        let length = |text: &[u8]| u32::try_from(text.len()).expect("invariant: a record is within a block");
        self.bounds.push(TextBounds {
            end: self.text.len(),
            arn: length(arn),
            name: length(name),
        });
    }

    /// The name; empty if the report has none.
    pub(super) fn name(&self, row: usize) -> &[u8] {
        let TextBounds { end, name, .. } = self.bounds[row];
        &self.text[end - name as usize..end]
    }

    /// The ARN; empty if the report has none.
    pub(super) fn arn(&self, row: usize) -> &[u8] {
        let start = self.text_of(row).start;
        &self.text[start..start + self.bounds[row].arn as usize]
    }

    /// Whether the user has this name and ARN.
    pub(super) fn are(&self, row: usize, name: &[u8], arn: &[u8]) -> bool {
        self.arn(row) == arn && self.name(row) == name
    }

    /// The range of the user's text.
    fn text_of(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).map_or(0, |before| self.bounds[before].end);
        start..self.bounds[row].end
    }

    /// Appends the names of `other`.
    pub(super) fn append(&mut self, other: &mut Self) {
        let before = self.text.len();
        self.text.append(&mut other.text);
        let moved = other.bounds.drain(..).map(|bounds| TextBounds {
            end: bounds.end + before,
            ..bounds
        });
        self.bounds.extend(moved);
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.bounds.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_come_back() {
        let all: [(&[u8], &[u8]); 6] = [
            (b"alice", b"arn:aws:iam::1:user/alice"),
            (b"carol", b"arn:aws:iam::1:user/alice"),
            (b"<root_account>", b"arn:aws:iam::1:root"),
            (b"", b"arn:aws:iam::1:user/x"),
            (b"bob", b""),
            (b"", b""),
        ];
        let mut names = Names::default();
        for part in all.chunks(2) {
            let mut more = Names::default();
            for (name, arn) in part {
                more.push(name, arn);
            }
            names.append(&mut more);
            assert_eq!(more, Names::default());
        }
        assert_eq!(names.bounds.len(), all.len());
        for (row, (name, arn)) in all.into_iter().enumerate() {
            assert_eq!((names.name(row), names.arn(row)), (name, arn));
            for (other, of_other) in all {
                assert_eq!(names.are(row, other, of_other), (other, of_other) == (name, arn));
            }
        }
    }
}
