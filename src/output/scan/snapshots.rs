//! Each format of one hostile report.

use super::tests::options;
use crate::output::test_support::hostile;

#[test]
fn table_at_80_columns() {
    let text = hostile("table", options(80));
    insta::assert_snapshot!(text, @r#"
    4 users in hos\x1btile.csv, evaluated as of 2026-11-21T00:00:00Z (from the file
    name), 34 days ago

    severity  rule                                 failed  undetermined  passed
    critical  root-access-key-active                    1             0       0
    high      access-key-not-rotated (max_age=90)       1             1       1
    high      console-user-without-mfa                  1             1       0
    medium    two-active-access-keys                    1             0       2

    worst first; ages are counted to 2026-11-21 00:00 UTC

    <root_account>  account 123456789012, line 2
      critical  fail          root-access-key-active    access_key_1
        root has an active access key
        last rotated 2019-01-01 (2,881 days)

    =cmd|'/c calc'!A1  account 123456789012, line 3
      high      fail          access-key-not-rotated    access_key_1
        this key was created more than 90 days ago and is still active
        last rotated 2026-01-02 (322 days)
      high      fail          console-user-without-mfa  password
        this user can sign in with only a password

    \x1b[2J\u{202e}evil\u{9b}|`x`<script>  account 123456789012, line 4
      high      undetermined  access-key-not-rotated    access_key_1
        cannot be determined: access_key_1_last_rotated is 'soon\x07'
      medium    fail          two-active-access-keys
        both access keys of this user are active

    ta,b "東京"  account 123456789012, line 5
      high      undetermined  console-user-without-mfa  password
        cannot be determined: mfa_active is 'maybe'

    why it matters:   credlens rules show root-access-key-active
    how to fix each:  run this scan with --fix

    warning: hos\x1btile.csv, line 4, access_key_1_last_rotated 'soon\x07': not a
      valid time; what depends on this cell is undetermined [bad-cell]
    warning: hos\x1btile.csv, line 5, mfa_active 'maybe': neither true nor false;
      what depends on this cell is undetermined [bad-cell]

    4 failed (1 critical, 2 high, 1 medium), 2 undetermined, 3 passed
    "#);
}

#[test]
fn table_at_200_columns() {
    let text = hostile("table", options(200));
    insta::assert_snapshot!(text, @r#"
    4 users in hos\x1btile.csv, evaluated as of 2026-11-21T00:00:00Z (from the file name), 34 days ago

    severity  rule                                 failed  undetermined  passed
    critical  root-access-key-active                    1             0       0
    high      access-key-not-rotated (max_age=90)       1             1       1
    high      console-user-without-mfa                  1             1       0
    medium    two-active-access-keys                    1             0       2

    worst first; ages are counted to 2026-11-21 00:00 UTC

    <root_account>  account 123456789012, line 2
      critical  fail          root-access-key-active    access_key_1  root has an active access key; last rotated 2019-01-01 (2,881 days)

    =cmd|'/c calc'!A1  account 123456789012, line 3
      high      fail          access-key-not-rotated    access_key_1  this key was created more than 90 days ago and is still active; last rotated 2026-01-02 (322 days)
      high      fail          console-user-without-mfa  password      this user can sign in with only a password

    \x1b[2J\u{202e}evil\u{9b}|`x`<script>  account 123456789012, line 4
      high      undetermined  access-key-not-rotated    access_key_1  cannot be determined: access_key_1_last_rotated is 'soon\x07'
      medium    fail          two-active-access-keys                  both access keys of this user are active

    ta,b "東京"  account 123456789012, line 5
      high      undetermined  console-user-without-mfa  password      cannot be determined: mfa_active is 'maybe'

    why it matters:   credlens rules show root-access-key-active
    how to fix each:  run this scan with --fix

    warning: hos\x1btile.csv, line 4, access_key_1_last_rotated 'soon\x07': not a valid time; what depends on this cell is undetermined [bad-cell]
    warning: hos\x1btile.csv, line 5, mfa_active 'maybe': neither true nor false; what depends on this cell is undetermined [bad-cell]

    4 failed (1 critical, 2 high, 1 medium), 2 undetermined, 3 passed
    "#);
}

#[test]
fn summary_is_the_table_without_findings() {
    let table = hostile("table", options(80));
    let (head, _) = table.split_once("\nworst first").unwrap();
    let mut sections = table.rsplit("\n\n");
    let (last, diagnostics) = (sections.next().unwrap(), sections.next().unwrap());
    assert!(diagnostics.starts_with("warning: "), "{diagnostics}");
    assert_eq!(
        hostile("summary", options(80)),
        format!("{head}\n{diagnostics}\n\n{last}")
    );
}

#[test]
fn json() {
    let text = hostile("json", options(80));
    insta::assert_snapshot!(text, @r#"
    {"schema":"credlens.assessment/v1","findings":[
    {"schema":"credlens.finding/v1","id":"345cea3586b469a7dacf45be8c543aac","rule":"root-access-key-active","parameters":{},"title":"Active root access key","status":"fail","severity":"critical","account":"123456789012","account_name":null,"user":"<root_account>","arn":"arn:aws:iam::123456789012:root","credential":"access_key_1","access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":1},"message":"root has an active access key","evidence":{"access_key_1_active":"true","access_key_1_last_rotated":"2019-01-01T00:00:00+00:00"},"requirements":[],"related_requirements":[],"suppression":null},
    {"schema":"credlens.finding/v1","id":"b92a7efebfac9869cdc9db5ee1858b45","rule":"access-key-not-rotated","parameters":{"max_age":90},"title":"Active access key not rotated","status":"fail","severity":"high","account":"123456789012","account_name":null,"user":"=cmd|'/c calc'!A1","arn":"arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1","credential":"access_key_1","access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":2},"message":"this key was created more than 90 days ago and is still active","evidence":{"access_key_1_active":"true","access_key_1_last_rotated":"2026-01-02T03:04:05+00:00"},"requirements":[],"related_requirements":[],"suppression":null},
    {"schema":"credlens.finding/v1","id":"1ee365b654a1fbd26fa1a52446b289bb","rule":"console-user-without-mfa","parameters":{},"title":"Console user without MFA","status":"fail","severity":"high","account":"123456789012","account_name":null,"user":"=cmd|'/c calc'!A1","arn":"arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1","credential":"password","access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":2},"message":"this user can sign in with only a password","evidence":{"mfa_active":"false","password_enabled":"true"},"requirements":[],"related_requirements":[],"suppression":null},
    {"schema":"credlens.finding/v1","id":"2cdd37e8503856bd25281527f0e6ae8d","rule":"access-key-not-rotated","parameters":{"max_age":90},"title":"Active access key not rotated","status":"undetermined","severity":"high","account":"123456789012","account_name":null,"user":"\u001b[2J\u202eevil\u009b|`x`<script>","arn":"arn:aws:iam::123456789012:user/x","credential":"access_key_1","access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":3},"message":"cannot be determined: access_key_1_last_rotated is 'soon\u0007'","evidence":{"access_key_1_active":"true","access_key_1_last_rotated":"soon\u0007"},"requirements":[],"related_requirements":[],"suppression":null},
    {"schema":"credlens.finding/v1","id":"9370176b3e9ea3b00ad3d5da0678482d","rule":"two-active-access-keys","parameters":{},"title":"Two active access keys","status":"fail","severity":"medium","account":"123456789012","account_name":null,"user":"\u001b[2J\u202eevil\u009b|`x`<script>","arn":"arn:aws:iam::123456789012:user/x","credential":null,"access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":3},"message":"both access keys of this user are active","evidence":{"access_key_1_active":"true","access_key_2_active":"true"},"requirements":[],"related_requirements":[],"suppression":null},
    {"schema":"credlens.finding/v1","id":"06893312ad94c6e2cef777c29c11e250","rule":"console-user-without-mfa","parameters":{},"title":"Console user without MFA","status":"undetermined","severity":"high","account":"123456789012","account_name":null,"user":"ta,b \"東京\"","arn":"arn:aws:iam::123456789012:user/tokyo","credential":"password","access_key_id":null,"access_key_description":null,"owner":null,"as_of":"2026-11-21T00:00:00Z","source":{"path":"hos\u001btile.csv","row":4},"message":"cannot be determined: mfa_active is 'maybe'","evidence":{"mfa_active":"maybe","password_enabled":"true"},"requirements":[],"related_requirements":[],"suppression":null}
    ],
    "as_of":"2026-11-21T00:00:00Z","inputs":[{"path":"hos\u001btile.csv","account_name":null,"kind":"csv","users":4,"as_of":"2026-11-21T00:00:00Z","as_of_source":"file-name","generated":null,"sha256":null}],"filters":{},"evidence":{"version":"","rules_sha256":""},"rules":[{"id":"access-key-not-rotated","parameters":{"max_age":90},"severity":"high","tested":4,"relevant":3,"passed":1,"failed":1,"undetermined":1,"suppressed":0},{"id":"console-user-without-mfa","parameters":{},"severity":"high","tested":4,"relevant":2,"passed":0,"failed":1,"undetermined":1,"suppressed":0},{"id":"root-access-key-active","parameters":{},"severity":"critical","tested":4,"relevant":1,"passed":0,"failed":1,"undetermined":0,"suppressed":0},{"id":"two-active-access-keys","parameters":{},"severity":"medium","tested":4,"relevant":3,"passed":2,"failed":1,"undetermined":0,"suppressed":0}],"compliance":[],"diagnostics":[{"level":"warning","code":"bad-cell","path":"hos\u001btile.csv","row":3,"column":"access_key_1_last_rotated","value":"soon\u0007","message":"not a valid time; what depends on this cell is undetermined"},{"level":"warning","code":"bad-cell","path":"hos\u001btile.csv","row":4,"column":"mfa_active","value":"maybe","message":"neither true nor false; what depends on this cell is undetermined"}]}
    "#);
}

#[test]
fn csv() {
    let text = hostile("csv", options(80));
    insta::assert_snapshot!(text, @r#"
    id,rule,parameters,title,status,severity,account,account_name,user,arn,credential,access_key_id,as_of,source_path,source_row,message,evidence,requirements,related_requirements,suppression_reason,suppression_expires,suppression_ticket,due_at,user_path,created,age_days,last_used,idle_days,owner,access_key_description,service_credential_id
    345cea3586b469a7dacf45be8c543aac,root-access-key-active,,Active root access key,fail,critical,123456789012,,<root_account>,arn:aws:iam::123456789012:root,access_key_1,,2026-11-21T00:00:00Z,hos\x1btile.csv,1,root has an active access key,access_key_1_active=true; access_key_1_last_rotated=2019-01-01T00:00:00+00:00,,,,,,,,2019-01-01T00:00:00Z,2881,,,,,
    b92a7efebfac9869cdc9db5ee1858b45,access-key-not-rotated,max_age=90,Active access key not rotated,fail,high,123456789012,,'=cmd|'/c calc'!A1,arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1,access_key_1,,2026-11-21T00:00:00Z,hos\x1btile.csv,2,this key was created more than 90 days ago and is still active,access_key_1_active=true; access_key_1_last_rotated=2026-01-02T03:04:05+00:00,,,,,,,/=cmd|'/,2026-01-02T03:04:05Z,322,2026-11-20T00:00:00Z,1,,,
    1ee365b654a1fbd26fa1a52446b289bb,console-user-without-mfa,,Console user without MFA,fail,high,123456789012,,'=cmd|'/c calc'!A1,arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1,password,,2026-11-21T00:00:00Z,hos\x1btile.csv,2,this user can sign in with only a password,mfa_active=false; password_enabled=true,,,,,,,/=cmd|'/,2026-10-01T00:00:00Z,51,,,,,
    2cdd37e8503856bd25281527f0e6ae8d,access-key-not-rotated,max_age=90,Active access key not rotated,undetermined,high,123456789012,,\x1b[2J\u{202e}evil\u{9b}|`x`<script>,arn:aws:iam::123456789012:user/x,access_key_1,,2026-11-21T00:00:00Z,hos\x1btile.csv,3,cannot be determined: access_key_1_last_rotated is 'soon\x07',access_key_1_active=true; access_key_1_last_rotated=soon\x07,,,,,,,/,,,,,,,
    9370176b3e9ea3b00ad3d5da0678482d,two-active-access-keys,,Two active access keys,fail,medium,123456789012,,\x1b[2J\u{202e}evil\u{9b}|`x`<script>,arn:aws:iam::123456789012:user/x,,,2026-11-21T00:00:00Z,hos\x1btile.csv,3,both access keys of this user are active,access_key_1_active=true; access_key_2_active=true,,,,,,,/,,,,,,,
    06893312ad94c6e2cef777c29c11e250,console-user-without-mfa,,Console user without MFA,undetermined,high,123456789012,,"ta,b ""東京""",arn:aws:iam::123456789012:user/tokyo,password,,2026-11-21T00:00:00Z,hos\x1btile.csv,4,cannot be determined: mfa_active is 'maybe',mfa_active=maybe; password_enabled=true,,,,,,,/,2026-10-01T00:00:00Z,51,2026-11-20T00:00:00Z,1,,,
    "#);
}

#[test]
fn markdown() {
    let text = hostile("markdown", options(80));
    insta::assert_snapshot!(text, @r#"
    # IAM credential report: 4 failed (1 critical, 2 high, 1 medium), 2 undetermined, 3 passed

    - `hos\x1btile.csv`: 4 users, evaluated as of 2026-11-21T00:00:00Z (from the file name), 34 days ago

    | Severity | Rule | Failed | Undetermined | Suppressed | Passed |
    |---|---|--:|--:|--:|--:|
    | critical | `root-access-key-active` | 1 | 0 | 0 | 0 |
    | high | `access-key-not-rotated (max_age=90)` | 1 | 1 | 0 | 1 |
    | high | `console-user-without-mfa` | 1 | 1 | 0 | 0 |
    | medium | `two-active-access-keys` | 1 | 0 | 0 | 2 |

    Worst first; ages are counted to 2026-11-21 00:00 UTC.

    ## critical

    | User | Account | Status | Rule | Credential | What |
    |---|---|---|---|---|---|
    | `<root_account>` | `123456789012` | fail | `root-access-key-active` | `access_key_1` | root has an active access key; last rotated 2019-01-01 (2,881 days) |

    ## high

    | User | Account | Status | Rule | Credential | What |
    |---|---|---|---|---|---|
    | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | fail | `access-key-not-rotated` | `access_key_1` | this key was created more than 90 days ago and is still active; last rotated 2026-01-02 (322 days) |
    | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | fail | `console-user-without-mfa` | `password` | this user can sign in with only a password |
    | &#92;x1b&#91;2J&#92;u{202e}evil&#92;u{9b}&#124;&#96;x&#96;&#60;script&#62; | `123456789012` | undetermined | `access-key-not-rotated` | `access_key_1` | cannot be determined: access\_key\_1\_last\_rotated is 'soon&#92;x07' |
    | `ta,b "東京"` | `123456789012` | undetermined | `console-user-without-mfa` | `password` | cannot be determined: mfa\_active is 'maybe' |

    ## medium

    | User | Account | Status | Rule | Credential | What |
    |---|---|---|---|---|---|
    | &#92;x1b&#91;2J&#92;u{202e}evil&#92;u{9b}&#124;&#96;x&#96;&#60;script&#62; | `123456789012` | fail | `two-active-access-keys` |  | both access keys of this user are active |

    ## Diagnostics

    - warning: hos&#92;x1btile.csv, line 4, access\_key\_1\_last\_rotated 'soon&#92;x07': not a valid time; what depends on this cell is undetermined &#91;bad-cell&#93;
    - warning: hos&#92;x1btile.csv, line 5, mfa\_active 'maybe': neither true nor false; what depends on this cell is undetermined &#91;bad-cell&#93;
    "#);
}
