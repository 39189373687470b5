//! The messages for tests that do not apply to a type.

use insta::assert_snapshot;

use super::errors;

#[test]
fn a_time_is_not_a_number() {
    assert_snapshot!(errors("IamUser should have passwordNextRotation<=30"), @"
    error: `passwordNextRotation` is a time and cannot be compared with a number
     --> rule.toml:1:43
      |
    1 | IamUser should have passwordNextRotation<=30
      |                                           ^^ a number
      |
      = help: CloudGuard compares seconds since 1970: no time is <= 30; an absent time always is
              write `passwordNextRotation before(30, 'days')`
    ");
    assert_snapshot!(errors("IamUser should have passwordNextRotation <= 45"), @"
    error: `passwordNextRotation` is a time and cannot be compared with a number
     --> rule.toml:1:45
      |
    1 | IamUser should have passwordNextRotation <= 45
      |                                             ^^ a number
      |
      = help: CloudGuard compares seconds since 1970: no time is <= 45; an absent time always is
              write `passwordNextRotation before(45, 'days')`
    ");
    assert_snapshot!(errors("IamUser should not have firstAccessKey.lastRotated > 90"), @"
    error: `firstAccessKey.lastRotated` is a time and cannot be compared with a number
     --> rule.toml:1:54
      |
    1 | IamUser should not have firstAccessKey.lastRotated > 90
      |                                                      ^^ a number
      |
      = help: CloudGuard compares seconds since 1970: any time is > 90; an absent time never is
              write `firstAccessKey.lastRotated before(-90, 'days')`
    ");
    assert_snapshot!(errors("IamUser should have createDate > 1500000000 or createDate = 0"), @r#"
    error: `createDate` is a time and cannot be compared with a number
     --> rule.toml:1:34
      |
    1 | IamUser should have createDate > 1500000000 or createDate = 0
      |                                  ^^^^^^^^^^ a number
      |
      = help: write `createDate before(-90, 'days')`, `createDate after(-90, 'days')`,
              `createDate isEmpty()` or `createDate dateDifference(…, 'days') < 90`

    error: `createDate` is a time and cannot be compared with a number
     --> rule.toml:1:61
      |
    1 | IamUser should have createDate > 1500000000 or createDate = 0
      |                                                             ^ a number
      |
      = help: write `createDate before(-90, 'days')`, `createDate after(-90, 'days')`,
              `createDate isEmpty()` or `createDate dateDifference(…, 'days') < 90`
    "#);
}

#[test]
fn flags() {
    assert_snapshot!(errors("IamUser should have mfaActive = 'True' or mfaActive = 1 or mfaActive < true or mfaActive isEmpty() or mfaActive = null or mfaActive in('true')"), @"
    error: `mfaActive` is a flag and cannot be compared with this text
     --> rule.toml:1:33
      |
    1 | IamUser should have mfaActive = 'True' or mfaActive = 1 or mfaActive < true or mfaActive isEm...
      |                                 ^^^^^^ not a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`

    error: `mfaActive` is a flag and cannot be compared with a number
     --> rule.toml:1:55
      |
    1 | IamUser should have mfaActive = 'True' or mfaActive = 1 or mfaActive < true or mfaActive isEm...
      |                                                       ^ not a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`

    error: `<` does not apply to `mfaActive`, which is a flag
     --> rule.toml:1:70
      |
    1 | IamUser should have mfaActive = 'True' or mfaActive = 1 or mfaActive < true or mfaActive isEm...
      |                                                                      ^ not for a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`

    error: `isEmpty` does not apply to `mfaActive`, which is a flag
     --> rule.toml:1:90
      |
    1 | ... or mfaActive < true or mfaActive isEmpty() or mfaActive = null or mfaActive in('true')
      |                                      ^^^^^^^ not for a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`

    error: `mfaActive` is a flag and cannot be compared with `null`
     --> rule.toml:1:115
      |
    1 | ...r mfaActive isEmpty() or mfaActive = null or mfaActive in('true')
      |                                         ^^^^ not a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`

    error: `in` does not apply to `mfaActive`, which is a flag
     --> rule.toml:1:133
      |
    1 | ...() or mfaActive = null or mfaActive in('true')
      |                                        ^^ not for a flag
      |
      = help: write `mfaActive = true` or `mfaActive = false`
    ");
}

#[test]
fn times() {
    assert_snapshot!(errors("IamUser should have createDate or createDate = '2026-01-01' or createDate like '2026%' or createDate = passwordLastUsed or createDate = null or createDate dateDifference(name, 'days') < 3"), @"
    error: `createDate` is a time, which is not a condition by itself
     --> rule.toml:1:21
      |
    1 | IamUser should have createDate or createDate = '2026-01-01' or createDate like '2026%' or cre...
      |                     ^^^^^^^^^^ a time
      |
      = help: write `createDate before(-90, 'days')`, `createDate after(-90, 'days')`,
              `createDate isEmpty()` or `createDate dateDifference(…, 'days') < 90`

    error: `createDate` is a time and cannot be compared with this text
     --> rule.toml:1:48
      |
    1 | IamUser should have createDate or createDate = '2026-01-01' or createDate like '2026%' or cre...
      |                                                ^^^^^^^^^^^^ not a time
      |
      = help: write `createDate before(-90, 'days')`, `createDate after(-90, 'days')`,
              `createDate isEmpty()` or `createDate dateDifference(…, 'days') < 90`

    error: `like` does not apply to `createDate`, which is a time
     --> rule.toml:1:75
      |
    1 | ...eDate = '2026-01-01' or createDate like '2026%' or createDate = passwordLastUsed or create...
      |                                       ^^^^ not for a time
      |
      = help: write `createDate before(-90, 'days')`, `createDate after(-90, 'days')`,
              `createDate isEmpty()` or `createDate dateDifference(…, 'days') < 90`

    error: `createDate` is a time and cannot be compared with the attribute `passwordLastUsed`
     --> rule.toml:1:104
      |
    1 | ...e like '2026%' or createDate = passwordLastUsed or createDate = null or createDate dateDif...
      |                                   ^^^^^^^^^^^^^^^^ not a time
      |
      = help: write `createDate dateDifference(passwordLastUsed, 'days') < 90`

    error: `createDate` is a time and cannot be compared with `null`
     --> rule.toml:1:137
      |
    1 | ...e = passwordLastUsed or createDate = null or createDate dateDifference(name, 'days') < 3
      |                                         ^^^^ not a time
      |
      = help: write `createDate isEmpty()`

    error: `dateDifference` needs two times, but `name` is not a time
     --> rule.toml:1:171
      |
    1 | ... = null or createDate dateDifference(name, 'days') < 3
      |                                         ^^^^ not a time
    ");
}

#[test]
fn texts() {
    assert_snapshot!(errors("IamUser should have name = alice or name < 'a' or name in('a', 5) or name or name before(1, 'days') or name = null or name = arn"), @"
    error: `name` is text and cannot be compared with `alice`
     --> rule.toml:1:28
      |
    1 | IamUser should have name = alice or name < 'a' or name in('a', 5) or name or name before(1, '...
      |                            ^^^^^ not text
      |
      = help: put text in single quotes

    error: `<` does not apply to `name`, which is text
     --> rule.toml:1:42
      |
    1 | IamUser should have name = alice or name < 'a' or name in('a', 5) or name or name before(1, '...
      |                                          ^ not for text
      |
      = help: write `name = '…'`, `name in('…', '…')`, `name like '…%'`,
              `name regexMatch /…/` or `name isEmpty()`

    error: `name` is text and cannot be compared with a number
     --> rule.toml:1:64
      |
    1 | IamUser should have name = alice or name < 'a' or name in('a', 5) or name or name before(1, '...
      |                                                                ^ not text
      |
      = help: put text in single quotes

    error: `name` is text, which is not a condition by itself
     --> rule.toml:1:70
      |
    1 | IamUser should have name = alice or name < 'a' or name in('a', 5) or name or name before(1, '...
      |                                                                      ^^^^ text
      |
      = help: write `name = '…'`, `name in('…', '…')`, `name like '…%'`,
              `name regexMatch /…/` or `name isEmpty()`

    error: `before` does not apply to `name`, which is text
     --> rule.toml:1:83
      |
    1 | ...or name in('a', 5) or name or name before(1, 'days') or name = null or name = arn
      |                                       ^^^^^^ not for text
      |
      = help: write `name = '…'`, `name in('…', '…')`, `name like '…%'`,
              `name regexMatch /…/` or `name isEmpty()`

    error: `name` is text and cannot be compared with `null`
     --> rule.toml:1:111
      |
    1 | ...e or name before(1, 'days') or name = null or name = arn
      |                                          ^^^^ not text
      |
      = help: write `name isEmpty()`

    error: `name` is text and cannot be compared with the attribute `arn`
     --> rule.toml:1:126
      |
    1 | ...re(1, 'days') or name = null or name = arn
      |                                           ^^^ not text
      |
      = help: put text in single quotes
    ");
}

#[test]
fn numbers_and_regular_expressions() {
    assert_snapshot!(errors("IamUser should have createDate before(0.5, 'days') or createDate before(90days, 'days') or createDate after(9223372036854775808, 'days') or createDate after(-{least}, 'days')"), @"
    error: `0.5` is not a whole number
     --> rule.toml:1:39
      |
    1 | IamUser should have createDate before(0.5, 'days') or createDate before(90days, 'days') or cr...
      |                                       ^^^ not a whole number
      |
      = help: write digits only, and the unit in quotes: `before(-90, 'days')`

    error: `90days` is not a whole number
     --> rule.toml:1:73
      |
    1 | ...5, 'days') or createDate before(90days, 'days') or createDate after(9223372036854775808, '...
      |                                    ^^^^^^ not a whole number
      |
      = help: write digits only, and the unit in quotes: `before(-90, 'days')`

    error: the number does not fit in 64 bits
     --> rule.toml:1:109
      |
    1 | ..., 'days') or createDate after(9223372036854775808, 'days') or createDate after(-{least}, '...
      |                                  ^^^^^^^^^^^^^^^^^^^ too large

    error: the number does not fit in 64 bits
     --> rule.toml:1:158
      |
    1 | ...775808, 'days') or createDate after(-{least}, 'days')
      |                                        ^^^^^^^^ too large
    ");
    assert_snapshot!(errors(r"IamUser should have name regexMatch /(a/ or name regexMatch /a/ig or name regexMatch /\w{9999}/"), @r"
    error: the regular expression does not compile
     --> rule.toml:1:37
      |
    1 | IamUser should have name regexMatch /(a/ or name regexMatch /a/ig or name regexMatch /\w{9999}/
      |                                     ^^^^ unclosed group

    error: a regular expression does not have the flags `ig`
     --> rule.toml:1:61
      |
    1 | IamUser should have name regexMatch /(a/ or name regexMatch /a/ig or name regexMatch /\w{9999}/
      |                                                             ^^^^^ unknown flags
      |
      = help: the only flag is `i`: ignore case

    error: the regular expression does not compile
     --> rule.toml:1:86
      |
    1 | IamUser should have name regexMatch /(a/ or name regexMatch /a/ig or name regexMatch /\w{9999}/
      |                                                                                      ^^^^^^^^^^ Compiled regex exceeds size limit of 1048576 bytes.
    ");
}
