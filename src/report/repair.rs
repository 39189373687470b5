//! Repairs records that have more or fewer fields than the header, where that leaves no doubt about their cells.

use super::cell::{self, account_of, resource_of};
use super::chunk::ROOT;
use super::header::Header;
use super::rows::trim;
use super::schema::{Column, TextColumn};

/// A record with the wrong number of fields, and its repair.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// It is blank.
    Blank,
    /// The user name (and so the ARN) has commas and was not quoted.
    Commas(Vec<Vec<u8>>),
    /// It is the last record of a report without a final newline; the next report's header follows on the same line.
    GluedHeader(Vec<Vec<u8>>),
    /// Several records whose line breaks are missing.
    Glued(Vec<Vec<Vec<u8>>>),
    /// Its fields cannot be matched to columns: the rest of its cells is unknown.
    Ragged {
        /// The user: as the ARN says, else the field at the position of the user, which is only a hint.
        user: Vec<u8>,
        /// The first field that is an ARN of IAM; empty if there is none.
        arn: Vec<u8>,
    },
}

/// Repairs a record with the wrong number of fields.
pub(super) fn examine(fields: &[&[u8]], header: &Header) -> Repair {
    if fields.iter().all(|field| trim(field).is_empty()) {
        return Repair::Blank;
    }
    join_commas(fields, header)
        .map(Repair::Commas)
        .or_else(|| unglue(fields, header).map(Repair::GluedHeader))
        .or_else(|| take_apart(fields, header).map(Repair::Glued))
        .unwrap_or_else(|| ragged(fields, header))
}

/// Whether the record repeats the header, as in a file of several concatenated reports.
pub(super) fn repeats_header(fields: &[&[u8]], header: &Header) -> bool {
    fields.len() == header.width() && names_match(fields, header.names())
}

fn names_match(fields: &[&[u8]], names: &[String]) -> bool {
    fields
        .iter()
        .zip(names)
        .all(|(field, name)| trim(field).eq_ignore_ascii_case(name.trim().as_bytes()))
}

/// The name is all fields before the one that starts with `arn:`; the ARN is all fields from there that leave as many
/// fields as columns. Only an ARN that ends with the name confirms this: any other extra field would shift every cell.
fn join_commas(fields: &[&[u8]], header: &Header) -> Option<Vec<Vec<u8>>> {
    let user = header.position(Column::Text(TextColumn::User))?;
    let arn = header.position(Column::Text(TextColumn::Arn))?;
    if fields.len() <= header.width() || arn != user + 1 {
        return None;
    }
    let arn_from = (user + 1..fields.len()).find(|&at| trim(fields[at]).starts_with(b"arn:"))?;
    let arn_to = fields.len() - (header.width() - arn - 1);
    if arn_from >= arn_to {
        return None;
    }
    let name = fields[user..arn_from].join(&header.delimiter());
    let whole_arn = fields[arn_from..arn_to].join(&header.delimiter());
    let named = trim(&whole_arn).strip_suffix(trim(&name))?;
    named.ends_with(b"/").then(|| {
        let plain = |field: &&[u8]| field.to_vec();
        let mut row: Vec<Vec<u8>> = fields[..user].iter().map(plain).collect();
        row.extend([name, whole_arn]);
        row.extend(fields[arn_to..].iter().map(plain));
        row
    })
}

/// `…,N/Auser,arn,…`: `cat` joins two reports like this, since AWS ends a report without a newline.
fn unglue(fields: &[&[u8]], header: &Header) -> Option<Vec<Vec<u8>>> {
    if fields.len() != 2 * header.width() - 1 {
        return None;
    }
    let (row, next) = fields.split_at(header.width());
    let (first_name, names) = header.names().split_first()?;
    let (last, before) = row.split_last()?;
    let cut = trim(last).len().checked_sub(first_name.len())?;
    let (cell, glued) = trim(last).split_at(cut);
    let is_header = glued.eq_ignore_ascii_case(first_name.as_bytes()) && names_match(next, names);
    is_header.then(|| {
        before
            .iter()
            .map(|field| field.to_vec())
            .chain([cell.to_vec()])
            .collect()
    })
}

/// Records without the line breaks between them: the last cell of one and the user of the next are one field, and an
/// ARN follows. The ARN's name says where the user begins; what is before it must be a cell of the last column.
fn take_apart(fields: &[&[u8]], header: &Header) -> Option<Vec<Vec<Vec<u8>>>> {
    let more = header.width().checked_sub(1).filter(|&more| more > 1)?;
    let user = header.position(Column::Text(TextColumn::User))?;
    let arn = header.position(Column::Text(TextColumn::Arn))?;
    if (user, arn) != (0, 1) || fields.len() <= header.width() || fields.len() % more != 1 {
        return None;
    }
    let mut rows = vec![vec![fields[0].to_vec()]];
    for (at, field) in fields.iter().enumerate().skip(1) {
        let row = rows.last_mut().expect("invariant: there is a first one");
        if at % more != 0 || at + 1 == fields.len() {
            row.push(field.to_vec());
            continue;
        }
        let name = name_of(fields[at + 1])?;
        let cell = trim(field).strip_suffix(name)?;
        if !is_cell_of_last_column(cell, header) {
            return None;
        }
        row.push(cell.to_vec());
        rows.push(vec![name.to_vec()]);
    }
    Some(rows)
}

/// The user whom an ARN of IAM names, as reports spell it.
fn name_of(arn: &[u8]) -> Option<&[u8]> {
    account_of(trim(arn))?;
    match resource_of(trim(arn))? {
        b"root" => Some(ROOT.as_bytes()),
        resource => resource
            .starts_with(b"user/")
            .then(|| resource.rsplit(|&byte| byte == b'/').next())?,
    }
}

fn is_cell_of_last_column(cell: &[u8], header: &Header) -> bool {
    let last = header.names().last().and_then(|name| Column::from_name(name));
    let is_token = || {
        [b"N/A".as_slice(), b"not_supported"]
            .iter()
            .any(|token| cell.eq_ignore_ascii_case(token))
    };
    match last {
        Some(Column::Time(_)) => cell::time(cell) != cell::UNKNOWN && !cell.is_empty() || is_token(),
        Some(Column::Flag(_)) => cell::flag(cell) != cell::Flag::Unknown || is_token(),
        Some(Column::Text(_)) | None => false,
    }
}

fn ragged(fields: &[&[u8]], header: &Header) -> Repair {
    let position = header.position(Column::Text(TextColumn::User));
    let hint = position
        .and_then(|position| fields.get(position))
        .copied()
        .unwrap_or_default();
    let arn = fields.iter().copied().find(|arn| name_of(arn).is_some());
    Repair::Ragged {
        user: arn.and_then(name_of).unwrap_or(hint).to_vec(),
        arn: arn.unwrap_or_default().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(line: &str) -> Repair {
        let header = Header::parse(b"user,arn,user_creation_time,mfa_active").expect("a header");
        examine(&line.split(',').map(str::as_bytes).collect::<Vec<_>>(), &header)
    }

    fn row(cells: &[&str]) -> Vec<Vec<u8>> {
        cells.iter().map(|cell| cell.as_bytes().to_vec()).collect()
    }

    #[test]
    fn commas_in_an_unquoted_name() {
        assert_eq!(
            repaired("a,b,arn:aws:iam::1:user/x,y/a,b,2026-01-02T00:00:00Z,true"),
            Repair::Commas(row(&[
                "a,b",
                "arn:aws:iam::1:user/x,y/a,b",
                "2026-01-02T00:00:00Z",
                "true"
            ]))
        );
        assert_eq!(
            repaired("a,,arn:aws:iam::1:user/a,,N/A,true"),
            Repair::Commas(row(&["a,", "arn:aws:iam::1:user/a,", "N/A", "true"]))
        );
    }

    #[test]
    fn a_path_with_a_comma() {
        assert_eq!(
            repaired("a,arn:aws:iam::1:user/x,y/a,N/A,true"),
            Repair::Commas(row(&["a", "arn:aws:iam::1:user/x,y/a", "N/A", "true"]))
        );
    }

    #[test]
    fn ambiguous_records_are_ragged() {
        for line in [
            "a,arn:aws:iam::1:user/a,2026-01-02T00:00:00Z,true,false",
            "a,b,arn:aws:iam::1:user/a,N/A,true",
            "a,arn:aws:iam::1:user/a,2026-01-02T00:00:00Z,true,,",
            "a,arn:aws:iam::1:user/a,2026-01-02T00:00:00Z,true,x,y",
            "a,b,arn:aws:iam::1:user/a,b,2026-01-02T00:00:00Z,true,,",
            "<root_account>,arn:aws:iam::1:root,2026-01-02T00:00:00Z,true,,",
            "a,arn:aws:iam::1:user/a",
            "a,b,c,d,e",
        ] {
            assert!(
                matches!(repaired(line), Repair::Ragged { .. }),
                "{line}: {:?}",
                repaired(line)
            );
        }
        assert_eq!(repaired(" "), Repair::Blank);
    }

    #[test]
    fn a_header_glued_to_the_last_record() {
        assert_eq!(
            repaired("a,arn:aws:iam::1:user/a,N/A,trueuser,arn,user_creation_time,mfa_active"),
            Repair::GluedHeader(row(&["a", "arn:aws:iam::1:user/a", "N/A", "true"]))
        );
    }

    #[test]
    fn rows_without_the_line_break_between_them() {
        let (a, b) = (
            "a,arn:aws:iam::1:user/a,N/A,true",
            "b,arn:aws:iam::1:user/x/b,2026-01-01T00:00:00Z,FALSE",
        );
        let root = "<root_account>,arn:aws:iam::1:root,N/A,false";
        let rows = |rows: &[&str]| {
            Repair::Glued(
                rows.iter()
                    .map(|line| row(&line.split(',').collect::<Vec<_>>()))
                    .collect(),
            )
        };
        assert_eq!(repaired(&format!("{a}{b}")), rows(&[a, b]));
        assert_eq!(repaired(&format!("{root}{a}{b}{a}")), rows(&[root, a, b, a]));
        assert_eq!(repaired(&format!("{a}{root}")), rows(&[a, root]));
        for line in [
            // The name is not the ARN's, so the cell before it is not sure.
            format!("{a}x,arn:aws:iam::1:user/y,N/A,true"),
            format!("a,arn:aws:iam::1:user/a,N/A,maybe{b}"),
            format!("{a}{b},extra"),
        ] {
            let Repair::Ragged { user, arn } = repaired(&line) else {
                panic!("{line}")
            };
            assert_eq!((&*user, &*arn), (&b"a"[..], &b"arn:aws:iam::1:user/a"[..]));
        }
    }
}
