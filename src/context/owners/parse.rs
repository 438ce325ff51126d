//! Lines of a CODEOWNERS file into rules.

use std::collections::{HashMap, HashSet};

use super::pattern::{Pattern, alternatives};
use super::{Flavour, Owners, OwnersProblem, Rule, Section};
use crate::model::limits::{CODEOWNERS_ALTERNATIVES_MAX, CODEOWNERS_PATTERN_BYTES_MAX};

/// Reads all lines; what is wrong with one leaves the others as they are.
pub(super) fn parse(text: &str, flavour: Flavour) -> (Owners, Vec<OwnersProblem>) {
    let mut reader = Reader {
        flavour,
        sections: vec![Section::default()],
        current: 0,
        groups: HashMap::new(),
        problems: Vec::new(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(message) = reader.line(line) {
            reader.problems.push(OwnersProblem { line: index + 1, message });
        }
    }
    reader.finish()
}

struct Reader {
    flavour: Flavour,
    sections: Vec<Section>,
    /// The section that lines go to now.
    current: usize,
    /// Members of the groups that the file itself defines.
    groups: HashMap<String, Vec<String>>,
    problems: Vec<OwnersProblem>,
}

type Read = Result<(), String>;

impl Reader {
    fn line(&mut self, line: &str) -> Read {
        let heading = if self.flavour == Flavour::GitLab { heading(line) } else { None };
        if let Some((name, defaults)) = heading {
            return self.section(name, defaults);
        }
        let mut words = words(line, self.flavour).into_iter();
        let Some(first) = words.next() else { return Ok(()) };
        let rest: Vec<String> = words.collect();
        if let (Flavour::Bitbucket, Some(name)) = (self.flavour, first.strip_prefix("@@@")) {
            let members = owners(rest, self.flavour)?;
            self.groups.insert(name.to_owned(), members);
            return Ok(());
        }
        if self.flavour == Flavour::Bitbucket && is_setting(&first) {
            return Ok(());
        }
        if first.len() > CODEOWNERS_PATTERN_BYTES_MAX {
            return Err(format!(
                "the pattern is longer than {CODEOWNERS_PATTERN_BYTES_MAX} bytes, the limit; the \
                 line has no effect"
            ));
        }
        match (self.flavour, first.strip_prefix('!')) {
            (Flavour::GitHub, Some(_)) => {
                Err("GitHub knows no `!`; give the path to nobody by a line with the pattern alone"
                    .to_owned())
            }
            (Flavour::GitLab, Some(pattern)) => {
                let pattern = self.pattern(pattern)?;
                self.here().exclusions.push(pattern);
                Ok(())
            }
            (Flavour::Bitbucket, Some(pattern)) => self.rules(pattern, &[]),
            (Flavour::GitLab, None) => self.gitlab_rule(&first, rest),
            (flavour, None) => {
                let owners = owners(rest, flavour)?;
                self.rules(&first, &owners)
            }
        }
    }

    fn here(&mut self) -> &mut Section {
        if self.current >= self.sections.len() {
            self.sections.push(Section::default());
            self.current = self.sections.len() - 1;
        }
        &mut self.sections[self.current]
    }

    /// Sections of one name are one section, wherever their lines stand.
    fn section(&mut self, name: &str, defaults: &str) -> Read {
        let name = name.trim().to_lowercase();
        if name.is_empty() {
            return Err("the section has no name; write [Name]".to_owned());
        }
        let known = self.sections.iter().position(|section| section.name == name);
        self.current = known.unwrap_or(self.sections.len());
        let (defaults, wrong) = gitlab_owners(words(defaults, self.flavour));
        let section = self.here();
        section.name = name;
        if !defaults.is_empty() {
            section.defaults = defaults;
        }
        wrong.map_or(Ok(()), |word| Err(not_an_owner(&word)))
    }

    fn gitlab_rule(&mut self, pattern: &str, rest: Vec<String>) -> Read {
        let (mut owners, wrong) = gitlab_owners(rest);
        if owners.is_empty() {
            owners.clone_from(&self.here().defaults);
        }
        let ownerless = owners.is_empty();
        self.rules(pattern, &owners)?;
        match wrong {
            Some(word) => Err(not_an_owner(&word)),
            None if ownerless => {
                Err("has no owner and its section no default; add one, or take the path out with !"
                    .to_owned())
            }
            None => Ok(()),
        }
    }

    fn rules(&mut self, pattern: &str, owners: &[String]) -> Read {
        let patterns = match self.flavour {
            Flavour::Bitbucket => alternatives(pattern).ok_or_else(|| {
                format!("the braces stand for more than {CODEOWNERS_ALTERNATIVES_MAX} patterns")
            })?,
            Flavour::GitHub | Flavour::GitLab => vec![pattern.to_owned()],
        };
        for pattern in patterns {
            let rule = Rule { pattern: self.pattern(&pattern)?, owners: owners.to_vec() };
            self.here().rules.push(rule);
        }
        Ok(())
    }

    fn pattern(&self, text: &str) -> Result<Pattern, String> {
        if self.flavour != Flavour::GitLab && text.contains(['[', ']']) {
            return Err("sets such as [ab] are not known here; write one line for each".to_owned());
        }
        if self.flavour == Flavour::GitHub && text.starts_with("\\#") {
            return Err("GitHub has no way to escape #; match it with ?".to_owned());
        }
        Pattern::new(text, self.flavour)
            .ok_or_else(|| format!("`{text}` names no path; write * for every file"))
    }

    fn finish(mut self) -> (Owners, Vec<OwnersProblem>) {
        if !self.groups.is_empty() {
            for rule in self.sections.iter_mut().flat_map(|section| &mut section.rules) {
                rule.owners = members(&rule.owners, &self.groups);
            }
        }
        (Owners { sections: self.sections, root: None }, self.problems)
    }
}

/// Owners with the groups that the file defines replaced by their members, each once.
fn members(owners: &[String], groups: &HashMap<String, Vec<String>>) -> Vec<String> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    let mut open: Vec<&String> = owners.iter().rev().collect();
    while let Some(owner) = open.pop() {
        // A group may hold itself, directly or through others.
        if !seen.insert(owner) {
            continue;
        }
        match owner.strip_prefix("@@").and_then(|name| groups.get(name)) {
            Some(group) => open.extend(group.iter().rev()),
            None => found.push(owner.clone()),
        }
    }
    found
}

/// The owners of a line of GitHub or Bitbucket, where one wrong word spoils the line.
fn owners(words: Vec<String>, flavour: Flavour) -> Result<Vec<String>, String> {
    let owners: Vec<String> = match flavour {
        Flavour::Bitbucket => words.iter().map(|word| without_strategy(word).to_owned()).collect(),
        Flavour::GitHub | Flavour::GitLab => words,
    };
    match owners.iter().find(|word| !is_owner(word)) {
        Some(word) => Err(not_an_owner(word)),
        None => Ok(owners),
    }
}

/// The owners among the words of a line of GitLab, and the first word that is none; what follows a
/// `#` is still read, as GitLab does.
fn gitlab_owners(words: Vec<String>) -> (Vec<String>, Option<String>) {
    let commented = words.iter().any(|word| word.starts_with('#'));
    let (owners, others): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| is_owner(word));
    (owners, others.into_iter().next().filter(|_| !commented))
}

fn not_an_owner(word: &str) -> String {
    format!(
        "`{word}` is no owner; write @user, @group/team or an address, and escape spaces by a backslash"
    )
}

/// True for `@user`, `@group/team`, `@@role` and addresses.
fn is_owner(word: &str) -> bool {
    match word.split_once('@') {
        Some(("", name)) => !name.trim_start_matches('@').is_empty(),
        Some((_, host)) => !host.is_empty() && !word.starts_with('#'),
        None => false,
    }
}

/// An owner without Bitbucket's way to choose among its members, such as `:random(2)`.
fn without_strategy(word: &str) -> &str {
    const STRATEGIES: [&str; 3] = ["all", "random", "least_busy"];
    match word.rsplit_once(':') {
        Some((owner, strategy)) => {
            let name = strategy.split_once('(').map_or(strategy, |(name, _count)| name);
            if STRATEGIES.contains(&name) { owner } else { word }
        }
        None => word,
    }
}

/// True for the plugin's settings and merge checks, which own nothing.
fn is_setting(word: &str) -> bool {
    const BEGINNINGS: [&str; 3] = ["CODEOWNERS.", "Check(", "OverallCheck("];
    BEGINNINGS.iter().any(|start| word.starts_with(start))
}

/// The name and default owners of `[Name][2] @default` or `^[Name]`; `None` for other lines.
fn heading(line: &str) -> Option<(&str, &str)> {
    let inside = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, after) = inside.split_once(']')?;
    let after = match after.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => after,
    };
    // Without a space it is a pattern that begins with a set, such as `[ab].rb`.
    (after.is_empty() || after.starts_with(char::is_whitespace)).then_some((name, after))
}

/// The words of a line: split at spaces that are neither escaped nor, in Bitbucket, quoted.
/// Backslashes stay, since patterns know them too; a word that begins with `#` ends the line.
fn words(line: &str, flavour: Flavour) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                word.push(c);
                word.extend(chars.next());
            }
            '"' if flavour == Flavour::Bitbucket => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            '#' if word.is_empty() && !quoted && flavour != Flavour::GitLab => break,
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
