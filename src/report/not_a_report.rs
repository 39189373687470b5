//! Recognises inputs that are not a credential report, and says what to do about them.

/// An input is not a credential report. The message says what it is instead and what to do; it is one bounded line
/// without control characters of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAReport {
    /// Only blanks.
    #[error("an empty file, not a credential report; fetch the report again")]
    Empty,
    /// A table of other data.
    #[error(
        "a CSV with {0}, not a credential report, whose header is 'user,arn,user_creation_time,…'; \
         if the header line was removed, add it again"
    )]
    OtherColumns(String),
    /// Lines of the same other columns.
    #[error(
        "a CSV with {0}, not a credential report, whose header is 'user,arn,user_creation_time,…'; \
         if the header line was removed, add it again"
    )]
    OtherTable(String),
    /// Text without a delimiter in its first line.
    #[error(
        "text that starts with '{0}', not a credential report, whose header is 'user,arn,user_creation_time,…'"
    )]
    Text(String),
    /// A header that is cut short, or has other delimiters.
    #[error(
        "a part of the header of a credential report, which is 'user,arn,user_creation_time,…'; fetch the report again"
    )]
    PartOfHeader,
    /// Other lines, and then a report.
    #[error(
        "other lines before the header of a credential report; remove them, so that the header comes first"
    )]
    LinesBefore,
    /// Something else that contains words of a report.
    #[error(
        "not a credential report, but parts of one are in it; fetch the report again, or remove what is not part of it"
    )]
    Parts,
    /// A first line that is longer than any header.
    #[error(
        "its first line is longer than {} KiB, so it is not a credential report, whose header is 'user,arn,…'",
        super::header::LONGEST / 1024
    )]
    LongLine,
    /// A report whose last row lacks fields.
    #[error(
        "its last row has {0} fields and the header {1}, so the file may be cut off and lack users; fetch the report \
         again"
    )]
    CutOff(usize, usize),
    /// Accounts that only a column distinguishes.
    #[error(
        "only a column and no ARN says which account a user is in, so users cannot be followed from one report to \
         the next; add the column 'arn', or split it by account and leave that column out"
    )]
    WithoutArns,
    /// A header, and no row.
    #[error("a header without a single user: every report has at least root's row; fetch the report again")]
    NoUsers,
    /// JSON of other data, or broken JSON.
    #[error("JSON without a report ({0}); save the output of 'aws iam get-credential-report'")]
    Json(String),
    /// Something else behind reports in JSON.
    #[error(
        "behind a report there is something else ({0}), which may be a damaged one; what stands before it is read"
    )]
    BehindJson(String),
    /// JSON of something else.
    #[error("JSON without a report; save the output of 'aws iam get-credential-report'")]
    OtherJson,
    /// An output of this program.
    #[error("an output of credlens, not a credential report")]
    OwnOutput,
    /// A report on one line, whose line breaks are written as two characters each.
    #[error(
        "a credential report whose line breaks are written as \\n; turn them into line breaks, for instance with \
         printf '%b'"
    )]
    EscapedLineBreaks,
    /// Rows without a header.
    #[error("rows of a credential report without its header line; put 'user,arn,user_creation_time,…' back")]
    Headerless,
    /// The response of the call that starts a report.
    #[error(
        "the response of 'aws iam generate-credential-report', which has no report; \
         save the output of 'aws iam get-credential-report'"
    )]
    Generation,
    /// YAML of other data.
    #[error("YAML without a Content; save the output of 'aws iam get-credential-report'")]
    Yaml,
    /// YAML of something else.
    #[error("YAML without a report; save the output of 'aws iam get-credential-report'")]
    OtherYaml,
    /// `Content`, or the whole input, is base64 that cannot be decoded.
    #[error("its base64 is damaged ({0}); fetch the report again")]
    Base64(String),
    /// `str()` of a Python bytes object.
    #[error(
        "a report written as a Python bytes literal (b'…'); write response['Content'] itself to a file that is opened \
         with 'wb', or decode() it first"
    )]
    PythonBytes,
    /// UTF-16 with an odd length or lone surrogates, or without a byte order mark.
    #[error("damaged UTF-16, or UTF-16 without a byte order mark; save it as UTF-8")]
    Utf16,
    /// A web page.
    #[error("an HTML page, not a credential report; download the report itself (CSV)")]
    Html,
    /// XML.
    #[error("an XML document, not a credential report; save the output of 'aws iam get-credential-report'")]
    Xml,
    /// XML of AWS, such as an error.
    #[error(
        "a response of AWS in XML, such as an error, not a credential report; save the output of \
         'aws iam get-credential-report'"
    )]
    AwsXml,
    /// An error message of the AWS CLI.
    #[error(
        "a message of the AWS CLI, not a credential report: '{0}'; solve that problem and fetch the report again"
    )]
    CliMessage(String),
    /// `--output table` of the AWS CLI.
    #[error("a table drawn by the AWS CLI; save the output with '--output json'")]
    CliTable,
    /// Text with colours for terminals.
    #[error(
        "text with the colours of a terminal (ANSI escapes); save it without, for instance with 'aws --color off' or \
         'jq -M'"
    )]
    Colours,
    /// An Excel workbook.
    #[error("a workbook of a spreadsheet program; open it and save the sheet with the report as CSV")]
    Workbook,
    /// An archive of files.
    #[error("{0}; unpack it first")]
    Packed(&'static str),
    /// A compression that is not supported.
    #[error("{0}; unpack it first")]
    Compressed(&'static str),
    /// Parquet data in a file of another name.
    #[error(
        "Parquet data, not a credential report; if it is a file of an archive, its name must end in .parquet"
    )]
    Parquet,
    /// Bytes that are not text.
    #[error("{0}, not a credential report")]
    Binary(&'static str),
}

impl NotAReport {
    /// What [`NotAReport::Binary`] says of bytes that begin like nothing that is known.
    pub(crate) const UNKNOWN: &'static str = "binary data";

    /// Whether it is data of another kind, as far as it alone shows.
    pub(super) fn is_other_data(&self) -> bool {
        matches!(
            self,
            Self::OtherColumns(_)
                | Self::OtherTable(_)
                | Self::OtherYaml
                | Self::Text(_)
                | Self::OwnOutput
                | Self::Html
                | Self::Xml
                | Self::Packed(_)
                | Self::Workbook
                | Self::Binary(_)
        )
    }
}
