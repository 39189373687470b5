//! A stub of S3 on 127.0.0.1: one bucket that follows a script.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use aws_config::BehaviorVersion;
use aws_sdk_iam::config::Credentials;
use credlens::aws::{ConnectSettings, S3};

/// An answer: status, headers, body, and how much of the body is sent.
#[derive(Clone)]
pub(super) struct Answer(
    pub(super) u16,
    pub(super) &'static str,
    pub(super) String,
    pub(super) usize,
);

pub(super) fn answer(status: u16, body: &str) -> Answer {
    Answer(status, "", body.to_owned(), usize::MAX)
}

pub(super) fn fails(status: u16, code: &str) -> Answer {
    answer(
        status,
        &format!("<Error><Code>{code}</Code><Message>Unknown</Message></Error>"),
    )
}

pub(super) fn listed(keys: &[&str], next: Option<&str>) -> Answer {
    let contents: Vec<_> = keys
        .iter()
        .map(|key| format!("<Contents><Key>{key}</Key><Size>7</Size></Contents>"))
        .collect();
    let contents = contents.concat();
    let next = next.map_or(String::new(), |next| {
        format!("<NextContinuationToken>{next}</NextContinuationToken>")
    });
    let is_truncated = !next.is_empty();
    answer(
        200,
        &format!(
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{is_truncated}</IsTruncated>{next}\
             {contents}</ListBucketResult>"
        ),
    )
}

/// Answers to requests that contain a text in their line or headers: each once, the last one repeatedly.
pub(super) type Script = Vec<(&'static str, VecDeque<Answer>)>;

pub(super) struct Bucket {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    pub(super) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bucket = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
        };
        let (requests, script) = (Arc::clone(&bucket.requests), Arc::new(Mutex::new(script)));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (requests, script) = (Arc::clone(&requests), Arc::clone(&script));
                std::thread::spawn(move || serve(&stream, &requests, &script));
            }
        });
        bucket
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).collect()
    }

    pub(super) fn credlens(&self, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
        self.credlens_in(folder, "us-east-1", arguments)
    }

    pub(super) fn credlens_in(
        &self,
        folder: &Path,
        region: &str,
        arguments: &[&str],
    ) -> (i32, String, String) {
        let output = Command::cargo_bin("credlens")
            .unwrap()
            .current_dir(folder)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE")
            .env("HOME", folder)
            .args(arguments)
            .args(["--region", region, "--endpoint-url", &self.url])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(
            !err.contains("SECRETEXAMPLE") && !out.contains("SECRETEXAMPLE"),
            "{err}"
        );
        (output.status.code().unwrap(), out, err)
    }

    pub(super) fn client(&self) -> S3 {
        let settings = ConnectSettings {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(self.url.clone()),
            ..ConnectSettings::default()
        };
        let credentials = Credentials::new("AKIDEXAMPLE", "SECRETEXAMPLE", None, None, "test");
        let plain = aws_smithy_http_client::Builder::new().build_http();
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(plain);
        S3::connect_with(&settings, loader.credentials_provider(credentials)).unwrap()
    }
}

fn serve(mut stream: &TcpStream, requests: &Mutex<Vec<String>>, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            head.push_str(&line);
            line.clear();
        }
        if head.is_empty() {
            return;
        }
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let mut body = vec![0; length.unwrap_or(0)];
        std::io::Read::read_exact(&mut reader, &mut body).unwrap();
        requests.lock().unwrap().push(head.clone());
        let mut script = script.lock().unwrap();
        let found = script.iter_mut().find(|(part, _)| head.contains(part));
        let Answer(status, headers, body, sent) = match found {
            Some((_, answers)) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some((_, answers)) => answers[0].clone(),
            None => fails(404, "NoSuchKey"),
        };
        drop(script);
        let head = format!(
            "HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let cut = &body.as_bytes()[..sent.min(body.len())];
        if stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(cut))
            .is_err()
            || cut.len() < body.len()
        {
            return;
        }
    }
}

pub(super) fn script(answers: &[(&'static str, &[Answer])]) -> Script {
    answers
        .iter()
        .map(|(part, answers)| (*part, answers.iter().cloned().collect()))
        .collect()
}
