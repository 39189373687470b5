//! Archived reports as inputs.

use std::io::{Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{ArchiveFile, Csv};
use super::layout::Name;
use super::meta::ReportMeta;
use super::store::Data;
use crate::engine::Account;
use crate::io::contained::{Contained, Container, Containers, Content, OpenError};

/// Opens files of archives among the inputs.
#[derive(Debug, Default)]
pub struct ArchivedInputs;

struct Reports(Arc<Mutex<ArchiveFile>>);

impl Containers for ArchivedInputs {
    fn open(&mut self, path: &Path, content: Content) -> Result<Box<dyn Container>, OpenError> {
        let data: Data = match content {
            Content::File(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                Box::new(file)
            }
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        };
        let mut parts: Vec<_> = path
            .iter()
            .rev()
            .take(2)
            .map(|part| part.to_string_lossy())
            .collect();
        parts.reverse();
        let name = Name::parse(&parts.join("/"));
        let file = ArchiveFile::of_data(data, "it".to_owned(), name.as_ref())?;
        Ok(Box::new(Reports(Arc::new(Mutex::new(file)))))
    }
}

impl Container for Reports {
    fn reports(&self) -> Vec<Contained> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.reports().iter().map(contained).collect()
    }

    fn csv(&mut self, report: usize) -> Result<Box<dyn Read + Send>, OpenError> {
        Ok(Box::new(Csv::new(&self.0, report)?))
    }
}

fn contained(report: &ReportMeta) -> Contained {
    Contained {
        as_of: report.as_of,
        as_of_source: report.as_of_source,
        generated: report.generated,
        account: Account {
            name: report.account_name.clone(),
            ..Account::default()
        },
    }
}
