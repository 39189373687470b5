//! Settings that choose among AWS's own addresses, and proxies that lead to none.

use std::fs;
use std::net::TcpListener;

use super::cli::accounts;
use super::endpoints::{KEYS, ROLE, run};
use super::server::Server;

/// Which of AWS's own addresses to use has no meaning with another address.
#[test]
fn settings_for_the_addresses_of_aws_are_ignored_with_another_one() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".aws")).unwrap();
    let both = "use_fips_endpoint = true\nuse_dualstack_endpoint = true\n";
    fs::write(
        folder.path().join(".aws/config"),
        format!(
            "[profile own]\n{KEYS}{both}endpoint_url = {}\n[profile both]\n{KEYS}{both}\n\
             [profile role]\n{ROLE}source_profile = both\n{both}",
            server.url
        ),
    )
    .unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let both = [
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ];
    let variable = [("AWS_ENDPOINT_URL", server.url.as_str())];
    let flag = ["--endpoint-url", &server.url];
    let by_flag: &[&[&str]] = &[&[], &["--profile", "both"], &["--profile", "role"]];
    let mut runs: Vec<_> = by_flag
        .iter()
        .map(|more| ([&keys[..], &both].concat(), [&flag[..], more].concat()))
        .collect();
    runs.push(([&keys[..], &both, &variable].concat(), Vec::new()));
    runs.push((both.to_vec(), vec!["--profile", "own"]));
    for (variables, arguments) in runs {
        // The stub has one caller, whose account is not that of the role.
        let org: &[&str] = if arguments.contains(&"role") {
            &[]
        } else {
            &["--org"]
        };
        let fetch = ["fetch", "--max-report-age", "36500d", "--output", "out/"];
        let ended = run(folder.path(), &variables, &[&fetch[..], org, &arguments].concat());
        assert_eq!(ended.exit, 0, "{variables:?} {arguments:?}: {}", ended.err);
        server.answer_instead("GET /bucket/one.csv", 200, &super::report("000000000001"));
        let scan = ["scan", "s3://bucket/one.csv", "--format", "summary"];
        let ended = run(folder.path(), &variables, &[&scan[..], &arguments].concat());
        assert_eq!(ended.exit, 1, "{variables:?} {arguments:?}: {}", ended.err);
    }
}

#[test]
fn a_proxy_that_refuses_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for mut stream in listener.incoming().map_while(Result::ok) {
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("HTTPS_PROXY", url.as_str()),
    ];
    let ended = run(folder.path(), &variables, &["scan", "--timeout", "2s"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(
        ended
            .err
            .contains("the proxy (HTTPS_PROXY or ALL_PROXY) refused to connect"),
        "{}",
        ended.err
    );
}
