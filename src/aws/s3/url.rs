//! S3 URLs, and the encoded keys of listings.

use std::fmt;
use std::str::FromStr;

/// `s3://bucket/key`. The key may be empty, and is used as it is: nothing in it is decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct S3Url {
    /// The bucket's name, or the alias of an access point.
    pub bucket: String,
    /// An object's key, or the prefix of several.
    pub key: String,
}

/// The text is not an S3 URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an S3 URL; use s3://bucket/key or s3://bucket/prefix, with the bucket's name in lower case")]
pub struct InvalidS3Url;

impl FromStr for S3Url {
    type Err = InvalidS3Url;

    fn from_str(url: &str) -> Result<Self, InvalidS3Url> {
        let rest = url.strip_prefix("s3://").ok_or(InvalidS3Url)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket_char = |char: char| {
            char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '.' | '-' | '_')
        };
        if bucket.is_empty() || bucket.starts_with('.') || !bucket.chars().all(is_bucket_char) {
            return Err(InvalidS3Url);
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Decodes a key of a listing, which is encoded as in a query string; None if it is malformed.
pub(super) fn decoded(key: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed() {
        for (text, bucket, key) in [
            ("s3://bucket/key", "bucket", "key"),
            ("s3://bucket/2026/a b%20+é//x/", "bucket", "2026/a b%20+é//x/"),
            ("s3://b.u-c_7/", "b.u-c_7", ""),
            ("s3://bucket//x", "bucket", "/x"),
        ] {
            let url: S3Url = text.parse().unwrap();
            assert_eq!((url.bucket.as_str(), url.key.as_str()), (bucket, key));
            assert_eq!(url.to_string(), text);
        }
        assert_eq!("s3://bucket".parse::<S3Url>(), "s3://bucket/".parse());
        for text in [
            "",
            "s3://",
            "s3:///key",
            "s3:/bucket/key",
            "http://bucket/key",
            "s3://a b/x",
            "s3://Bucket/x",
            "s3://../x",
        ] {
            assert_eq!(text.parse::<S3Url>(), Err(InvalidS3Url), "{text}");
        }
    }

    #[test]
    fn keys_are_decoded() {
        assert_eq!(decoded("a/b.csv").as_deref(), Some("a/b.csv"));
        assert_eq!(decoded("a+b%2Bc%20d%C3%A9%0A").as_deref(), Some("a b+c dé\n"));
        for wrong in ["%", "%4", "%zz", "%FF", "%+1"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }
}
