//! The flags that choose users by name, path and account.

use clap::Args;
use credlens::finding::{Code, Diagnostic, GivenFilters};
use credlens::rule::Filters;

use super::failure::Failure;
use super::settings::SettingsValues;

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

    /// Only this account. Repeatable
    ///
    /// By id or name, or by a glob of them
    #[arg(long, value_name = "ID|NAME|GLOB")]
    account: Vec<String>,

    /// Not users with this name. Repeatable
    #[arg(long, value_name = "GLOB")]
    exclude_user: Vec<String>,

    /// Not users whose IAM path is like this. Repeatable
    #[arg(long, value_name = "GLOB")]
    exclude_path: Vec<String>,

    /// Not this account. Repeatable
    #[arg(long, value_name = "ID|NAME|GLOB")]
    exclude_account: Vec<String>,
}

impl FilterArgs {
    /// Those of the command line, else those of the settings file: they are one choice, of which the command line makes
    /// all or none.
    pub(super) fn resolve(&self, in_file: &SettingsValues) -> Result<Filters, Failure> {
        let of_command_line = GivenFilters {
            user: self.user.clone(),
            exclude_user: self.exclude_user.clone(),
            path: self.path.clone(),
            exclude_path: self.exclude_path.clone(),
            account: self.account.clone(),
            exclude_account: self.exclude_account.clone(),
        };
        let given = if of_command_line.is_empty() {
            in_file.filters()
        } else {
            of_command_line
        };
        Filters::new(&given).map_err(Failure::Usage)
    }
}

/// What every output says about the filters, if there are any.
pub(super) fn note(filters: &Filters) -> Option<Diagnostic> {
    let message = || format!("only the users of {} are evaluated", filters.phrase());
    (!filters.is_empty()).then(|| Diagnostic::new(Code::Filtered, message()))
}
