//! Lets `io` read archived reports as inputs like any other.

use std::path::Path;
use std::sync::Arc;

use super::error::Error;
use super::file::ArchiveFile;
use super::layout::FileName;
use super::rows::ArchivedRows;
use crate::engine::{AccountInfo, DeferredBlock, SourceError, StoredColumns, StoredRecords};
use crate::io::container::{ContainedReport, Container, ContainerFormat, FileBytes};
use crate::io::error::InputError;
use crate::report::schema::ColumnSet;

/// Opens Parquet files among the inputs.
#[derive(Debug, Default)]
pub struct ArchiveFormat;

impl ContainerFormat for ArchiveFormat {
    fn open(&mut self, path: &Path, bytes: FileBytes) -> Result<Box<dyn Container>, InputError> {
        // In an archive, the file is named by the last two parts of its path.
        let parent = path.parent().and_then(Path::file_name).unwrap_or_default();
        let file = path.file_name().unwrap_or_default();
        let name = format!("{}/{}", parent.to_string_lossy(), file.to_string_lossy());
        // The diagnostic names the path.
        let file = ArchiveFile::unchecked(bytes, "it".to_owned(), FileName::parse(&name));
        match file {
            Ok(file) => Ok(Box::new(file)),
            Err(Error::NotAnArchive(_)) => Err(InputError::ForeignParquet),
            Err(error) => Err(InputError::Archive(error.into())),
        }
    }
}

impl Container for ArchiveFile {
    fn reports(&self) -> Vec<ContainedReport> {
        let reports = Self::reports(self).iter().enumerate();
        reports
            .map(|(index, report)| ContainedReport {
                hash: report.sha256.clone(),
                // `rows` reports a header that cannot be read.
                header: self.header(index).unwrap_or_default(),
                as_of: report.as_of,
                as_of_source: report.as_of_source,
                generated: report.generated,
                account: AccountInfo {
                    name: report.account_name.clone(),
                    rows: self.accounts(index).map(Arc::new),
                    ..AccountInfo::default()
                },
            })
            .collect()
    }

    fn rows(&mut self, report: usize) -> Result<Vec<DeferredBlock>, SourceError> {
        let rows = Self::rows(self, report)?.into_iter();
        Ok(rows.map(|rows| DeferredBlock(Box::new(rows))).collect())
    }
}

impl StoredRecords for ArchivedRows {
    fn append_text(&self, text: &mut Vec<u8>) -> Result<(), SourceError> {
        Ok(self.append_to(text)?)
    }

    fn columns(&self, wanted: ColumnSet) -> Result<Option<StoredColumns>, SourceError> {
        Ok(Self::columns(self, wanted)?)
    }

    fn count(&self) -> usize {
        Self::count(self)
    }

    fn accounts(&self) -> Option<[Vec<u8>; 2]> {
        Self::accounts(self)
    }
}
