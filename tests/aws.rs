//! Live reports, against stubs of AWS and the moto server.

mod answers;
#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "archive")]
mod archive_errors;
mod chosen_accounts;
mod cli;
mod credential_chain;
mod details;
mod details_files;
mod details_flags;
mod ended_credentials;
mod endpoint_settings;
mod endpoints;
mod errors;
mod fetch_output;
mod inactive_accounts;
#[cfg(unix)]
mod interrupt;
mod invalid_settings;
mod list;
mod moto;
#[cfg(unix)]
mod moto_remedy;
mod moto_s3;
#[cfg(all(unix, feature = "archive"))]
mod nightly;
#[cfg(unix)]
mod remedy;
#[cfg(unix)]
mod remedy_server;
mod report_states;
mod response_limits;
mod retries;
mod roles;
mod s3;
#[cfg(feature = "archive")]
mod s3_archive;
#[cfg(feature = "archive")]
mod s3_archive_details;
mod s3_server;
#[cfg(feature = "archive")]
mod s3_store;
mod secrets;
mod server;
#[cfg(all(unix, feature = "archive"))]
mod signals;
mod stub;
mod tls_server;
mod unsendable_credentials;

/// A small report of this account: root, a user with an active key, and one without.
fn report(account: &str) -> String {
    let header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
        password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
        access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
        access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
        access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
        cert_2_active,cert_2_last_rotated";
    let arn = format!("arn:aws:iam::{account}");
    let rest = "false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
    format!(
        "{header}\n\
         <root_account>,{arn}:root,2019-01-01T00:00:00Z,true,N/A,N/A,not_supported,true,false,N/A,N/A,N/A,N/A,{rest}\n\
         alice,{arn}:user/alice,2019-01-01T00:00:00Z,false,N/A,N/A,N/A,false,\
         true,2020-01-01T00:00:00Z,N/A,N/A,N/A,{rest}\n\
         bob,{arn}:user/bob,2019-01-01T00:00:00Z,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,{rest}"
    )
}

/// The number of users with a key in a large report.
const OWNERS: usize = 700;

/// A report with so many keys that its findings fill any pipe.
fn large_report(account: &str) -> String {
    let small = report(account);
    let alice = small.lines().find(|line| line.starts_with("alice")).unwrap();
    let more = (1..OWNERS).map(|number| format!("\n{}", alice.replace("alice", &format!("alice{number}"))));
    format!("{small}{}", more.collect::<String>())
}

/// IAM's answer to `GetCredentialReport`.
fn got(csv: &str, generated: &str) -> String {
    use base64::Engine as _;
    let content = base64::engine::general_purpose::STANDARD.encode(csv);
    result(
        "GetCredentialReport",
        &format!(
            "<Content>{content}</Content><GeneratedTime>{generated}</GeneratedTime>\
             <ReportFormat>text/csv</ReportFormat>"
        ),
    )
}

/// IAM's answer to `GenerateCredentialReport`.
fn generated(state: &str) -> String {
    result("GenerateCredentialReport", &format!("<State>{state}</State>"))
}

fn result(action: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{content}\
         </{action}Result><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// An error of IAM or STS. The message is meaningless, since only the code counts.
fn error(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>Unknown</Message></Error><RequestId>x</RequestId></ErrorResponse>"
    )
}
