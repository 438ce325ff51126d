//! What is wrong with the list: findings with stable codes, each with its line and the mend.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::list::{Entry, List, Rule, Target};
use crate::analysis::match_name::{self, Fit};

/// What a finding is about. The codes are part of the command line: they never change their
/// meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LintCode {
    /// The term of an entry is over.
    Expired,
    /// An entry has no end.
    NoExpiry,
    /// Nobody is named to mend it, nor does CODEOWNERS name anyone.
    NoOwner,
    /// Nothing says why.
    NoReason,
    /// Nothing says where the repair is tracked.
    NoTicket,
    /// The same target stands there twice.
    Duplicate,
    /// A rule or another entry means the same tests already.
    Shadowed,
    /// It means no test of the history, or none that ran lately.
    Unmatched,
    /// The list holds more tests than the budget allows.
    OverBudget,
}

impl LintCode {
    /// All codes in order.
    pub const ALL: [Self; 9] = [
        Self::Expired,
        Self::NoExpiry,
        Self::NoOwner,
        Self::NoReason,
        Self::NoTicket,
        Self::Duplicate,
        Self::Shadowed,
        Self::Unmatched,
        Self::OverBudget,
    ];

    /// The code as it is printed and allowed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NoExpiry => "no-expiry",
            Self::NoOwner => "no-owner",
            Self::NoReason => "no-reason",
            Self::NoTicket => "no-ticket",
            Self::Duplicate => "duplicate",
            Self::Shadowed => "shadowed",
            Self::Unmatched => "unmatched",
            Self::OverBudget => "over-budget",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line of the entry or rule, from 1.
    pub line: usize,
    /// What it is about.
    pub code: LintCode,
    /// The test or the pattern; empty for the list as a whole.
    pub target: String,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What would be right.
    pub mend: String,
}

/// What is known besides the list.
pub struct LintFacts<'a> {
    /// The day, in UTC.
    pub today: NaiveDate,
    /// The tests of the history by label, each with the day of its last run in the window, where
    /// it ran there; `None` where there is no history to ask.
    pub known: Option<&'a BTreeMap<String, Option<NaiveDate>>>,
    /// A test that did not run since this day is gone.
    pub gone_before: Option<NaiveDate>,
    /// Whether CODEOWNERS names an owner for the test of a label.
    pub owned: &'a dyn Fn(&str) -> bool,
    /// How many tests the list may hold, and holds, where there is a history.
    pub budget: Option<(u32, u32)>,
    /// Codes of findings that are fine here.
    pub allow: &'a [String],
}

/// Everything that is wrong with a list, in the order of the file.
#[must_use]
pub fn lint(list: &List, facts: &LintFacts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, entry) in list.entries.iter().enumerate() {
        complete(entry, facts, &mut findings);
        if let Some(finding) =
            duplicate(list, at).or_else(|| shadowed(list, at, facts)).or_else(|| {
                unmatched(entry.line, &entry.target, facts, "quarantine update removes it in time")
            })
        {
            findings.push(finding);
        }
    }
    for (section, rules) in [("always", &list.always), ("never", &list.never)] {
        for (at, rule) in rules.iter().enumerate() {
            let twice = rules.iter().take(at).find(|other| other.target == rule.target);
            let found = twice
                .map(|other| doubled(rule.line, &rule.target, other.line))
                .or_else(|| (section == "always").then(|| overruled(list, rule, facts)).flatten())
                .or_else(|| unmatched(rule.line, &rule.target, facts, "remove the rule"));
            findings.extend(found);
        }
    }
    if let Some((limit, held)) = facts.budget.filter(|(limit, held)| held > limit) {
        findings.push(Finding {
            line: list.entries.first().map_or(1, |entry| entry.line),
            code: LintCode::OverBudget,
            target: String::new(),
            message: format!("The list holds {held} tests; the budget is {limit}"),
            mend: "mend tests and take them off, or raise quarantine.cap-tests".to_owned(),
        });
    }
    findings.retain(|finding| !facts.allow.iter().any(|code| code == finding.code.word()));
    findings.sort_by_key(|finding| (finding.line, finding.code));
    findings
}

/// What an entry must say.
fn complete(entry: &Entry, facts: &LintFacts<'_>, findings: &mut Vec<Finding>) {
    let mut find = |code, message: String, mend: &str| {
        findings.push(Finding {
            line: entry.line,
            code,
            target: entry.target.to_string(),
            message,
            mend: mend.to_owned(),
        });
    };
    match entry.expires {
        Some(end) if entry.is_expired(facts.today) => find(
            LintCode::Expired,
            format!("It expired on {end} and covers nothing any more"),
            "remove it, or give it another term where it still flakes",
        ),
        None => find(
            LintCode::NoExpiry,
            "It never expires".to_owned(),
            "add expires, such as expires = 2026-12-10",
        ),
        Some(_) => {}
    }
    let owned = match &entry.target {
        Target::Test(test) => (facts.owned)(test),
        Target::Pattern(_) => false,
    };
    if entry.owner.is_none() && !owned {
        find(
            LintCode::NoOwner,
            "Nobody is named to mend it".to_owned(),
            "add owner = \"…\", or the file to CODEOWNERS",
        );
    }
    if entry.reason.is_none() {
        find(LintCode::NoReason, "Nothing says why it is here".to_owned(), "add reason = \"…\"");
    }
    if entry.ticket.is_none() {
        find(
            LintCode::NoTicket,
            "Nothing says where the repair is tracked".to_owned(),
            "add ticket = \"…\"",
        );
    }
}

fn doubled(line: usize, target: &Target, other: usize) -> Finding {
    Finding {
        line,
        code: LintCode::Duplicate,
        target: target.to_string(),
        message: format!("The same stands in line {other} already"),
        mend: "remove one of them".to_owned(),
    }
}

fn duplicate(list: &List, at: usize) -> Option<Finding> {
    let entry = list.entries.get(at)?;
    let same = |other: &&Entry| other.target == entry.target && other.variant == entry.variant;
    let other = list.entries.iter().take(at).find(same)?;
    Some(doubled(entry.line, &entry.target, other.line))
}

/// The labels that a target means: of the history, else its own.
fn meant<'a>(target: &'a Target, facts: &LintFacts<'a>) -> Vec<&'a str> {
    match (target, facts.known) {
        (Target::Test(test), _) => vec![test],
        (Target::Pattern(_), None) => Vec::new(),
        (Target::Pattern(pattern), Some(known)) => {
            known.keys().map(String::as_str).filter(|label| pattern.matches(label)).collect()
        }
    }
}

/// True where a target means all of these labels, or is the same.
fn means_all(wide: &Target, narrow: &Target, labels: &[&str]) -> bool {
    wide == narrow || (!labels.is_empty() && labels.iter().all(|label| wide.means(label)))
}

fn shadowed(list: &List, at: usize, facts: &LintFacts<'_>) -> Option<Finding> {
    let entry = list.entries.get(at)?;
    let labels = meant(&entry.target, facts);
    let by_rule = |rules: &[Rule], word: &str, mend: &str| {
        let rule = rules.iter().find(|rule| means_all(&rule.target, &entry.target, &labels))?;
        let message = format!("The [[{word}]] rule in line {} decides before it", rule.line);
        Some((message, mend.to_owned()))
    };
    let by_entry = || {
        let wider = |(other_at, other): &(usize, &Entry)| {
            *other_at != at
                && !other.is_expired(facts.today)
                && other.target != entry.target
                && entry.variant.has_all(&other.variant)
                && means_all(&other.target, &entry.target, &labels)
        };
        let by_variant = |(other_at, other): &(usize, &Entry)| {
            *other_at != at
                && !other.is_expired(facts.today)
                && other.target == entry.target
                && other.variant != entry.variant
                && entry.variant.has_all(&other.variant)
        };
        let mut others = list.entries.iter().enumerate();
        let (_, other) =
            others.clone().find(|other| by_variant(other)).or_else(|| others.find(wider))?;
        let message = format!("The entry in line {} means the same tests already", other.line);
        Some((message, "remove it, or narrow the other".to_owned()))
    };
    let (message, mend) = by_rule(&list.never, "never", "remove it, or the rule")
        .or_else(|| by_rule(&list.always, "always", "remove it"))
        .or_else(by_entry)?;
    let target = entry.target.to_string();
    Some(Finding { line: entry.line, code: LintCode::Shadowed, target, message, mend })
}

/// An `always` rule of which nothing is left.
fn overruled(list: &List, rule: &Rule, facts: &LintFacts<'_>) -> Option<Finding> {
    let labels = meant(&rule.target, facts);
    let never = list.never.iter().find(|never| means_all(&never.target, &rule.target, &labels))?;
    Some(Finding {
        line: rule.line,
        code: LintCode::Shadowed,
        target: rule.target.to_string(),
        message: format!("The [[never]] rule in line {} decides before it", never.line),
        mend: "remove one of them".to_owned(),
    })
}

fn unmatched(line: usize, target: &Target, facts: &LintFacts<'_>, gone: &str) -> Option<Finding> {
    let known = facts.known?;
    let finding = |message: String, mend: String| Finding {
        line,
        code: LintCode::Unmatched,
        target: target.to_string(),
        message,
        mend,
    };
    let labels = meant(target, facts);
    let ran: Vec<&str> =
        labels.iter().copied().filter(|label| known.contains_key(*label)).collect();
    if ran.is_empty() {
        return Some(finding(
            "No test of the history is called so".to_owned(),
            hint(target, known),
        ));
    }
    let last = ran.iter().filter_map(|label| known.get(*label).copied().flatten()).max();
    match (last, facts.gone_before) {
        (Some(last), Some(limit)) if last < limit => {
            Some(finding(format!("It last ran on {last}"), gone.to_owned()))
        }
        (None, Some(_)) => {
            Some(finding("It did not run in this window".to_owned(), gone.to_owned()))
        }
        _ => None,
    }
}

/// The test that was perhaps meant.
fn hint(target: &Target, known: &BTreeMap<String, Option<NaiveDate>>) -> String {
    let labels: Vec<&str> = known.keys().map(String::as_str).collect();
    let like = match target {
        Target::Test(test) => match_name::find(test, &labels),
        Target::Pattern(_) => Vec::new(),
    };
    let close = |candidate: &&match_name::Candidate| candidate.fit != Fit::Words;
    let like = like.first().filter(close).and_then(|best| labels.get(best.place));
    match (like, target) {
        (Some(label), _) => format!("write it as it is printed: {label}"),
        (None, Target::Test(_)) => {
            "write it as `flakedb report` prints it, or remove it".to_owned()
        }
        (None, Target::Pattern(_)) => {
            "the pattern is for the whole name; `*` spans everything".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::parse;
    use super::*;

    const WHOLE: &str = "owner = \"@a\"\nreason = \"r\"\nticket = \"T-1\"\nexpires = 2026-12-10\n";

    fn found(text: &str, known: Option<&[(&str, &str)]>, allow: &[&str]) -> Vec<String> {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let known: Option<BTreeMap<String, Option<NaiveDate>>> = known.map(|known| {
            known.iter().map(|(label, last)| ((*label).to_owned(), day(last))).collect()
        });
        let allow: Vec<String> = allow.iter().map(|code| (*code).to_owned()).collect();
        let facts = LintFacts {
            today: "2026-11-26".parse().unwrap(),
            known: known.as_ref(),
            gone_before: day("2026-11-12"),
            owned: &|label| label == "owned",
            budget: known.as_ref().map(|known| (2, known.len() as u32)),
            allow: &allow,
        };
        let findings = lint(&parse(text).unwrap(), &facts);
        findings.iter().map(|finding| format!("{}:{}", finding.line, finding.code.word())).collect()
    }

    #[test]
    fn what_an_entry_must_say() {
        let bare = "[[entry]]\ntest = \"a\"\n";
        assert_eq!(
            found(bare, None, &[]),
            ["1:no-expiry", "1:no-owner", "1:no-reason", "1:no-ticket"]
        );
        assert_eq!(found(bare, None, &["no-ticket", "no-expiry"]), ["1:no-owner", "1:no-reason"]);
        assert!(found(&format!("[[entry]]\ntest = \"a\"\n{WHOLE}"), None, &[]).is_empty());
        let owned = WHOLE.replace("owner = \"@a\"\n", "");
        assert!(found(&format!("[[entry]]\ntest = \"owned\"\n{owned}"), None, &[]).is_empty());
        let over = WHOLE.replace("2026-12-10", "2026-11-26");
        assert_eq!(found(&format!("[[entry]]\ntest = \"a\"\n{over}"), None, &[]), ["1:expired"]);
    }

    fn entries(targets: &[&str]) -> String {
        targets.iter().map(|target| format!("[[entry]]\n{target}\n{WHOLE}")).collect()
    }

    #[test]
    fn twice_or_in_the_shadow_of_others() {
        // Entries are six lines each, seven with a variant.
        for (text, wanted) in [
            (entries(&["test = \"a\"", "test = \"a\""]), vec!["7:duplicate"]),
            (entries(&["test = \"a\"", "test = \"a\"\nvariant = \"os=x\""]), vec!["7:shadowed"]),
            (entries(&["test = \"a\"\nvariant = \"os=x\"", "test = \"a\"\nvariant = \"os=y\""]), vec![]),
            (entries(&["test = \"aa\"", "pattern = \"a*\""]), vec!["1:shadowed"]),
            (entries(&["test = \"aa\"", "pattern = \"a*\"\nvariant = \"os=x\""]), vec![]),
            (entries(&["test = \"a\""]) + "[[never]]\npattern = \"*\"\nreason = \"r\"", vec!["1:shadowed"]),
            (entries(&["test = \"a\""]) + "[[always]]\ntest = \"a\"\nreason = \"r\"", vec!["1:shadowed"]),
            (
                "[[always]]\ntest = \"a\"\nreason = \"r\"\n[[never]]\npattern = \"a\"\nreason = \"r\"\n[[never]]\npattern = \"a\"\nreason = \"r\"".to_owned(),
                vec!["1:shadowed", "7:duplicate"],
            ),
        ] {
            assert_eq!(found(&text, None, &[]), wanted, "{text}");
        }
    }

    #[test]
    fn what_means_no_test_and_what_is_too_much() {
        let text =
            entries(&["test = \"a\"", "test = \"old\"", "pattern = \"x*\"", "test = \"odl\""]);
        let known = [("a", "2026-11-25"), ("old", "2026-11-01")];
        assert_eq!(
            found(&text, Some(&known), &[]),
            ["7:unmatched", "13:unmatched", "19:unmatched"]
        );
        let all = [("a", "2026-11-25"), ("b", "2026-11-25"), ("c", "")];
        assert_eq!(found(&entries(&["pattern = \"?\""]), Some(&all), &[]), ["1:over-budget"]);
        assert!(found(&text, None, &[]).is_empty());
    }

    #[test]
    fn what_is_over_casts_no_shadow() {
        let over = |text: &str| text.replace("2026-12-10", "2026-11-20");
        let pattern = over(&entries(&["pattern = \"a*\""]));
        assert_eq!(found(&(entries(&["test = \"aa\""]) + &pattern), None, &[]), ["7:expired"]);
        let everywhere = over(&entries(&["test = \"a\""]));
        let text = everywhere + &entries(&["test = \"a\"\nvariant = \"os=x\""]);
        assert_eq!(found(&text, None, &[]), ["1:expired"]);
    }

    #[test]
    fn what_ran_on_the_last_day_is_there_and_what_never_ran_is_not() {
        let text = entries(&["test = \"a\"", "test = \"b\"", "test = \"c\""]);
        let known =
            [("a", "2026-11-12"), ("b", "2026-11-11"), ("c", ""), ("d", ""), ("e", ""), ("f", "")];
        let allow = ["over-budget"];
        assert_eq!(found(&text, Some(&known), &allow), ["7:unmatched", "13:unmatched"]);
    }

    #[test]
    fn a_name_is_mended_where_one_is_like_it() {
        let like = |target: &str| {
            let list = parse(&entries(&[target])).unwrap();
            let known = ["cart::adds", "cart::removes"].map(|label| (label.to_owned(), None));
            hint(&list.entries[0].target, &BTreeMap::from(known))
        };
        assert_eq!(like("test = \"Cart::Adds\""), "write it as it is printed: cart::adds");
        let plain = "write it as `flakedb report` prints it, or remove it";
        assert_eq!(like("test = \"nothing like it\""), plain);
        assert_eq!(like("test = \"adds cart\""), plain);
        assert_eq!(
            like("pattern = \"adds\""),
            "the pattern is for the whole name; `*` spans everything"
        );
    }

    #[test]
    fn the_codes_are_part_of_the_command_line() {
        let words = LintCode::ALL.map(LintCode::word).join(" ");
        let known = "expired no-expiry no-owner no-reason no-ticket duplicate shadowed unmatched over-budget";
        assert_eq!(words, known);
    }
}
