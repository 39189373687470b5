//! Checks the sizes that a file without a [seal](super::seal) claims: the Parquet library allocates what they say, and
//! where there is not that much memory, the process ends.

use std::io;

use polars_io::parquet::read::FileMetadata;

use super::thrift::integers;
use crate::io::container::FileBytes;

/// What a page claims.
#[derive(Default)]
struct Page {
    compressed: i64,
    uncompressed: i64,
    values: i64,
    /// Values of a dictionary.
    dictionary: i64,
}

/// Whether the lengths in a footer are those of what is there. It ends in its length and Parquet's mark.
pub(super) fn is_sound_footer(footer: &[u8]) -> bool {
    let (footer, _) = footer.split_at(footer.len().saturating_sub(8));
    integers(footer, &mut |_, _| {}) == Some(footer.len())
}

/// Whether the headers of all pages fit the footer: each column has a value in every row.
pub(super) fn are_sound_pages(bytes: &FileBytes, footer: &FileMetadata) -> io::Result<bool> {
    let length = bytes.length()?;
    for group in &footer.row_groups {
        let Ok(rows) = i64::try_from(group.num_rows()) else {
            return Ok(false);
        };
        for column in group.parquet_columns() {
            let range = column.byte_range();
            if range.start > range.end || range.end > length || column.num_values() != rows {
                return Ok(false);
            }
            let chunk = bytes.read(range)?;
            if are_sound(&chunk, rows, column.uncompressed_size()).is_none() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Of the pages of a column in a row group; `None` if they are not sound.
fn are_sound(mut chunk: &[u8], rows: i64, uncompressed: i64) -> Option<()> {
    let (mut values, mut size) = (0_i64, 0_i64);
    while values < rows {
        let mut page = Page::default();
        let header = integers(chunk, &mut |fields, value| match *fields {
            [2] => page.uncompressed = value,
            [3] => page.compressed = value,
            [5 | 8, 1] => page.values = value,
            [7, 1] => page.dictionary = value,
            _ => {}
        })?;
        let is_counted = [page.values, page.dictionary]
            .iter()
            .all(|count| (0..=rows).contains(count));
        size = size.checked_add(page.uncompressed)?;
        if !is_counted || page.uncompressed < 0 || size > uncompressed {
            return None;
        }
        values += page.values;
        let end = header.checked_add(usize::try_from(page.compressed).ok()?)?;
        chunk = chunk.get(end..)?;
    }
    (values == rows).then_some(())
}
