//! The smallest policy for what a command does in S3: all that it needs, whatever was denied first.

use super::permissions::{Action, Statement, SuggestedPolicy, policy};

/// What a command needs of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct S3Need {
    /// The ARN of the bucket.
    pub bucket: String,
    /// The key of an object, or what the keys of several begin with.
    pub key: String,
    /// What it does there.
    pub access: S3Access,
}

/// What is done with objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum S3Access {
    /// One is read.
    ReadOne,
    /// They are listed and read.
    Read,
    /// They are listed and read, and others are added.
    Add,
}

/// The policy for all of these needs, after this action was denied; none if nothing is needed.
pub fn s3_policy(denied: Action, needs: &[S3Need]) -> Option<SuggestedPolicy> {
    let mut needs = needs.to_vec();
    needs.sort();
    needs.dedup();
    let widest = needs.iter().map(|need| need.access).max()?;
    let mut buckets: Vec<(&str, Vec<&S3Need>)> = Vec::new();
    for need in &needs {
        match buckets.last_mut() {
            Some((bucket, of_bucket)) if *bucket == need.bucket => of_bucket.push(need),
            Some(_) | None => buckets.push((&need.bucket, vec![need])),
        }
    }
    let statements = buckets
        .iter()
        .flat_map(|(bucket, needs)| statements(bucket, needs));
    Some(SuggestedPolicy {
        actions: vec![denied],
        principal: match widest {
            S3Access::ReadOne => {
                "the principal that reads the objects; without s3:ListBucket, S3 also denies access to objects that do not exist"
            }
            S3Access::Read => "the principal that lists and reads the objects",
            S3Access::Add => "the principal that adds to the archive",
        },
        policy: policy(&statements.collect::<Vec<_>>()),
    })
}

/// The statements for the needs of one bucket.
fn statements(bucket: &str, needs: &[&S3Need]) -> Vec<String> {
    let objects = |is_meant: &dyn Fn(S3Access) -> bool| {
        let meant = needs.iter().filter(|need| is_meant(need.access));
        let arns = meant.map(|need| format!("{bucket}/{}", pattern(need)));
        arns.collect::<Vec<_>>()
    };
    let listed = needs.iter().filter(|need| need.access != S3Access::ReadOne);
    let prefixes: Vec<_> = listed.map(|need| pattern(need)).collect();
    let mut statements = Vec::new();
    if !prefixes.is_empty() {
        let list = Statement::new(&[Action::ListBucket], &[bucket]);
        // The whole bucket is listed where a prefix is empty.
        let is_whole = prefixes.iter().any(|prefix| prefix == "*");
        let list = if is_whole {
            list
        } else {
            list.on_prefixes(&prefixes)
        };
        statements.push(list.text());
    }
    let (added, read) = (
        objects(&|access| access == S3Access::Add),
        objects(&|access| access != S3Access::Add),
    );
    if !added.is_empty() {
        statements.push(Statement::new(&[Action::GetObject, Action::PutObject], &added).text());
    }
    if !read.is_empty() {
        statements.push(Statement::new(&[Action::GetObject], &read).text());
    }
    statements
}

/// The keys that are meant, in the language of policies, in which `*`, `?` and `$` stand for others.
fn pattern(need: &S3Need) -> String {
    let mut pattern = String::new();
    for char in need.key.chars() {
        match char {
            '*' | '?' | '$' => pattern.extend(["${", char.encode_utf8(&mut [0; 4]), "}"]),
            char => pattern.push(char),
        }
    }
    if need.access != S3Access::ReadOne {
        pattern.push('*');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(bucket: &str, key: &str, access: S3Access) -> S3Need {
        S3Need {
            bucket: format!("arn:aws-us-gov:s3:::{bucket}"),
            key: key.to_owned(),
            access,
        }
    }

    fn statements_of(needs: &[S3Need]) -> serde_json::Value {
        let policy = s3_policy(Action::ListBucket, needs).unwrap().policy;
        let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
        policy["Statement"].clone()
    }

    #[test]
    fn an_archive_is_added_to_below_its_prefix() {
        let expected = serde_json::json!([
            {
                "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws-us-gov:s3:::audit",
                "Condition": {"StringLike": {"s3:prefix": "reports/*"}},
            },
            {
                "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": "arn:aws-us-gov:s3:::audit/reports/*",
            },
        ]);
        let add = need("audit", "reports/", S3Access::Add);
        assert_eq!(statements_of(&[add.clone(), add]), expected);
    }

    #[test]
    fn a_whole_bucket_has_no_condition() {
        let expected = serde_json::json!([
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws-us-gov:s3:::audit"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws-us-gov:s3:::audit/*"},
        ]);
        assert_eq!(statements_of(&[need("audit", "", S3Access::Read)]), expected);
    }

    #[test]
    fn several_needs_are_one_policy() {
        let expected = serde_json::json!([
            {
                "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws-us-gov:s3:::a",
                "Condition": {"StringLike": {"s3:prefix": ["2026/*", "x${*}${$}*"]}},
            },
            {
                "Effect": "Allow", "Action": "s3:GetObject",
                "Resource": ["arn:aws-us-gov:s3:::a/2026/*", "arn:aws-us-gov:s3:::a/x${*}${$}*"],
            },
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws-us-gov:s3:::b/one.csv"},
        ]);
        let needs = [
            need("b", "one.csv", S3Access::ReadOne),
            need("a", "x*$", S3Access::Read),
            need("a", "2026/", S3Access::Read),
        ];
        assert_eq!(statements_of(&needs), expected);
        assert_eq!(s3_policy(Action::GetObject, &[]), None);
    }
}
