//! The messages for syntax errors.

use insta::assert_snapshot;

use super::errors;

#[test]
fn keywords_in_the_wrong_case() {
    assert_snapshot!(errors("IamUser WHERE mfaActive should have mfaActive"), @r#"
    error: expected `where` or `should`, found `WHERE`
     --> rule.toml:1:9
      |
    1 | IamUser WHERE mfaActive should have mfaActive
      |         ^^^^^ unexpected
      |
      = help: did you mean `where`?
    "#);
    assert_snapshot!(errors("IamUser where mfaActive AND (mfaActive) should have mfaActive"), @r#"
    error: GSL for credential reports has no `AND`
     --> rule.toml:1:25
      |
    1 | IamUser where mfaActive AND (mfaActive) should have mfaActive
      |                         ^^^ unknown
      |
      = help: did you mean `and`?
    "#);
    assert_snapshot!(errors("IamUser should NOT have mfaActive"), @r#"
    error: expected an attribute, found `NOT`
     --> rule.toml:1:16
      |
    1 | IamUser should NOT have mfaActive
      |                ^^^ unexpected
      |
      = help: did you mean `not`?
    "#);
    assert_snapshot!(errors("IamUser should have name regexmatch /a/"), @r#"
    error: expected `and`, `or`, `exclude` or the end of the rule, found `regexmatch`
     --> rule.toml:1:26
      |
    1 | IamUser should have name regexmatch /a/
      |                          ^^^^^^^^^^ unexpected
      |
      = help: did you mean `regexMatch`?
    "#);
    assert_snapshot!(errors("IamUser should have createDate Before(1, 'days')"), @r#"
    error: GSL for credential reports has no `Before`
     --> rule.toml:1:32
      |
    1 | IamUser should have createDate Before(1, 'days')
      |                                ^^^^^^ unknown
      |
      = help: did you mean `before`?
    "#);
}

#[test]
fn structure() {
    assert_snapshot!(errors(" "), @r#"
    error: expected an entity, such as `IamUser`, found the end of the rule
     --> rule.toml:1:1
      |
    1 |  
      | ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should"), @r#"
    error: expected an attribute, found the end of the rule
     --> rule.toml:1:15
      |
    1 | IamUser should
      |               ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have (mfaActive"), @r#"
    error: expected `and`, `or` or `)`, found the end of the rule
     --> rule.toml:1:31
      |
    1 | IamUser should have (mfaActive
      |                               ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have mfaActive)"), @r#"
    error: expected `and`, `or`, `exclude` or the end of the rule, found `)`
     --> rule.toml:1:30
      |
    1 | IamUser should have mfaActive)
      |                              ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have mfaActive and"), @r#"
    error: expected an attribute, found the end of the rule
     --> rule.toml:1:34
      |
    1 | IamUser should have mfaActive and
      |                                  ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have mfaActive = and"), @r#"
    error: expected a literal, such as 'text' or true, found `and`
     --> rule.toml:1:33
      |
    1 | IamUser should have mfaActive = and
      |                                 ^^^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have isPublic()"), @r#"
    error: GSL for credential reports has no `isPublic`
     --> rule.toml:1:21
      |
    1 | IamUser should have isPublic()
      |                     ^^^^^^^^ unknown
    "#);
    assert_snapshot!(errors("IamUser should have name not like 'x'"), @r#"
    error: expected `in`, found `like`
     --> rule.toml:1:30
      |
    1 | IamUser should have name not like 'x'
      |                              ^^^^ unexpected
      |
      = help: write `unlike` for not like, and `not x regexMatch /…/` with `not` in front
    "#);
    assert_snapshot!(errors("IamUser should have name in()"), @r#"
    error: expected a literal, such as 'text' or true, found `)`
     --> rule.toml:1:29
      |
    1 | IamUser should have name in()
      |                             ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have name regexMatch 'a'"), @r#"
    error: expected a regular expression between slashes, such as /^admin/i, found `'a'`
     --> rule.toml:1:37
      |
    1 | IamUser should have name regexMatch 'a'
      |                                     ^^^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have createDate before('90', 'days')"), @r#"
    error: expected a whole number, found `'90'`
     --> rule.toml:1:39
      |
    1 | IamUser should have createDate before('90', 'days')
      |                                       ^^^^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have createDate before(90, days)"), @r#"
    error: expected a unit in quotes, such as 'days', found `days`
     --> rule.toml:1:43
      |
    1 | IamUser should have createDate before(90, days)
      |                                           ^^^^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have createDate dateDifference(passwordLastUsed, 'days')"), @r#"
    error: expected a comparison with a count, such as `< 60`, found the end of the rule
     --> rule.toml:1:72
      |
    1 | IamUser should have createDate dateDifference(passwordLastUsed, 'days')
      |                                                                        ^ unexpected
    "#);
    assert_snapshot!(errors("IamUser should have name contain [ 'a'"), @r#"
    error: expected a closing bracket, found the end of the rule
     --> rule.toml:1:39
      |
    1 | IamUser should have name contain [ 'a'
      |                                       ^ unexpected
    "#);
}

#[test]
fn signs_of_other_languages() {
    assert_snapshot!(errors(r#"IamUser should have name == "x" && !mfaActive"#), @r#"
    error: GSL has no `==`
     --> rule.toml:1:26
      |
    1 | IamUser should have name == "x" && !mfaActive
      |                          ^^
      |
      = help: write `=`

    error: strings need single quotes
     --> rule.toml:1:29
      |
    1 | IamUser should have name == "x" && !mfaActive
      |                             ^^^ in double quotes
      |
      = help: write 'text'; a quote in a string is written twice: ''

    error: GSL has no `&&`
     --> rule.toml:1:33
      |
    1 | IamUser should have name == "x" && !mfaActive
      |                                 ^^
      |
      = help: write `and`

    error: GSL has no `!`
     --> rule.toml:1:36
      |
    1 | IamUser should have name == "x" && !mfaActive
      |                                    ^
      |
      = help: write `not`
    "#);
    assert_snapshot!(errors("IamUser should have name = ’x’ ; {}"), @"
    error: strings need straight single quotes, as in 'text'
     --> rule.toml:1:28
      |
    1 | IamUser should have name = ’x’ ; {}
      |                            ^

    error: strings need straight single quotes, as in 'text'
     --> rule.toml:1:30
      |
    1 | IamUser should have name = ’x’ ; {}
      |                              ^

    error: unexpected `;`
     --> rule.toml:1:32
      |
    1 | IamUser should have name = ’x’ ; {}
      |                                ^

    error: a parameter is a name in braces
     --> rule.toml:1:34
      |
    1 | IamUser should have name = ’x’ ; {}
      |                                  ^^ not a parameter
      |
      = help: write {name}
    ");
    assert_snapshot!(errors("IamUser should have name = 'x"), @"
    error: unclosed string
     --> rule.toml:1:28
      |
    1 | IamUser should have name = 'x
      |                            ^^ begins here
      |
      = help: close it with `'`; a quote in a string is written twice: ''
    ");
    assert_snapshot!(errors("IamUser should have name regexMatch /x"), @r"
    error: unclosed regular expression
     --> rule.toml:1:37
      |
    1 | IamUser should have name regexMatch /x
      |                                     ^^ begins here
      |
      = help: close it with `/`; a slash in it is written \/
    ");
}

#[test]
fn positions_in_long_and_hostile_sources() {
    assert_snapshot!(errors("IamUser\n  where mfaActive\r\n  and\tpasswordEnable\u{1b}[31m\n  should have mfaActive"), @"
    error: unexpected `�`
     --> rule.toml:3:21
      |
    3 |   and passwordEnable�[31m
      |                     ^
    ");
}

/// Functions of CloudGuard and of other languages get a hint.
#[test]
fn functions_of_other_languages() {
    for (condition, hint) in [
        ("name startsWith('ext-')", "like 'text%'"),
        ("name.startsWith('ext-')", "like 'text%'"),
        ("startsWith(name, 'ext-')", "like 'text%'"),
        ("name endsWith '-ci'", "like '%text'"),
        ("name contains 'x'", "like '%text%'"),
        ("name.toLower() = 'x'", "regexMatch /…/i"),
        ("passwordLastUsed isNotEmpty()", "not name isEmpty()"),
    ] {
        let shown = errors(&format!("IamUser should have {condition}"));
        assert!(shown.contains(hint), "{condition}: {shown}");
    }
}
