//! The program against the moto server, which proves the wire: signatures, roles, pages, partitions. Its
//! reports are always of 2015 and have no root, so ages are counted to `--as-of`. Run by `tests/moto/run`.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_iam::types::{StatusType, Tag};
use credlens::report::details::Details;

const ROLE: &str = "OrganizationAccountAccessRole";
const HUB: &str = "123456789012";

/// A moto server that ends with its test.
pub(super) struct Moto {
    child: Child,
    url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Moto {
    pub(super) fn start() -> Self {
        let program = std::env::var_os("CREDLENS_MOTO").expect("CREDLENS_MOTO; use tests/moto/run");
        Self::start_by(|port| {
            let mut command = std::process::Command::new(program);
            command.args(["-H", "127.0.0.1", "-p", port]);
            command
        })
    }

    /// With users that have a past: see `tests/moto/seeded.py`.
    #[cfg(unix)]
    pub(super) fn seeded(seed: &Path) -> Self {
        let program = std::env::var_os("CREDLENS_MOTO").expect("CREDLENS_MOTO; use tests/moto/run");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/seeded.py");
        Self::start_by(|port| {
            let mut command = std::process::Command::new(Path::new(&program).with_file_name("python"));
            command.arg(script).arg(port).arg(seed);
            command
        })
    }

    fn start_by(command: impl FnOnce(&str) -> std::process::Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = command(&port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        moto
    }

    fn config(&self, region: &str, credentials: Credentials) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    pub(super) fn hub(&self, region: &str) -> SdkConfig {
        self.config(region, Credentials::new("testing", "testing", None, None, "test"))
    }

    /// Credentials of another account.
    async fn member(&self, account: &str) -> SdkConfig {
        let sts = aws_sdk_sts::Client::new(&self.hub("us-east-1"));
        let role = format!("arn:aws:iam::{account}:role/{ROLE}");
        let assumed = sts
            .assume_role()
            .role_arn(role)
            .role_session_name("seed")
            .send()
            .await
            .unwrap();
        let assumed = assumed.credentials.unwrap();
        let token = Some(assumed.session_token);
        let credentials = Credentials::new(
            assumed.access_key_id,
            assumed.secret_access_key,
            token,
            None,
            "test",
        );
        self.config("us-east-1", credentials)
    }

    pub(super) fn credlens(&self, folder: &Path, region: &str, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(folder, region, arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    pub(super) fn command(&self, folder: &Path, region: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_credlens"));
        command
            .current_dir(folder)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", region)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("HOME", folder)
            .args(arguments);
        command
    }
}

/// Runs a future that prepares the server.
pub(super) fn seed<T>(seeding: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(seeding)
}

/// Creates a user with a key, and returns the key's id.
async fn user_with_key(config: &SdkConfig, user: &str) -> String {
    let iam = aws_sdk_iam::Client::new(config);
    iam.create_user().user_name(user).send().await.unwrap();
    let key = iam.create_access_key().user_name(user).send().await.unwrap();
    key.access_key.unwrap().access_key_id
}

pub(super) fn findings(ndjson: &str) -> Vec<serde_json::Value> {
    ndjson
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const SCAN: [&str; 7] = [
    "scan",
    "--as-of",
    "2030-01-01",
    "--format",
    "ndjson",
    "--rule",
    "access-key-not-rotated",
];

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn an_account_in_each_partition() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    for (region, partition) in [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ] {
        let user = format!("alice-{region}");
        let key = seed(user_with_key(&moto.hub(region), &user));
        let (exit, out, err) =
            moto.credlens(folder.path(), region, &[&SCAN[..], &["--resolve-keys"]].concat());
        assert_eq!(exit, 1, "{err}");
        let findings = findings(&out);
        let found = findings.iter().find(|finding| finding["user"] == user).unwrap();
        assert_eq!(found["arn"], format!("arn:{partition}:iam::{HUB}:user/{user}"));
        assert_eq!(
            (&found["account"], &found["access_key_id"]),
            (&HUB.into(), &key.into())
        );
        assert!(out.contains(&format!(r#""path":"aws://{HUB}""#)));
    }
}

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn keys_are_resolved() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    // If both keys of bob were created in one second, their status distinguishes them.
    let (alice, bob) = seed(async {
        let hub = moto.hub("us-east-1");
        let alice = user_with_key(&hub, "alice").await;
        let off = user_with_key(&hub, "bob").await;
        let iam = aws_sdk_iam::Client::new(&hub);
        let on = iam.create_access_key().user_name("bob").send().await.unwrap();
        let switch = iam
            .update_access_key()
            .user_name("bob")
            .access_key_id(&off)
            .status(StatusType::Inactive);
        switch.send().await.unwrap();
        (alice, on.access_key.unwrap().access_key_id)
    });
    let (exit, out, err) = moto.credlens(
        folder.path(),
        "us-east-1",
        &[&SCAN[..], &["--resolve-keys"]].concat(),
    );
    assert_eq!(exit, 1, "{err}");
    let findings = findings(&out);
    let ids: Vec<_> = findings
        .iter()
        .map(|finding| finding["access_key_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [alice, bob]);
}

/// This moto has no `ListServiceSpecificCredentials`: a server without a call is one more reason for a warning.
#[test]
#[ignore = "needs moto: tests/moto/run"]
fn details_are_saved() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let key = seed(async {
        let hub = moto.hub("us-east-1");
        let key = user_with_key(&hub, "alice").await;
        let tag = Tag::builder().key("Owner").value("data team").build().unwrap();
        let iam = aws_sdk_iam::Client::new(&hub);
        iam.tag_user().user_name("alice").tags(tag).send().await.unwrap();
        iam.create_user().user_name("bob").send().await.unwrap();
        key
    });
    let fetch = [
        "fetch",
        "--max-report-age",
        "36500d",
        "--details",
        "--output",
        "r.csv",
    ];
    let (exit, _, err) = moto.credlens(folder.path(), "us-east-1", &fetch);
    assert_eq!(exit, 0, "{err}");
    let unknown = "the service-specific credentials of this account are unknown: AWS failed to answer";
    assert_eq!(err.matches(unknown).count(), 1, "{err}");
    let details = std::fs::read(folder.path().join("r.details.json")).unwrap();
    let details = Details::parse(&details).unwrap();
    assert!(!details.service_credentials_listed);
    let (alice, bob) = (&details.users["alice"], &details.users["bob"]);
    assert_eq!(alice.access_key_ids, [Some(key), None]);
    assert_eq!(alice.tag("owner"), Some("data team"));
    assert_eq!(bob.tags, Some([].into()));
}

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn an_organization_of_several_pages() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let mut members = seed(async {
        let hub = moto.hub("us-east-1");
        let organizations = aws_sdk_organizations::Client::new(&hub);
        organizations.create_organization().send().await.unwrap();
        let mut members = Vec::new();
        for number in 0..45 {
            let (name, email) = (format!("account {number}"), format!("{number}@example.org"));
            let made = organizations
                .create_account()
                .account_name(name)
                .email(email)
                .send()
                .await
                .unwrap();
            members.push(made.create_account_status.unwrap().account_id.unwrap());
        }
        user_with_key(&hub, "in-hub").await;
        for member in &members[..3] {
            user_with_key(&moto.member(member).await, "in-member").await;
        }
        // moto's reports lack root, and a report without users is an error.
        for member in &members[3..] {
            let client = aws_sdk_iam::Client::new(&moto.member(member).await);
            client.create_user().user_name("plain").send().await.unwrap();
        }
        members
    });
    let (exit, out, err) = moto.credlens(folder.path(), "us-east-1", &[&SCAN[..], &["--org"]].concat());
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("46 accounts: 46 fetched, 0 failed"), "{err}");
    let live = findings(&out);
    let accounts: Vec<_> = live
        .iter()
        .map(|finding| finding["account"].as_str().unwrap().to_owned())
        .collect();
    let mut expected = members.drain(..3).chain([HUB.to_owned()]).collect::<Vec<_>>();
    expected.sort();
    assert_eq!(accounts, expected);
    assert!(live.iter().all(|finding| finding["account_name"].is_string()));
    // Saved reports have the same findings.
    let (exit, _, err) = moto.credlens(
        folder.path(),
        "us-east-1",
        &["fetch", "--org", "--output", "reports/"],
    );
    assert_eq!(exit, 0, "{err}");
    let (_, out, _) = moto.credlens(folder.path(), "us-east-1", &[&SCAN[..], &["reports/"]].concat());
    let ids = |findings: &[serde_json::Value]| {
        let mut ids: Vec<_> = findings.iter().map(|finding| finding["id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&findings(&out)), ids(&live));
}
