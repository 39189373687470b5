//! Answers of STS and IAM, for the stub on 127.0.0.1.

use super::server::CALLER;

/// The account of the role in a request to assume it.
pub(super) fn role_account(body: &str) -> String {
    let arn = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("RoleArn="))
        .unwrap_or("");
    arn.split("%3A").nth(4).unwrap_or("").to_owned()
}

pub(super) fn caller(partition: &str) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:{partition}:iam::{CALLER}:user/hub</Arn><UserId>A</UserId><Account>{CALLER}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

pub(super) fn assumed_by_token(account: &str) -> String {
    assumed(account).replace("AssumeRole", "AssumeRoleWithWebIdentity")
}

pub(super) fn assumed(account: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>MEMBERSECRET</SecretAccessKey>\
         <SessionToken>MEMBERTOKEN</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

pub(super) fn keys(account: &str) -> String {
    super::result(
        "ListAccessKeys",
        &format!(
            "<AccessKeyMetadata><member><UserName>alice</UserName><AccessKeyId>AKIA{account}</AccessKeyId>\
             <Status>Active</Status><CreateDate>2020-01-01T00:00:00Z</CreateDate></member></AccessKeyMetadata>\
             <IsTruncated>false</IsTruncated>"
        ),
    )
}

/// A service-specific credential: user, id, status, and when it expires.
pub(super) type Listed<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

/// A page of service-specific credentials for Bedrock, and the marker of the next one.
pub(super) fn service_credentials(listed: &[Listed<'_>], next: Option<&str>) -> String {
    let members = listed.iter().map(|(user, id, status, expires)| {
        let expires = expires.map_or_else(String::new, |time| {
            format!("<ExpirationDate>{time}</ExpirationDate>")
        });
        format!(
            "<member><UserName>{user}</UserName><Status>{status}</Status>\
             <ServiceUserName>{user}-at-000000000001</ServiceUserName><CreateDate>2025-01-01T00:00:00Z</CreateDate>\
             {expires}<ServiceSpecificCredentialId>{id}</ServiceSpecificCredentialId>\
             <ServiceName>bedrock.amazonaws.com</ServiceName></member>"
        )
    });
    let members: String = members.collect();
    super::result(
        "ListServiceSpecificCredentials",
        &format!(
            "<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>{}",
            truncated(next)
        ),
    )
}

/// A page of tags, and the marker of the next one.
pub(super) fn tags(tags: &[(&str, &str)], next: Option<&str>) -> String {
    let members = tags
        .iter()
        .map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    let members: String = members.collect();
    super::result(
        "ListUserTags",
        &format!("<Tags>{members}</Tags>{}", truncated(next)),
    )
}

fn truncated(next: Option<&str>) -> String {
    match next {
        Some(marker) => format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    }
}
