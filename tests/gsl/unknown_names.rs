//! The messages for entities and attributes that a report does not have, and for misspelt names.

use insta::assert_snapshot;

use super::errors;

#[test]
fn entities_and_attributes_that_a_report_lacks() {
    assert_snapshot!(errors("IamUser where name like '%root_account%' should have mfaType in('Virtual','Hardware')"), @"
    error: `mfaType` is not in a credential report
     --> rule.toml:1:54
      |
    1 | IamUser where name like '%root_account%' should have mfaType in('Virtual','Hardware')
      |                                                      ^^^^^^^ needs data that a credential report lacks
      |
      = help: the closest attribute is `mfaActive`
    ");
    assert_snapshot!(errors("IamUser where name like '%root_account%' should have mfaType in('Hardware')"), @"
    error: `mfaType` is not in a credential report
     --> rule.toml:1:54
      |
    1 | IamUser where name like '%root_account%' should have mfaType in('Hardware')
      |                                                      ^^^^^^^ needs data that a credential report lacks
      |
      = help: the closest attribute is `mfaActive`
    ");
    assert_snapshot!(errors("IamUser where not (name regexMatch /^<root_account>$/i ) should have managedPolicies isEmpty() and inlinePolicies isEmpty()"), @r#"
    error: `managedPolicies` is not in a credential report
     --> rule.toml:1:70
      |
    1 | ...i ) should have managedPolicies isEmpty() and inlinePolicies isEmpty()
      |                    ^^^^^^^^^^^^^^^ needs data that a credential report lacks

    error: `inlinePolicies` is not in a credential report
     --> rule.toml:1:100
      |
    1 | ...es isEmpty() and inlinePolicies isEmpty()
      |                     ^^^^^^^^^^^^^^ needs data that a credential report lacks
    "#);
    assert_snapshot!(errors("IamUser where combinedPolicies contain [ name regexMatch /admin|fullaccess/i ] or combinedPolicies contain [ policyDocument.Statement contain[  (Effect='Allow') and  (Action='*' and Resource='*') ]] should not have mfaActive=false"), @r#"
    error: `combinedPolicies` is not in a credential report
     --> rule.toml:1:15
      |
    1 | IamUser where combinedPolicies contain [ name regexMatch /admin|fullaccess/i ] or combinedPol...
      |               ^^^^^^^^^^^^^^^^ needs data that a credential report lacks

    error: `combinedPolicies` is not in a credential report
     --> rule.toml:1:83
      |
    1 | ...llaccess/i ] or combinedPolicies contain [ policyDocument.Statement contain[  (Effect='All...
      |                    ^^^^^^^^^^^^^^^^ needs data that a credential report lacks
    "#);
    assert_snapshot!(errors("Iam should have passwordPolicy.maxPasswordAge>0 and passwordPolicy.maxPasswordAge<91"), @"
    error: `Iam` is not an entity of a credential report
     --> rule.toml:1:1
      |
    1 | Iam should have passwordPolicy.maxPasswordAge>0 and passwordPolicy.maxPasswordAge<91
      | ^^^ unknown entity
      |
      = help: `Iam` is the account with its password policy, which a credential report does not have
              the entities are IamUser, IamAccessKey, IamSigningCertificate and IamServiceCredential
    ");
    assert_snapshot!(errors("S3Bucket should have acl"), @"
    error: `S3Bucket` is not an entity of a credential report
     --> rule.toml:1:1
      |
    1 | S3Bucket should have acl
      | ^^^^^^^^ unknown entity
      |
      = help: the entities are IamUser, IamAccessKey, IamSigningCertificate and IamServiceCredential
    ");
    assert_snapshot!(errors("List<IamUser> should have items with [ mfaActive ]"), @"
    error: `List<…>` needs data that a credential report lacks
     --> rule.toml:1:1
      |
    1 | List<IamUser> should have items with [ mfaActive ]
      | ^^^^ a collection
      |
      = help: write the rule for one entity at a time: `IamUser should …`
    ");
    assert_snapshot!(errors("IamUser should have name contain-any [$ in ('a')] length() > 3 and $='*'"), @r#"
    error: `contain-any` needs data that a credential report lacks
     --> rule.toml:1:26
      |
    1 | IamUser should have name contain-any [$ in ('a')] length() > 3 and $='*'
      |                          ^^^^^^^^^^^ a command on arrays
      |
      = help: write `name = '…'`, `name in('…', '…')`, `name like '…%'`,
              `name regexMatch /…/` or `name isEmpty()`

    error: `$` needs data that a credential report lacks
     --> rule.toml:1:68
      |
    1 | IamUser should have name contain-any [$ in ('a')] length() > 3 and $='*'
      |                                                                    ^ an element of an array
    "#);
    assert_snapshot!(errors("IamAccessKey should have user.virtualMfaEnabled"), @"
    error: `user.virtualMfaEnabled` is not in a credential report
     --> rule.toml:1:26
      |
    1 | IamAccessKey should have user.virtualMfaEnabled
      |                          ^^^^^^^^^^^^^^^^^^^^^^ needs data that a credential report lacks
      |
      = help: the closest attribute is `user.mfaActive`
    ");
}

#[test]
fn misspelt_entities_and_attributes() {
    assert_snapshot!(errors("IamUsers should have mfaActive"), @"
    error: `IamUsers` is not an entity of a credential report
     --> rule.toml:1:1
      |
    1 | IamUsers should have mfaActive
      | ^^^^^^^^ unknown entity
      |
      = help: did you mean `IamUser`?
    ");
    assert_snapshot!(errors("IamUser where mfaActiv should have isActive and password_enabled and user.name = 'a'"), @"
    error: IamUser has no attribute `mfaActiv`
     --> rule.toml:1:15
      |
    1 | IamUser where mfaActiv should have isActive and password_enabled and user.name = 'a'
      |               ^^^^^^^^ unknown attribute
      |
      = help: did you mean `mfaActive`?

    error: IamUser has no attribute `isActive`
     --> rule.toml:1:36
      |
    1 | IamUser where mfaActiv should have isActive and password_enabled and user.name = 'a'
      |                                    ^^^^^^^^ unknown attribute
      |
      = help: did you mean `firstAccessKey.isActive`? Or write the rule for IamAccessKey, which has `isActive`

    error: IamUser has no attribute `password_enabled`
     --> rule.toml:1:49
      |
    1 | IamUser where mfaActiv should have isActive and password_enabled and user.name = 'a'
      |                                                 ^^^^^^^^^^^^^^^^ unknown attribute
      |
      = help: did you mean `passwordEnabled`?

    error: IamUser has no attribute `user.name`
     --> rule.toml:1:70
      |
    1 | IamUser where mfaActiv should have isActive and password_enabled and user.name = 'a'
      |                                                                      ^^^^^^^^^ unknown attribute
      |
      = help: did you mean `name`?
    ");
    assert_snapshot!(errors("IamAccessKey should have mfaActive and firstAccessKey.isActive and user.isActiv"), @"
    error: IamAccessKey has no attribute `mfaActive`
     --> rule.toml:1:26
      |
    1 | IamAccessKey should have mfaActive and firstAccessKey.isActive and user.isActiv
      |                          ^^^^^^^^^ unknown attribute
      |
      = help: did you mean `user.mfaActive`?

    error: IamAccessKey has no attribute `firstAccessKey.isActive`
     --> rule.toml:1:40
      |
    1 | IamAccessKey should have mfaActive and firstAccessKey.isActive and user.isActiv
      |                                        ^^^^^^^^^^^^^^^^^^^^^^^ unknown attribute
      |
      = help: did you mean `isActive`?

    error: IamAccessKey has no attribute `user.isActiv`
     --> rule.toml:1:68
      |
    1 | IamAccessKey should have mfaActive and firstAccessKey.isActive and user.isActiv
      |                                                                    ^^^^^^^^^^^^ unknown attribute
      |
      = help: IamAccessKey has isActive, lastRotated, lastUsedDate, lastUsedRegion, lastUsedService, and every attribute of IamUser as `user.…`
    ");
    assert_snapshot!(errors("IamUser should have foo"), @r#"
    error: IamUser has no attribute `foo`
     --> rule.toml:1:21
      |
    1 | IamUser should have foo
      |                     ^^^ unknown attribute
      |
      = help: IamUser has name, arn, partition, path, createDate, passwordEnabled, passwordLastUsed,
              passwordLastChanged, passwordNextRotation, mfaActive, firstAccessKey.isActive,
              firstAccessKey.lastRotated, firstAccessKey.lastUsedDate, firstAccessKey.lastUsedRegion,
              firstAccessKey.lastUsedService, secondAccessKey.isActive, secondAccessKey.lastRotated,
              secondAccessKey.lastUsedDate, secondAccessKey.lastUsedRegion,
              secondAccessKey.lastUsedService, firstCertificate.isActive, firstCertificate.lastRotated,
              secondCertificate.isActive, secondCertificate.lastRotated, additionalCredentialsInfo
    "#);
    assert_snapshot!(errors("IamSigningCertificate should have lastUsedDate isEmpty()"), @"
    error: IamSigningCertificate has no attribute `lastUsedDate`
     --> rule.toml:1:35
      |
    1 | IamSigningCertificate should have lastUsedDate isEmpty()
      |                                   ^^^^^^^^^^^^ unknown attribute
      |
      = help: IamSigningCertificate has isActive, lastRotated, and every attribute of IamUser as `user.…`
    ");
}

#[test]
fn misspelt_parameters_and_units() {
    assert_snapshot!(errors("IamUser should have createDate before(-{max_ag}, 'days') or createDate before({other}, 'days')"), @r#"
    error: unknown parameter `max_ag`
     --> rule.toml:1:39
      |
    1 | IamUser should have createDate before(-{max_ag}, 'days') or createDate before({other}, 'days')
      |                                       ^^^^^^^^^ unknown
      |
      = help: did you mean `{max_age}`? The rule has: grace, least, max_age

    error: unknown parameter `other`
     --> rule.toml:1:79
      |
    1 | IamUser should have createDate before(-{max_ag}, 'days') or createDate before({other}, 'days')
      |                                                                               ^^^^^^^ unknown
      |
      = help: the rule has: grace, least, max_age
    "#);
    assert_snapshot!(errors("IamUser should have createDate before(1, 'day') or createDate before(1, 'Days') or createDate after({max_age}, 'fortnights')"), @r#"
    error: unknown unit `day`
     --> rule.toml:1:42
      |
    1 | IamUser should have createDate before(1, 'day') or createDate before(1, 'Days') or createDate...
      |                                          ^^^^^ unknown unit
      |
      = help: did you mean 'days'?

    error: unknown unit `Days`
     --> rule.toml:1:73
      |
    1 | ...(1, 'day') or createDate before(1, 'Days') or createDate after({max_age}, 'fortnights')
      |                                       ^^^^^^ unknown unit
      |
      = help: did you mean 'days'?

    error: unknown unit `fortnights`
     --> rule.toml:1:112
      |
    1 | ... or createDate after({max_age}, 'fortnights')
      |                                    ^^^^^^^^^^^^ unknown unit
      |
      = help: the units are seconds, minutes, hours, days, weeks, months, years
    "#);
}
