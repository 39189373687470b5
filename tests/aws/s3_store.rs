//! A stub of S3 on 127.0.0.1 that keeps what is put into it: one bucket, `audit`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running stub; it ends with the test.
#[derive(Clone)]
pub(super) struct S3Store {
    pub(super) url: String,
    pub(super) objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Parts of requests, such as `PUT /audit/`, and the code of their error.
    refused: Arc<Mutex<Vec<(String, String)>>>,
    /// How long a request takes.
    delay: Duration,
}

impl S3Store {
    pub(super) fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let store = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            objects: Arc::default(),
            requests: Arc::default(),
            refused: Arc::default(),
            delay,
        };
        let shared = store.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || while shared.serve(&stream).is_some() {});
            }
        });
        store
    }

    /// Answers requests that contain this part with an error from now on.
    pub(super) fn refuse(&self, part: &str, code: &str) {
        let refused = (part.to_owned(), code.to_owned());
        self.refused.lock().unwrap().push(refused);
    }

    /// The requests since the last call of this, without their query.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).collect()
    }

    fn serve(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).ok()? > 2 {
            head.push_str(&line);
            line.clear();
        }
        let request = head.lines().next()?.replace("%3D", "=").replace("%2F", "/");
        let request = request.strip_suffix(" HTTP/1.1")?;
        let lower = head.to_ascii_lowercase();
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        std::thread::sleep(self.delay);
        let (plain, query) = request.split_once('?').unwrap_or((request, ""));
        self.requests.lock().unwrap().push(plain.to_owned());
        let (status, answer) = self.answer(request, plain, query, body);
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&answer).ok()
    }

    fn answer(&self, request: &str, plain: &str, query: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let error = |status, code: &str| {
            let text = format!("<Error><Code>{code}</Code><Message>Unknown</Message></Error>");
            (status, text.into_bytes())
        };
        let refused = self.refused.lock().unwrap().clone();
        if let Some((_, code)) = refused.iter().find(|(part, _)| request.contains(part)) {
            let status = if code == "AccessDenied" { 403 } else { 400 };
            return error(status, code);
        }
        let mut objects = self.objects.lock().unwrap();
        if query.contains("list-type=2") {
            let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
            let keys = objects
                .iter()
                .filter(|(key, _)| key.starts_with(prefix.unwrap_or("")));
            let contents = keys.map(|(key, bytes)| {
                format!(
                    "<Contents><Key>{key}</Key><Size>{}</Size></Contents>",
                    bytes.len()
                )
            });
            let contents = contents.collect::<String>();
            let list =
                format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
            return (200, list.into_bytes());
        }
        let key = |method: &str| plain.strip_prefix(method)?.strip_prefix(" /audit/");
        if let Some(key) = key("PUT") {
            if objects.contains_key(key) {
                return error(412, "PreconditionFailed");
            }
            objects.insert(key.to_owned(), body);
            return (200, Vec::new());
        }
        match key("GET").and_then(|key| objects.get(key)) {
            Some(bytes) => (200, bytes.clone()),
            None => error(404, "NoSuchKey"),
        }
    }
}
