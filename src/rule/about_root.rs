//! Which rules are about root alone.

use super::BoundRule;
use crate::gsl::typed::{Expr, TextSource, TextTest};
use crate::report::chunk::ROOT;
use crate::report::schema::{Slot, TextColumn};

impl BoundRule {
    /// Whether `where` admits no user but root. Names of users have no `<`, so that a test for root's name is enough.
    pub fn is_about_root(&self) -> bool {
        self.typed.relevant.as_ref().is_some_and(admits_only_root)
    }
}

fn admits_only_root(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().any(admits_only_root),
        Expr::Or(parts) => parts.iter().all(admits_only_root),
        Expr::Text(attribute, test) => {
            attribute.column(Slot::One) == TextSource::Cell(TextColumn::User) && is_of_root(test)
        }
        Expr::Not(_) | Expr::Flag(..) | Expr::Time(..) | Expr::Difference { .. } => false,
    }
}

fn is_of_root(test: &TextTest) -> bool {
    match test {
        TextTest::Equals(name) | TextTest::Like(name) => name == ROOT,
        TextTest::In(names) => names.iter().all(|name| name == ROOT),
        TextTest::Matches(pattern) => {
            let source = pattern.source();
            let source = source.strip_prefix('^').unwrap_or(source);
            source.strip_suffix('$').unwrap_or(source) == ROOT
        }
        TextTest::IsEmpty => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::admits_only_root;
    use crate::gsl::parse_rule;

    #[test]
    fn rules_that_admit_only_root() {
        let is_about_root = |start: &str| {
            let user = if start.starts_with("IamUser") { "" } else { "user." };
            let rule = parse_rule(&format!("{start} should have {user}mfaActive"), &BTreeMap::new());
            rule.expect("a rule")
                .relevant
                .as_ref()
                .is_some_and(admits_only_root)
        };
        for start in [
            "IamUser where name = '<root_account>'",
            "IamUser where passwordEnabled and name in('<root_account>')",
            "IamUser where name regexMatch /^<root_account>$/i",
            "IamUser where name like '<root_account>' and mfaActive or name regexMatch /<root_account>/",
            "IamAccessKey where user.name = '<root_account>' and isActive",
        ] {
            assert!(is_about_root(start), "{start}");
        }
        for start in [
            "IamUser",
            "IamUser where name != '<root_account>'",
            "IamUser where arn = '<root_account>'",
            "IamUser where name like '%root_account%'",
            "IamUser where name in('<root_account>', 'alice')",
            "IamUser where name = '<root_account>' or mfaActive",
            "IamUser where name regexMatch /root/",
        ] {
            assert!(!is_about_root(start), "{start}");
        }
    }
}
