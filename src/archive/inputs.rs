//! Archived reports as inputs.

use std::path::Path;
use std::sync::Arc;

use super::csv::Piece;
use super::file::ArchiveFile;
use super::layout::Name;
use super::meta::ReportMeta;
use super::store::Data;
use crate::engine::{AccountInfo, DeferredText, SourceError};
use crate::io::contained::{Contained, Container, Containers, Content};

/// Opens files of archives among the inputs.
#[derive(Debug, Default)]
pub struct ArchivedInputs;

impl Containers for ArchivedInputs {
    fn open(&mut self, path: &Path, content: Content) -> Result<Box<dyn Container>, SourceError> {
        let data = match content {
            Content::File(file) => Data::File(Arc::new(file)),
            Content::Bytes(bytes) => Data::Bytes(bytes.into()),
        };
        // The last two names of the path are its place in an archive.
        let mut names: Vec<_> = path
            .iter()
            .rev()
            .take(2)
            .map(|name| name.to_string_lossy())
            .collect();
        names.reverse();
        let name = Name::parse(&names.join("/"));
        Ok(Box::new(ArchiveFile::of_data(
            data,
            "it".to_owned(),
            name.as_ref(),
        )?))
    }
}

impl Container for ArchiveFile {
    fn reports(&self) -> Vec<Contained> {
        Self::reports(self).iter().map(contained).collect()
    }

    fn rows(&mut self, report: usize) -> Result<Vec<DeferredText>, SourceError> {
        let text = |piece: Piece| DeferredText::new(move |text| Ok(piece.make(text)?));
        Ok(self.pieces(report)?.into_iter().map(text).collect())
    }
}

fn contained(report: &ReportMeta) -> Contained {
    Contained {
        hash: report.sha256.clone(),
        header: report.header.0.clone(),
        as_of: report.as_of,
        as_of_source: report.as_of_source,
        generated: report.generated,
        account: AccountInfo {
            name: report.account_name.clone(),
            ..AccountInfo::default()
        },
    }
}
