//! `table`: what is done, in order, and what is left alone, for a terminal.

use anstyle::Style;

use super::{PlanView, PlanWriter, credential, groups};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{counted, counts, more};
use crate::output::terminal::{self, Align, BOLD, DIM, TextCell, TextTable, cut, join_sections};
use crate::remedy::{Action, Excluded, Reason, Step};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<PlanWriter> = FormatSpec::new(
    "table",
    "the steps in order, and what is left alone and why",
    Readers::Terminal,
    PlanWriter(write),
);

/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 10;

fn write(view: &PlanView<'_>) -> String {
    join_sections(vec![
        about(view),
        steps(view),
        left_alone(view),
        terminal::diagnostics(&view.plan.diagnostics, DIAGNOSTICS, view.options),
        ending(view),
    ])
}

fn about(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let accounts = counted(plan.accounts.len() as u64, "account");
    let keys: Option<u64> = plan.accounts.iter().map(|account| account.active_keys).sum();
    let keys = keys.map(|keys| format!(" with {}", counted(keys, "active access key")));
    let as_of = plan.as_of.map(|as_of| format!(", as of {as_of}"));
    let line = format!(
        "plan {} for {accounts}{}{}",
        plan.id,
        keys.unwrap_or_default(),
        as_of.unwrap_or_default()
    );
    view.options.paragraph(BOLD, &line)
}

fn steps(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let mut out = String::new();
    let limit = view.options.limit;
    let shown = (1_u64..).zip(&plan.steps).take(limit);
    for (heading, steps) in groups(shown, |(_, step)| &step.target, view.by) {
        if let Some(heading) = heading {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&view.options.paragraph(BOLD, &escape(&heading)));
        }
        out.push_str(&table(view, &steps));
    }
    let hidden = plan.steps.len().saturating_sub(limit) as u64;
    if let Some(more) = more(hidden, "step", plan.steps.len() as u64) {
        out.push_str(&view.options.paragraph(Style::new(), &more));
    }
    out
}

/// From this width on, why is beside the step, not below it.
const WIDE: usize = 120;

fn table(view: &PlanView<'_>, steps: &[(u64, &Step)]) -> String {
    let has = |of: &dyn Fn(&Step) -> bool| steps.iter().any(|(_, step)| of(step));
    let several = view.plan.accounts.len() > 1 && view.by != Some(super::PlanBy::Account);
    let owners = view.by.is_none() && has(&|step| step.target.owner.is_some());
    let is_wide = view.options.width >= WIDE;
    let mut heads = vec![("", Align::Right), ("action", Align::Whole)];
    if several {
        heads.push(("account", Align::Whole));
    }
    heads.extend([
        ("user", Align::Wrapped),
        ("credential", Align::Whole),
        ("last used", Align::Whole),
    ]);
    if owners {
        heads.push(("owner", Align::Wrapped));
    }
    if is_wide {
        heads.push(("why", Align::Wrapped));
    }
    let mut table = TextTable::with_heads(&heads);
    for (number, step) in steps {
        let target = &step.target;
        let text = |text: &str| TextCell::new(escape(text).into_owned());
        let mut cells = vec![
            TextCell::styled(number.to_string(), DIM),
            TextCell::styled(step.action.name(), style(step.action)),
        ];
        if several {
            cells.push(text(target.account.as_deref().unwrap_or_default()));
        }
        cells.extend([
            text(&target.user),
            text(&credential(target)),
            text(&last_used(step)),
        ]);
        if owners {
            cells.push(text(&cut(target.owner.as_deref().unwrap_or_default(), OWNER)));
        }
        if is_wide {
            cells.push(text(&step.why));
            table.row(cells);
        } else {
            table.row(cells);
            for line in terminal::wrap(&escape(&step.why), view.options.width.saturating_sub(WHY)) {
                table.line(format!("{}{}", " ".repeat(WHY), view.options.paint(DIM, line)));
            }
        }
    }
    table.render(view.options)
}

/// Columns of an owner that are shown.
const OWNER: usize = 24;
/// The blanks before why, below a step.
const WHY: usize = 4;

const fn style(action: Action) -> Style {
    match action {
        Action::Deactivate => terminal::GREEN,
        Action::Rotate | Action::Manual => Style::new(),
        Action::Delete => terminal::RED,
    }
}

fn last_used(step: &Step) -> String {
    step.target.last_used.map_or(String::new(), |time| {
        let day = time.to_string().get(..10).unwrap_or_default().to_owned();
        match &step.target.last_service {
            Some(service) => format!("{day} {service}"),
            None => day,
        }
    })
}

/// What is left alone, by reason: how many credentials, whose, and what a person does.
fn left_alone(view: &PlanView<'_>) -> String {
    const NAMED: usize = 5;
    if view.plan.excluded.is_empty() {
        return String::new();
    }
    let mut out = view.options.paragraph(BOLD, "left alone");
    for reason in Reason::ALL {
        let of_reason: Vec<&Excluded> = view
            .plan
            .excluded
            .iter()
            .filter(|it| it.reason == reason)
            .collect();
        let Some(first) = of_reason.first() else { continue };
        let names = of_reason.iter().take(NAMED).map(|it| {
            let credential = credential(&it.target);
            let credential = if credential.is_empty() {
                credential
            } else {
                format!(" {credential}")
            };
            let account = it
                .target
                .account
                .as_deref()
                .filter(|_| view.plan.accounts.len() > 1);
            let account = account.map_or_else(String::new, |account| format!(" of {account}"));
            escape(&format!("{}{account}{credential}", it.target.user)).into_owned()
        });
        let mut names = names.collect::<Vec<_>>().join(", ");
        if of_reason.len() > NAMED {
            names = format!("{names} and {} more", of_reason.len() - NAMED);
        }
        let line = format!("{}: {names}", reason.name());
        out.push_str(&indented(view, 2, Style::new(), &line));
        let words = format!("{}. {}", capital(&first.why), first.instead);
        out.push_str(&indented(view, 4, DIM, &words));
    }
    out
}

fn indented(view: &PlanView<'_>, blanks: usize, style: Style, text: &str) -> String {
    let lines = terminal::wrap(text, view.options.width.saturating_sub(blanks));
    let lines = lines
        .iter()
        .map(|line| format!("{}{}\n", " ".repeat(blanks), view.options.paint(style, line)));
    lines.collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn ending(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    if view.evaluated == 0 {
        return view.options.paragraph(Style::new(), "nothing was evaluated");
    }
    if plan.steps.is_empty() {
        return view.options.paragraph(Style::new(), "nothing to do");
    }
    let by_action = Action::ALL.map(|action| {
        let of_action = plan.steps.iter().filter(|step| step.action == action);
        (of_action.count() as u64, action.name())
    });
    let line = format!(
        "{}: {}; {} left alone; --format markdown has the commands",
        counted(plan.steps.len() as u64, "step"),
        counts(by_action),
        plan.excluded.len()
    );
    view.options.paragraph(Style::new(), &line)
}
