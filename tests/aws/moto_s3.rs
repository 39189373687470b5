//! Reports in S3 against the moto server. Run by `tests/moto/run`.

use aws_sdk_s3::primitives::ByteStream;

use super::moto::{Moto, findings, seed};
use super::report;

const BUCKET: &str = "audit-reports";
const SCAN: [&str; 5] = ["scan", "--format", "ndjson", "--rule", "access-key-not-rotated"];
/// So many that they take two pages.
const REPORTS: usize = 1_005;

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn trees_of_reports() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let odd = "odd/ä b+c%20&?#/111111111111_20261121.csv";
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
        for (key, account) in keys.chain([(odd.to_owned(), "111111111111".to_owned())]) {
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
    let (exit, out, err) = scan(&format!("s3://{BUCKET}/{odd}"));
    assert_eq!(exit, 1, "{err}");
    let found = &findings(&out)[0];
    assert_eq!(found["source"]["path"], format!("s3://{BUCKET}/{odd}"));
    assert_eq!(found["as_of"], "2026-11-21T23:59:59Z");
    assert_eq!(scan(&format!("s3://{BUCKET}/odd/")).1, out);
    for (url, told) in [
        ("s3://no-such-bucket/x", "there is no bucket 'no-such-bucket'"),
        ("s3://audit-reports/none", "holds no file"),
    ] {
        let (exit, _, err) = scan(url);
        assert_eq!(exit, 3, "{err}");
        assert!(err.contains(told), "{err}");
    }
}
