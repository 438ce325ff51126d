//! Arguments into things to open: files, directories, patterns and `-`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

use super::kind::Names;
use super::{InputCode, InputProblem, Origin, Source, cannot_read, shown};

/// The names that Jenkins gives to the files and folders of a job.
const JENKINS_JOB: &str = "config.xml";
const JENKINS_BUILDS: &str = "builds";
const JENKINS_BUILD: &str = "build.xml";
const JENKINS_RESULTS: &str = "junitResult.xml";

/// Expands what the user typed into things to open, sorted by path and each only once.
///
/// A file is taken whatever its name; a directory gives every `*.xml` in it, in any case, except
/// below names that begin with a dot; a pattern with `*`, `?`, `[` or `{` is taken as such only
/// where no file has that very name, and `**` crosses directories; `-` is the standard input.
/// Links are followed; a link into its own parents is left out.
///
/// Problems: a missing file, a pattern or directory without reports, what could not be listed.
#[must_use]
pub fn sources(arguments: &[PathBuf]) -> (Vec<Source>, Vec<InputProblem>) {
    let xml = Names::new(&[".xml"]);
    sources_like(arguments, &xml, &xml)
}

/// Like [`sources`], with the names that are `walked` for in directories and those that are taken
/// out of archives.
#[must_use]
pub fn sources_like(
    arguments: &[PathBuf],
    walked: &Names,
    archived: &Names,
) -> (Vec<Source>, Vec<InputProblem>) {
    let mut found = Found::new(walked);
    for argument in arguments {
        let name = shown(argument.as_os_str().as_encoded_bytes());
        match (argument.as_os_str() == "-", fs::metadata(argument)) {
            (true, _) => found.stdin = true,
            (false, Ok(metadata)) if metadata.is_dir() => found.add_directory(argument, &name),
            (false, Ok(_)) => found.add(argument.clone(), real(argument), true),
            (false, Err(error)) => match pattern(argument) {
                // A link that leads nowhere has a name, so it is no pattern.
                Some(pattern) if fs::symlink_metadata(argument).is_err() => {
                    found.add_pattern(pattern, &name);
                }
                _ => found.problems.push(InputProblem::reject(
                    &name,
                    InputCode::Io,
                    cannot_read(&error),
                )),
            },
        }
    }
    found.finish(archived)
}

struct Found<'a> {
    stdin: bool,
    /// By the file they are, so that no file is read twice however it was reached.
    files: HashMap<PathBuf, (PathBuf, bool)>,
    problems: Vec<InputProblem>,
    walked: &'a Names,
    /// What each folder that was walked is without links: finding out asks the system for each of its parents.
    folders: HashMap<PathBuf, PathBuf>,
}

impl<'a> Found<'a> {
    fn new(walked: &'a Names) -> Self {
        let (files, folders) = (HashMap::new(), HashMap::new());
        Self { stdin: false, files, problems: Vec::new(), walked, folders }
    }

    fn add(&mut self, path: PathBuf, key: PathBuf, named: bool) {
        let entry = self.files.entry(key).or_insert_with(|| (path.clone(), named));
        match (entry.1, named) {
            (false, true) => *entry = (path, true),
            // Of two ways to one file the smaller path wins, whatever the order of the walk.
            (known, new) if known == new && path < entry.0 => entry.0 = path,
            _ => {}
        }
    }

    fn add_directory(&mut self, directory: &Path, name: &str) {
        let walked = self.walked;
        let jenkins = JenkinsBuilds::default();
        let accept = |path: &Path| walked.has(file_name(path)) && !jenkins.is_beside_results(path);
        let skip = |entry: &DirEntry| {
            is_hidden(entry) && !walked.is_whole(entry.file_name().as_encoded_bytes())
        };
        if self.walk(directory, skip, accept) > 0 {
            return;
        }
        let problem = if walked.has(file_name(directory)) {
            let message =
                format!("is a directory, not a report, and there is no {walked} file in it");
            InputProblem::reject(name, InputCode::IsDirectory, message)
        } else {
            let message = format!(
                "has no {walked} file in it; name the files, or check where the runner writes reports"
            );
            InputProblem::reject(name, InputCode::NoMatch, message)
        };
        self.problems.push(problem);
    }

    fn add_pattern(&mut self, pattern: Result<Pattern, globset::Error>, name: &str) {
        let pattern = match pattern {
            Ok(pattern) => pattern,
            Err(error) => {
                let message = format!("is no valid pattern: {}; quote or mend it", error.kind());
                self.problems.push(InputProblem::reject(name, InputCode::NoMatch, message));
                return;
            }
        };
        let skip = |entry: &DirEntry| !pattern.hidden && is_hidden(entry);
        let accept = |path: &Path| pattern.matcher.is_match(plain(path));
        let listed = fs::metadata(&pattern.base).is_ok_and(|metadata| metadata.is_dir());
        if !listed || self.walk(&pattern.base, skip, accept) == 0 {
            self.problems.push(InputProblem::reject(
                name,
                InputCode::NoMatch,
                "matches no file; quote it if the shell changed it, and use ** to cross directories",
            ));
        }
    }

    /// Walks a directory; the number of files taken and of problems met.
    fn walk(
        &mut self,
        base: &Path,
        skip: impl Fn(&DirEntry) -> bool,
        accept: impl Fn(&Path) -> bool,
    ) -> usize {
        let mut met = 0;
        let walk = WalkDir::new(base).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !skip(entry)) {
            match entry {
                // Not is_file of the name: a pipe in a directory would be waited for.
                Ok(entry) if entry.file_type().is_file() && accept(entry.path()) => {
                    let key = self.real_entry(&entry);
                    self.add(entry.into_path(), key, false);
                    met += 1;
                }
                Ok(_) => {}
                Err(error) => met += self.walk_error(&error, &accept),
            }
        }
        met
    }

    /// The file that an entry is, whatever links lead to it.
    fn real_entry(&mut self, entry: &DirEntry) -> PathBuf {
        match entry.path().parent() {
            Some(folder) if entry.depth() > 0 && !entry.path_is_symlink() => {
                if !self.folders.contains_key(folder) {
                    self.folders.insert(folder.to_owned(), real(folder));
                }
                let known = self.folders.get(folder).map_or(folder, PathBuf::as_path);
                known.join(entry.file_name())
            }
            _ => real(entry.path()),
        }
    }

    /// Notes what a walk could not list; 1 if it counts as something met.
    fn walk_error(&mut self, error: &walkdir::Error, accept: impl Fn(&Path) -> bool) -> usize {
        let path = error.path().unwrap_or_else(|| Path::new(""));
        let bytes = path.as_os_str().as_encoded_bytes();
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        match (error.loop_ancestor(), error.io_error()) {
            // What the link leads to is walked anyway.
            (Some(_), _) | (None, None) => 0,
            // A dangling link to something else than a report is none of our business.
            (None, Some(_)) if is_link && !accept(path) => 0,
            (None, Some(io_error)) => {
                let message = cannot_read(io_error);
                self.problems.push(InputProblem::reject(&shown(bytes), InputCode::Io, message));
                1
            }
        }
    }

    fn finish(self, archived: &Names) -> (Vec<Source>, Vec<InputProblem>) {
        let mut files: Vec<(PathBuf, bool)> = self.files.into_values().collect();
        files.sort();
        let source = |origin, named| Source { origin, named, archived: archived.clone() };
        let stdin = self.stdin.then(|| source(Origin::Stdin, true));
        let file = |(path, named)| source(Origin::File(path), named);
        (stdin.into_iter().chain(files.into_iter().map(file)).collect(), self.problems)
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().first() == Some(&b'.')
}

fn file_name(path: &Path) -> &[u8] {
    path.file_name().map_or(&[], std::ffi::OsStr::as_encoded_bytes)
}

/// A path without links; as it is where the system does not say.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Where a build of Jenkins has its results, for each folder that was asked about: the nearest build at or above it.
#[derive(Default)]
struct JenkinsBuilds(RefCell<HashMap<PathBuf, Option<PathBuf>>>);

impl JenkinsBuilds {
    /// True for a file in a job of Jenkins that is not the results of a build: Jenkins keeps all it
    /// knows as XML, and often the reports themselves, too, whose results it has read already.
    fn is_beside_results(&self, path: &Path) -> bool {
        let Some(folder) = path.parent() else { return false };
        let mut known = self.0.borrow_mut();
        if !known.contains_key(folder) {
            known.insert(folder.to_owned(), jenkins_results(folder));
        }
        match known.get(folder) {
            Some(Some(results)) => results != path,
            _ => file_name(path) == JENKINS_JOB.as_bytes() && folder.join(JENKINS_BUILDS).is_dir(),
        }
    }
}

fn jenkins_results(folder: &Path) -> Option<PathBuf> {
    let is_build = |folder: &&Path| {
        let is_below_builds =
            folder.parent().is_some_and(|parent| file_name(parent) == JENKINS_BUILDS.as_bytes());
        // Links such as lastStableBuild lie elsewhere.
        folder.join(JENKINS_BUILD).is_file()
            && (is_below_builds || folder.join(JENKINS_RESULTS).is_file())
    };
    folder.ancestors().find(is_build).map(|build| build.join(JENKINS_RESULTS))
}

struct Pattern {
    /// The directory in front of the first wildcard.
    base: PathBuf,
    matcher: GlobMatcher,
    /// True if the pattern itself asks for names that begin with a dot.
    hidden: bool,
}

/// The pattern that an argument is; `None` for a plain path.
fn pattern(argument: &Path) -> Option<Result<Pattern, globset::Error>> {
    let is_wild = |text: &str| text.contains(['*', '?', '[', '{']);
    let text = argument.to_str().filter(|text| is_wild(text))?;
    let argument = plain(Path::new(text));
    let base: PathBuf = argument
        .components()
        .take_while(|part| !part.as_os_str().to_str().is_none_or(is_wild))
        .collect();
    let rest = argument.strip_prefix(&base).unwrap_or(argument);
    let hidden = rest.components().any(|part| match part {
        Component::Normal(name) => name.as_encoded_bytes().first() == Some(&b'.'),
        _ => false,
    });
    let glob = GlobBuilder::new(argument.to_str().unwrap_or(text)).literal_separator(true).build();
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    Some(glob.map(|glob| Pattern { base, matcher: glob.compile_matcher(), hidden }))
}

/// A path without the `./` in front, so that `./**/*.xml` and `**/*.xml` are the same.
fn plain(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}
