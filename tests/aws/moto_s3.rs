//! Reports in S3 against the moto server. Run by `tests/moto/run`.

use aws_sdk_s3::primitives::ByteStream;

use super::moto::{Moto, findings, seed};
use super::report;

const BUCKET: &str = "audit-reports";
const SCAN: [&str; 5] = ["scan", "--format", "ndjson", "--rule", "access-key-not-rotated"];
/// Enough for two pages.
const REPORTS: usize = 1_005;

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn prefixes_with_reports() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let special = "special/ä b+c%20&?#/111111111111_20261121.csv";
    seed(async {
        let config = aws_sdk_s3::config::Builder::from(&moto.hub("us-east-1")).force_path_style(true);
        let s3 = aws_sdk_s3::Client::from_conf(config.build());
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let keys = (0..REPORTS).map(|number| {
            (
                format!("many/2026-11-21/{number:012}.csv"),
                format!("{number:012}"),
            )
        });
        for (key, account) in keys.chain([(special.to_owned(), "111111111111".to_owned())]) {
            let put = s3.put_object().bucket(BUCKET).key(key);
            put.body(ByteStream::from(report(&account).into_bytes()))
                .send()
                .await
                .unwrap();
        }
    });
    let scan = |url: &str| moto.credlens(folder.path(), "us-east-1", &[&SCAN[..], &[url]].concat());
    let (exit, out, err) = scan(&format!("s3://{BUCKET}/many"));
    assert_eq!(exit, 1, "{err}");
    let accounts: Vec<_> = findings(&out)
        .iter()
        .map(|finding| finding["account"].to_string())
        .collect();
    assert!(
        accounts.len() == REPORTS && accounts.is_sorted(),
        "{}",
        accounts.len()
    );
    let (exit, out, err) = scan(&format!("s3://{BUCKET}/{special}"));
    assert_eq!(exit, 1, "{err}");
    let found = &findings(&out)[0];
    assert_eq!(found["source"]["path"], format!("s3://{BUCKET}/{special}"));
    assert_eq!(found["as_of"], "2026-11-21T23:59:59Z");
    assert_eq!(scan(&format!("s3://{BUCKET}/special/")).1, out);
    for (url, message) in [
        ("s3://no-such-bucket/x", "bucket 'no-such-bucket' not found"),
        ("s3://audit-reports/none", "contains no files"),
    ] {
        let (exit, _, err) = scan(url);
        assert_eq!(exit, 3, "{err}");
        assert!(err.contains(message), "{err}");
    }
}

/// All archive commands on an archive in S3.
#[cfg(feature = "archive")]
#[test]
#[ignore = "needs moto: tests/moto/run"]
fn archive() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    seed(async {
        let config = aws_sdk_s3::config::Builder::from(&moto.hub("us-east-1")).force_path_style(true);
        let s3 = aws_sdk_s3::Client::from_conf(config.build());
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    });
    let run = |arguments: &[&str]| moto.credlens(folder.path(), "us-east-1", arguments);
    let url = format!("s3://{BUCKET}/keep");
    std::fs::create_dir(folder.path().join("reports")).unwrap();
    for (account, date) in [
        ("111111111111", "20261121"),
        ("222222222222", "20261121"),
        ("111111111111", "20261001"),
    ] {
        let path = folder.path().join(format!("reports/{account}_{date}.csv"));
        std::fs::write(path, report(account)).unwrap();
    }
    let (exit, out, err) = run(&["archive", "add", &url, "reports"]);
    assert_eq!((exit, out.lines().count()), (0, 2), "{err}");
    assert!(
        out.starts_with(&format!("{url}/snapshot_date=2026-10-01/")),
        "{out}"
    );
    let (exit, out, err) = run(&["archive", "add", &url, "reports"]);
    assert_eq!((exit, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("3 were there already"), "{err}");
    let (exit, out, _) = run(&["archive", "list", &url]);
    assert_eq!((exit, out.lines().count()), (0, 6), "{out}");
    let (exit, out, _) = run(&["archive", "verify", &url]);
    assert_eq!((exit, out.as_str()), (0, "2 files with 3 reports: all intact\n"));
    let which = ["--account", "222222222222", "--output", "-"];
    let (exit, out, _) = run(&[&["archive", "export", &url], &which[..]].concat());
    assert_eq!((exit, out), (0, report("222222222222")));
    let (exit, out, err) = run(&[&SCAN[..], &[&url]].concat());
    assert_eq!(exit, 1, "{err}");
    // Of three snapshots of two accounts, the newest of each.
    assert_eq!(
        findings(&out).len(),
        2 * findings(&run(&[&SCAN[..], &["reports/222222222222_20261121.csv"]].concat()).1).len()
    );
    let (exit, out, err) = run(&["trend", &url, "--format", "csv"]);
    assert_eq!((exit, out.lines().count()), (0, 3), "{out}{err}");
    let (exit, out, err) = run(&[
        "diff",
        "--archive",
        &url,
        "2026-10-02",
        "2026-11-30",
        "--format",
        "json",
    ]);
    assert_eq!(exit, 0, "{err}");
    assert!(
        err.contains("222222222222") && out.contains("\"events\""),
        "{err}"
    );
}
