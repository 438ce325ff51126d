//! Who owns a path, by the CODEOWNERS file of GitHub, GitLab or Bitbucket.
//!
//! The three agree on lines of a pattern and its owners and differ in nearly all else, so the
//! [`Flavour`] decides how a file is read:
//!
//! | | GitHub | GitLab | Bitbucket |
//! | --- | --- | --- | --- |
//! | who wins | last match | last match of each section, all sections together | last match |
//! | `a/b` | from the root | at any depth | from the root |
//! | `docs` | a file, or all below it | a file | a file, or all below it |
//! | `!a` | an error | taken out of its section | unowned |
//! | `[ab]` | an error | a set | an error |
//! | besides | inline comments | `[Section][2] @default`, `^[Optional]` | `@@@group`, `{a,b}`, quotes |
//!
//! Sources: <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>,
//! <https://docs.gitlab.com/user/project/codeowners/reference/>,
//! <https://support.atlassian.com/bitbucket-cloud/docs/set-up-and-use-code-owners/> and
//! <https://docs.mibexsoftware.com/codeowners/owner-rules>.

mod parse;
mod pattern;
mod source;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use pattern::Pattern;

use crate::model::limits::{CODEOWNERS_BYTES_MAX, CODEOWNERS_PATH_BYTES_MAX};

/// Where files may lie, in the order in which the forges look.
const PLACES: [(&str, Option<Flavour>); 5] = [
    (".github/CODEOWNERS", Some(Flavour::GitHub)),
    (".bitbucket/CODEOWNERS", Some(Flavour::Bitbucket)),
    ("CODEOWNERS", None),
    ("docs/CODEOWNERS", None),
    (".gitlab/CODEOWNERS", Some(Flavour::GitLab)),
];

/// Whose rules a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// GitHub, and Gitea and Forgejo, which follow it.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Cloud, and Data Center with the Code Owners plugin.
    Bitbucket,
}

/// The rules of a CODEOWNERS file.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    sections: Vec<Section>,
    /// The top of the repository, where the rules were found in one.
    root: Option<PathBuf>,
}

/// Rules that are judged together.
#[derive(Debug, Clone, Default)]
struct Section {
    /// In lower case, as names are compared; empty for rules before any heading.
    name: String,
    defaults: Vec<String>,
    rules: Vec<Rule>,
    /// What matches here has no owner in this section, whatever the rules say.
    exclusions: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    owners: Vec<String>,
}

/// A line of a CODEOWNERS file that has no effect, or not the one it seems to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct OwnersProblem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and the mend.
    pub message: String,
}

/// A CODEOWNERS file that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Whose rules it was read by.
    pub flavour: Flavour,
    /// Its rules.
    pub owners: Owners,
    /// Its lines that have no effect.
    pub problems: Vec<OwnersProblem>,
}

impl Owners {
    /// Reads the CODEOWNERS file of the repository whose top directory is `root`; `None` where no
    /// readable one lies in any of the places where forges look.
    #[must_use]
    pub fn find(root: &Path) -> Option<Found> {
        PLACES.iter().find_map(|(place, flavour)| {
            let path = root.join(place);
            let mut bytes = Vec::new();
            let file = File::open(&path).ok()?;
            file.take(CODEOWNERS_BYTES_MAX).read_to_end(&mut bytes).ok()?;
            let text = String::from_utf8_lossy(&bytes);
            let flavour = flavour.unwrap_or_else(|| guess(root, &text));
            let (rules, problems) = Self::parse(&text, flavour);
            let owners = Self { root: Some(root.to_owned()), ..rules };
            Some(Found { path, flavour, owners, problems })
        })
    }

    /// Reads the text of a CODEOWNERS file: the rules, and the lines that have no effect.
    ///
    /// ```
    /// use flakedb::context::owners::{Flavour, Owners};
    /// let (owners, problems) = Owners::parse("* @all\n/docs/ @writers\n", Flavour::GitHub);
    /// assert!(problems.is_empty());
    /// assert_eq!(owners.of("docs/a/b.md"), ["@writers"]);
    /// assert_eq!(owners.of("src/docs/b.md"), ["@all"]);
    /// ```
    #[must_use]
    pub fn parse(text: &str, flavour: Flavour) -> (Self, Vec<OwnersProblem>) {
        parse::parse(text, flavour)
    }

    /// The owners of a path, which is relative to the top of the repository; none where no rule
    /// matches. The cost is at most the length of all patterns times that of the path.
    #[must_use]
    pub fn of(&self, path: &str) -> Vec<&str> {
        if path.len() > CODEOWNERS_PATH_BYTES_MAX {
            return Vec::new();
        }
        let path = path.replace('\\', "/");
        let segments: Vec<Vec<char>> = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(|part| part.chars().collect())
            .collect();
        let mut owners: Vec<&str> = Vec::new();
        for section in &self.sections {
            if section.exclusions.iter().any(|pattern| pattern.matches(&segments)) {
                continue;
            }
            let last = section.rules.iter().rfind(|rule| rule.pattern.matches(&segments));
            for owner in last.map(|rule| rule.owners.as_slice()).unwrap_or_default() {
                if !owners.contains(&owner.as_str()) {
                    owners.push(owner);
                }
            }
        }
        owners
    }

    /// The owners of a test: of its file, or where reports name none, of the source file of its class
    /// in the repository that the rules were found in.
    #[must_use]
    pub fn of_test(&self, file: &str, classname: &str) -> Vec<&str> {
        if !file.is_empty() {
            return self.of(file);
        }
        let root = self.root.as_deref().filter(|_| !self.is_empty());
        let found = root.and_then(|root| source::source(root, classname));
        found.map(|file| self.of(&file)).unwrap_or_default()
    }

    /// True if the file has no rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.iter().all(|section| section.rules.is_empty())
    }
}

/// The forge of a file that lies where more than one forge looks.
fn guess(root: &Path, text: &str) -> Flavour {
    let has = |name: &str| root.join(name).exists();
    let any_line = |starts: &[&str]| {
        text.lines().any(|line| starts.iter().any(|start| line.trim_start().starts_with(start)))
    };
    if has(".gitlab-ci.yml") || has(".gitlab") || any_line(&["[", "^["]) {
        Flavour::GitLab
    } else if has("bitbucket-pipelines.yml") || any_line(&["@@@"]) {
        Flavour::Bitbucket
    } else {
        Flavour::GitHub
    }
}
