//! Names and ARNs of many users in one text.

use std::ops::Range;

/// Name and ARN of each user, by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Of each user the ARN and, where that does not end in it, the name.
    text: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Where the user's text ends.
    end: usize,
    /// How long its ARN is.
    arn: u32,
    /// How long its name is, with which the text ends.
    name: u32,
}

impl Names {
    pub(super) fn push(&mut self, name: &[u8], arn: &[u8]) {
        self.text.extend_from_slice(arn);
        if !arn.ends_with(name) {
            self.text.extend_from_slice(name);
        }
        let length = |text: &[u8]| u32::try_from(text.len()).expect("invariant: a record is within a block");
        self.places.push(Place {
            end: self.text.len(),
            arn: length(arn),
            name: length(name),
        });
    }

    /// Empty where the report does not say.
    pub(super) fn name(&self, row: usize) -> &[u8] {
        let Place { end, name, .. } = self.places[row];
        &self.text[end - name as usize..end]
    }

    /// Empty where the report does not say.
    pub(super) fn arn(&self, row: usize) -> &[u8] {
        let start = self.text_of(row).start;
        &self.text[start..start + self.places[row].arn as usize]
    }

    /// Whether they are these.
    pub(super) fn are(&self, row: usize, name: &[u8], arn: &[u8]) -> bool {
        self.arn(row) == arn && self.name(row) == name
    }

    /// Where its text lies.
    fn text_of(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).map_or(0, |before| self.places[before].end);
        start..self.places[row].end
    }

    /// Moves all of the other ones behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        let before = self.text.len();
        self.text.append(&mut other.text);
        let moved = other.places.drain(..).map(|place| Place {
            end: place.end + before,
            ..place
        });
        self.places.extend(moved);
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
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
        assert_eq!(names.places.len(), all.len());
        for (row, (name, arn)) in all.into_iter().enumerate() {
            assert_eq!((names.name(row), names.arn(row)), (name, arn));
            for (other, of_other) in all {
                assert_eq!(names.are(row, other, of_other), (other, of_other) == (name, arn));
            }
        }
    }
}
