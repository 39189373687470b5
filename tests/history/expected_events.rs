//! The events that a diff of a simulated account must show, found by identities that no report contains.

use super::simulated_account::{Account, DAY, Key, ROOT, User, text};

/// Kind, user, creation time of the key, value before and after.
pub(crate) type ExpectedEvent = (String, String, Option<String>, Option<String>, Option<String>);

/// The events that reports of both states can show.
pub(crate) fn expected_events(old: &Account, new: &Account) -> Vec<ExpectedEvent> {
    let mut out = Vec::new();
    for (id, user) in &new.users {
        if let Some(before) = old.users.get(id) {
            same(old.now, *id, before, user, &mut out);
            continue;
        }
        let again = old.users.values().find(|other| other.name == user.name);
        let kind = if again.is_some() {
            "user-recreated"
        } else {
            "user-created"
        };
        let before = again.map(|again| text(again.created));
        push(&mut out, kind, user, None, before, Some(text(user.created)));
    }
    for (id, user) in &old.users {
        let replaced = new.users.values().any(|other| other.name == user.name);
        if !new.users.contains_key(id) && !replaced {
            push(
                &mut out,
                "user-deleted",
                user,
                None,
                Some(text(user.created)),
                None,
            );
        }
    }
    out.sort();
    out
}

fn push(
    out: &mut Vec<ExpectedEvent>,
    kind: &str,
    user: &User,
    key: Option<i64>,
    old: Option<String>,
    new: Option<String>,
) {
    out.push((kind.to_owned(), user.name.clone(), key.map(text), old, new));
}

fn switch(
    out: &mut Vec<ExpectedEvent>,
    kinds: [&str; 2],
    user: &User,
    key: Option<i64>,
    was: bool,
    is: bool,
) {
    if was != is {
        let kind = kinds[usize::from(!is)];
        push(out, kind, user, key, Some(was.to_string()), Some(is.to_string()));
    }
}

fn same(then: i64, id: u64, old: &User, new: &User, out: &mut Vec<ExpectedEvent>) {
    let enabled = ["password-enabled", "password-disabled"];
    switch(
        out,
        enabled,
        new,
        None,
        old.password.is_some(),
        new.password.is_some(),
    );
    let mut root_uses = Vec::new();
    if let (Some(was), Some(is)) = (&old.password, &new.password) {
        if was.changed != is.changed {
            let times = (Some(text(was.changed)), Some(text(is.changed)));
            push(out, "password-changed", new, None, times.0, times.1);
        }
        if let Some(used) = is
            .used
            .filter(|&used| was.used.is_none_or(|before| used > before))
        {
            root_uses.push((was.used, used));
            if was.used.unwrap_or(was.changed) <= then - 90 * DAY {
                let before = was.used.map(text);
                push(
                    out,
                    "password-used-after-idle",
                    new,
                    None,
                    before,
                    Some(text(used)),
                );
            }
        }
    } else if let Some(used) = new.password.as_ref().and_then(|password| password.used) {
        root_uses.push((None, used));
    }
    switch(
        out,
        ["mfa-activated", "mfa-deactivated"],
        new,
        None,
        old.mfa,
        new.mfa,
    );
    keys("key", new, &old.keys, &new.keys, out);
    keys("certificate", new, &old.certificates, &new.certificates, out);
    uses(then, old, new, &mut root_uses, out);
    rotated(old, new, out);
    if let Some((before, after)) = root_uses.into_iter().max_by_key(|&(_, after)| after)
        && id == ROOT
    {
        push(out, "root-used", new, None, before.map(text), Some(text(after)));
    }
}

fn keys(what: &str, user: &User, old: &[Key], new: &[Key], out: &mut Vec<ExpectedEvent>) {
    for key in new {
        let created = Some(key.created);
        match old.iter().find(|other| other.id == key.id) {
            None => {
                let active = Some(key.active.to_string());
                push(out, &format!("{what}-created"), user, created, None, active);
            }
            Some(before) => {
                let kinds = [format!("{what}-activated"), format!("{what}-deactivated")];
                let kinds = [&*kinds[0], &*kinds[1]];
                switch(out, kinds, user, created, before.active, key.active);
            }
        }
    }
    for key in old
        .iter()
        .filter(|key| new.iter().all(|other| other.id != key.id))
    {
        let active = Some(key.active.to_string());
        push(
            out,
            &format!("{what}-deleted"),
            user,
            Some(key.created),
            active,
            None,
        );
    }
}

fn uses(
    then: i64,
    old: &User,
    new: &User,
    root_uses: &mut Vec<(Option<i64>, i64)>,
    out: &mut Vec<ExpectedEvent>,
) {
    for key in &new.keys {
        let Some(used) = key.used else { continue };
        let Some(before) = old.keys.iter().find(|other| other.id == key.id) else {
            root_uses.push((None, used));
            continue;
        };
        if before.used.is_some_and(|before| before >= used) {
            continue;
        }
        root_uses.push((before.used, used));
        let kind = match before.used {
            None => "key-first-used",
            Some(before) if before <= then - 90 * DAY => "key-used-after-idle",
            Some(_) => continue,
        };
        push(
            out,
            kind,
            new,
            Some(key.created),
            before.used.map(text),
            Some(text(used)),
        );
    }
}

fn rotated(old: &User, new: &User, out: &mut Vec<ExpectedEvent>) {
    let created = new
        .keys
        .iter()
        .filter(|key| old.keys.iter().all(|other| other.id != key.id));
    let created = created.map(|key| key.created).max();
    let retired = old.keys.iter().filter(|key| {
        let now = new.keys.iter().find(|other| other.id == key.id);
        key.active && now.is_none_or(|now| !now.active)
    });
    if let (Some(created), Some(retired)) = (created, retired.map(|key| key.created).min()) {
        let times = (Some(text(retired)), Some(text(created)));
        push(out, "key-rotated", new, Some(created), times.0, times.1);
    }
}
