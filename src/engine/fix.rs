//! What a row says about the user and the credential of a finding, for the rule's instructions.

use super::finding_ref::{FindingRef, UserRow};
use crate::finding::{Fix, Status};
use crate::report::cell::{self, Flag};
use crate::report::chunk::ROOT;
use crate::report::schema::{
    ACCESS_KEY, BySlot, CERTIFICATE, Credential, FlagColumn, KEY_LAST_USED, Slot, SlotColumns, TimeColumn,
};
use crate::rule::{FixSubject, KeyFacts, UserKind, is_made_for_api_key, is_of_ses_smtp};

impl FindingRef<'_> {
    /// The same, which does not say how it is fixed: for readers who did not ask for it.
    #[must_use]
    pub fn without_fix(self) -> Self {
        Self {
            is_without_fix: true,
            ..self
        }
    }

    /// How it is fixed, if that is asked for and there is something to fix.
    pub fn fix(&self) -> Option<Fix> {
        let template = self.compiled.fix.as_ref().filter(|_| !self.is_without_fix)?;
        let row = self.row()?;
        match self.status {
            Status::Fail | Status::Due => {}
            Status::Undetermined | Status::Suppressed | Status::Pass => return None,
        }
        let name = String::from_utf8_lossy(row.user().unwrap_or_default());
        let text = |bytes| str::from_utf8(bytes).ok();
        let keys = Slot::ALL.map(|slot| self.facts(row, &ACCESS_KEY, slot, self.key_id(slot)));
        let certificates = Slot::ALL.map(|slot| self.facts(row, &CERTIFICATE, slot, None));
        let mut fix = template.fill(&FixSubject {
            subject: self.subject(),
            same_second: self.in_same_second(&keys, &certificates),
            kind: if name == ROOT {
                UserKind::Root
            } else if is_made_for_api_key(&name) {
                UserKind::ApiKey
            } else if is_of_ses_smtp(&name, self.last_services(row)) {
                UserKind::SesSmtp
            } else {
                UserKind::User
            },
            name: &name,
            account: self.account().and_then(text),
            partition: row.arn().map(cell::partition_of).and_then(text),
            without_password: is_false(row, FlagColumn::PasswordEnabled),
            keys,
            certificates,
            service_credential: service_credential(row),
        });
        if self.credential() == Some(Credential::ServiceCredential) && has_twin(row) {
            // No entry accepts one of them alone.
            fix.suppression = None;
        }
        Some(fix)
    }

    /// The last services of the key that it is about, or of both keys.
    fn last_services<'b>(&self, row: &'b UserRow<'_>) -> impl Iterator<Item = &'b [u8]> {
        let own = match self.credential() {
            Some(Credential::AccessKey(slot)) => Some(slot),
            Some(Credential::Password | Credential::Certificate(_) | Credential::ServiceCredential)
            | None => None,
        };
        let slots = Slot::ALL
            .into_iter()
            .filter(move |&slot| own.is_none_or(|own| own == slot));
        slots.filter_map(|slot| row.text(KEY_LAST_USED.service[slot as usize]))
    }

    /// What is known of the key or certificate in a slot, if there is one.
    fn facts<'a>(
        &self,
        row: &UserRow<'_>,
        columns: &SlotColumns,
        slot: Slot,
        id: Option<&'a str>,
    ) -> Option<KeyFacts<'a>> {
        let (active, created) = (columns.active[slot as usize], columns.last_rotated[slot as usize]);
        let time = row.time(created);
        let is_its_own = self.credential().is_some_and(|credential| {
            matches!(credential, Credential::AccessKey(own) | Credential::Certificate(own)
                if own == slot && columns.name[slot as usize] == credential.name())
        });
        // A cell that is not valid may be that of a key.
        let has_time = row.cell(created.into()).is_some() && time != cell::ABSENT;
        let flag = row.cell(active.into()).map(cell::flag);
        let exists = is_its_own || has_time || matches!(flag, Some(Flag::True | Flag::Unknown));
        exists.then(|| KeyFacts {
            id,
            created: cell::known(time),
            is_inactive: flag == Some(Flag::False),
        })
    }

    /// Whether the other key or certificate of the finding's kind was created in the same second, so that only the slot
    /// distinguishes them.
    fn in_same_second(
        &self,
        keys: &BySlot<Option<KeyFacts<'_>>>,
        certificates: &BySlot<Option<KeyFacts<'_>>>,
    ) -> bool {
        let slots = match self.credential() {
            Some(Credential::AccessKey(_)) => keys,
            Some(Credential::Certificate(_)) => certificates,
            Some(Credential::Password | Credential::ServiceCredential) | None => return false,
        };
        let [first, second] = slots.map(|facts| facts.and_then(|facts| facts.created));
        first.is_some() && first == second
    }
}

/// Whether the user has another service-specific credential that was created in the same second.
fn has_twin(row: &UserRow<'_>) -> bool {
    let created = cell::known(row.time(TimeColumn::ServiceCredentialCreated));
    let all = row
        .details()
        .map_or(&[][..], |details| &details.service_credentials);
    all.iter()
        .filter(|credential| credential.created == created)
        .count()
        > 1
}

/// What is known of the service-specific credential that a row is about.
fn service_credential<'b>(row: &'b UserRow<'_>) -> Option<KeyFacts<'b>> {
    let id = row.service_credential_id()?;
    let active = row
        .cell(FlagColumn::ServiceCredentialActive.into())
        .map(cell::flag);
    Some(KeyFacts {
        id: str::from_utf8(id).ok(),
        created: cell::known(row.time(TimeColumn::ServiceCredentialCreated)),
        is_inactive: active == Some(Flag::False),
    })
}

/// Whether a flag is exactly false.
fn is_false(row: &UserRow<'_>, column: FlagColumn) -> bool {
    row.cell(column.into())
        .is_some_and(|field| cell::flag(field) == Flag::False)
}
