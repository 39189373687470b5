//! Reads Thrift's compact protocol, in which Parquet writes its headers, far enough to know which sizes they claim.

/// Headers of Parquet are less than half as deep. A deeper one would end the stack of whoever reads it.
const DEPTH: usize = 16;

/// The length of the structure at the beginning of these bytes. `found` gets each integer in it with the numbers of the
/// fields that lead there; elements of a list have those of the list. `None` if it is cut off, or if a length in it is
/// more than there is.
pub(super) fn integers(bytes: &[u8], found: &mut dyn FnMut(&[i64], i64)) -> Option<usize> {
    let mut reader = Reader {
        rest: bytes,
        fields: Vec::new(),
        found,
    };
    reader.structure()?;
    Some(bytes.len() - reader.rest.len())
}

struct Reader<'a> {
    rest: &'a [u8],
    fields: Vec<i64>,
    found: &'a mut dyn FnMut(&[i64], i64),
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let zigzag = self.unsigned()?;
        Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// A number of elements. Each takes a byte at least.
    fn count(&mut self, short: Option<u8>) -> Option<u64> {
        let count = match short {
            Some(count) => count.into(),
            None => self.unsigned()?,
        };
        (count <= self.rest.len() as u64).then_some(count)
    }

    fn structure(&mut self) -> Option<()> {
        if self.fields.len() >= DEPTH {
            return None;
        }
        let mut field = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => self.signed()?,
                more => i64::from(more) + field,
            };
            let kind = head & 0xf;
            // The kind of a field has the value of a boolean.
            if !matches!(kind, 1 | 2) {
                self.fields.push(field);
                self.value(kind)?;
                self.fields.pop();
            }
        }
    }

    fn value(&mut self, kind: u8) -> Option<()> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => {
                let value = self.signed()?;
                (self.found)(&self.fields, value);
                Some(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.unsigned()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = self.count(Some(head >> 4).filter(|&count| count < 15))?;
                (0..count).try_for_each(|_| self.nested(head & 0xf))
            }
            11 => {
                let count = self.count(None)?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| {
                    self.nested(kinds >> 4)?;
                    self.nested(kinds & 0xf)
                })
            }
            12 => self.structure(),
            13 => self.skip(16),
            _ => None,
        }
    }

    /// An element, which may be a list again.
    fn nested(&mut self, kind: u8) -> Option<()> {
        if !matches!(kind, 9..=11) {
            return self.value(kind);
        }
        // Headers of Parquet have no lists of lists.
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An integer, and the fields that lead to it.
    type Integer = (Vec<i64>, i64);

    /// The structure's length, and its integers.
    fn read(bytes: &[u8]) -> Option<(usize, Vec<Integer>)> {
        let mut all = Vec::new();
        let length = integers(bytes, &mut |fields, value| all.push((fields.to_vec(), value)))?;
        Some((length, all))
    }

    /// A page header as the archive has it, and what follows.
    const PAGE: &[u8] = b"\x15\x00\x15\x10\x15\x22\x2c\x15\x18\x15\x00\x00\x00more";

    #[test]
    fn integers_have_the_fields_that_lead_to_them() {
        let of = |fields: &[i64], value| (fields.to_vec(), value);
        let all = vec![
            of(&[1], 0),
            of(&[2], 8),
            of(&[3], 17),
            of(&[5, 1], 12),
            of(&[5, 2], 0),
        ];
        assert_eq!(read(PAGE), Some((PAGE.len() - 4, all)));
        let mut negative = PAGE.to_vec();
        negative[8] ^= 1;
        assert_eq!(read(&negative).map(|(_, all)| all[3].1), Some(-13));
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        // A binary of 3 bytes, a list of 2 booleans, a set of 3 small numbers, a map of one number to another.
        let all: &[u8] =
            b"\x18\x03abc\x19\x21\x01\x02\x1a\x35\x02\x04\x06\x1b\x01\x55\x02\x04\x17\0\0\0\0\0\0\0\0\0";
        assert_eq!(read(all).map(|(length, _)| length), Some(all.len()));
        for end in 0..all.len() {
            assert_eq!(read(&all[..end]), None, "cut to {end}");
        }
        for claims in [
            &b"\x18\xff\xff\xff\xff\x0f"[..],
            b"\x19\xf5\xff\xff\xff\xff\x0f\x02\x00",
            b"\x1b\xff\xff\xff\xff\x0f\x55\x02\x02\x00",
            b"\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
            b"\x1e\x00",
            &[0x1c; 100],
        ] {
            assert_eq!(read(claims), None, "{claims:x?}");
        }
    }
}
