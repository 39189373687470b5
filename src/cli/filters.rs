//! The flags that choose users by name, path and account.

use clap::Args;
use credlens::finding::{Code, Diagnostic, GivenFilters};
use credlens::rule::Filters;

use super::failure::Failure;
use super::settings::{SettingsValues, first_given};

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct FilterArgs {
    /// Only users of this name. Repeatable
    ///
    /// Such as alice or 'svc-*'; root is `<root_account>`. Case matters, * stands for anything
    #[arg(long, value_name = "GLOB")]
    user: Vec<String>,

    /// Only users whose IAM path is like this, such as '/team-a/*'; root has none. Repeatable
    #[arg(long, value_name = "GLOB")]
    path: Vec<String>,

    /// Not users with this name. Repeatable
    #[arg(long, value_name = "GLOB")]
    exclude_user: Vec<String>,

    /// Not users whose IAM path is like this. Repeatable
    #[arg(long, value_name = "GLOB")]
    exclude_path: Vec<String>,

    #[command(flatten)]
    accounts: AccountFilterArgs,
}

/// The accounts alone, where whole reports are fetched.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct AccountFilterArgs {
    /// Only these accounts, by id or name. Repeatable
    ///
    /// Or by a glob, or several separated by commas; with --org, only they are fetched
    #[arg(long, value_name = "ID|NAME|GLOB", alias = "accounts")]
    account: Vec<String>,

    /// Not these accounts
    #[arg(long, value_name = "ID|NAME|GLOB", alias = "exclude-accounts")]
    exclude_account: Vec<String>,
}

impl AccountFilterArgs {
    fn given(&self) -> GivenFilters {
        let list = |values: &[String]| values.iter().flat_map(|value| split(value)).collect();
        GivenFilters {
            account: list(&self.account),
            exclude_account: list(&self.exclude_account),
            ..GivenFilters::default()
        }
    }

    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only live accounts are fetched")
    )]
    pub(super) fn resolve(&self) -> Result<Filters, Failure> {
        Filters::new(&self.given()).map_err(Failure::Usage)
    }
}

/// The parts between commas; those in braces, as in `{dev,test}-*`, are of the pattern.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for char in list.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("invariant: there is a part").push(char);
    }
    parts
}

impl FilterArgs {
    /// Of each option that of the command line, else that of the settings file.
    pub(super) fn resolve(&self, in_file: &SettingsValues) -> Result<Filters, Failure> {
        let first = |given: &[String], in_file: &[String]| first_given(given.to_vec(), in_file.to_vec());
        let accounts = self.accounts.given();
        let given = GivenFilters {
            user: first(&self.user, &in_file.user),
            exclude_user: first(&self.exclude_user, &in_file.exclude_user),
            path: first(&self.path, &in_file.path),
            exclude_path: first(&self.exclude_path, &in_file.exclude_path),
            account: first(&accounts.account, &in_file.account),
            exclude_account: first(&accounts.exclude_account, &in_file.exclude_account),
        };
        Filters::new(&given).map_err(Failure::Usage)
    }
}

/// What every output says about the filters, if there are any.
pub(super) fn note(filters: &Filters) -> Option<Diagnostic> {
    let message = || format!("only the users{} are evaluated", filters.phrase());
    (!filters.is_empty()).then(|| Diagnostic::new(Code::Filtered, message()))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lists_of_accounts() {
        for (list, parts) in [
            ("a", &["a"][..]),
            ("111122223333,dev", &["111122223333", "dev"]),
            ("{dev,test}-*,prod", &["{dev,test}-*", "prod"]),
            ("a},b", &["a}", "b"]),
            ("", &[""]),
        ] {
            assert_eq!(split(list), parts, "{list}");
        }
    }
}
