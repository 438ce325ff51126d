//! Jenkins: the folder of one build, with `junitResult.xml` and, beside it, `build.xml`.
//!
//! Build, job, branch and matrix cell are written as flakedb writes them inside of Jenkins, so that
//! a build which was imported and one that was ingested by its own job are the same run.

mod build;
mod markup;
mod result;

use super::finding::{Code, Findings};
use super::{Extent, Format, Run, Sink, Source};
use crate::model::{Facts, ReportHash, Started, Variant};

use build::Build;
use markup::Stop;
use result::Results;

pub(super) const FORMAT: Format = Format {
    name: "jenkins",
    summary: "a build folder of Jenkins (builds/N/junitResult.xml, build.xml)",
    extent: Extent::Past,
    file_names: &[RESULT_FILE],
    companion: Some(BUILD_FILE),
    // XML is told by its root.
    sniff: |_| false,
    reader: read,
};

/// What Jenkins keeps of a build's reports.
pub const RESULT_FILE: &str = "junitResult.xml";
/// What Jenkins keeps of the build itself.
pub const BUILD_FILE: &str = "build.xml";

/// True for the results that Jenkins kept of a build.
pub(super) fn is_result(bytes: &[u8]) -> bool {
    markup::root(bytes).is_some_and(|(root, has_suites)| root == "result" && has_suites)
}

/// True for what Jenkins keeps of a build itself, and of the job.
pub(super) fn is_record(bytes: &[u8]) -> bool {
    let is_known = |root: &str| {
        matches!(root, "build" | "flow-build" | "matrix-build" | "matrix-run")
            || matches!(root, "project" | "flow-definition" | "matrix-project" | "maven2-moduleset")
            || root.starts_with("hudson.")
            || root.starts_with("org.jenkinsci.")
    };
    markup::root(bytes).is_some_and(|(root, _)| is_known(&root))
}

fn read(source: &Source<'_>, findings: &mut Findings, sink: Sink<'_>) -> u64 {
    let (results, end) = Results::read(source.bytes);
    if !results.is_result() {
        let message = "the root is not `<result>`, so Jenkins did not write it; name the \
                       junitResult.xml of a build, or the folder of the job";
        findings.add(Code::WrongFormat, 1, 1, message);
        return 0;
    }
    let is_whole = end.is_ok() && !source.truncated;
    match end {
        Ok(()) if source.truncated => {
            let message =
                "the container of the document was cut off; read it again once it is whole";
            findings.add(Code::Truncated, 0, 0, message);
        }
        Ok(()) => {}
        Err(Stop::Cut) => {
            let message =
                "the document was cut off; only its whole cases were kept, so copy it again";
            findings.add(Code::Truncated, 0, 0, message);
        }
        Err(Stop::Broken(at, why)) => {
            let line = line_of(source.bytes, at);
            let message = format!(
                "{}; only the cases before that were kept, so copy the file again",
                crate::junit::shortened(&why)
            );
            findings.add(Code::Malformed, line, 0, message);
        }
    }
    if !is_whole && results.is_empty() {
        return 0;
    }
    let place = source.path.map(Place::of).unwrap_or_default();
    let build = source.companion.map(Build::read);
    if build.is_none() {
        let message = "there is no build.xml beside it, so start and revision are unknown; copy \
                       the whole folder of the build";
        findings.add(Code::NoBuild, 0, 0, message);
    }
    let build = build.unwrap_or_default();
    let started = build.started.map(Started::At).or_else(|| results.started());
    let mut found = Vec::new();
    let mut report = results.report(&mut found);
    found.into_iter().for_each(|finding| findings.push(finding));
    report.complete = is_whole && !build.is_aborted;
    report.host.clone_from(&build.host);
    report.started = started;
    let number = build.number.clone().or(place.number.clone());
    let facts = build.facts(number.as_deref()).or(place.facts(number.as_deref()));
    let hash = ReportHash::of(source.bytes);
    let order = number.and_then(|number| number.parse().ok()).unwrap_or(0);
    sink(Run { facts, started, place: order, hash, report });
    1
}

fn line_of(bytes: &[u8], at: u64) -> u32 {
    let before = bytes.get(..usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or(bytes);
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// What the place of a build in Jenkins' home says:
/// `jobs/FOLDER/jobs/NAME/branches/BRANCH/configurations/axis-os/linux/builds/12/junitResult.xml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    number: Option<String>,
    /// As in `JOB_NAME`, its folders and the branch included.
    job: Option<String>,
    branch: Option<String>,
    variant: Variant,
}

impl Place {
    fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        let [above @ .., "builds", number, _] = parts.as_slice() else { return Self::default() };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let (above, variant) = match above.iter().position(|part| *part == "configurations") {
            Some(at) => {
                let (job, cell) = above.split_at(at);
                (job, matrix_cell(cell.get(1..).unwrap_or_default()))
            }
            None => (above, Variant::default()),
        };
        let branch = match above {
            [.., "branches", name] => Some((*name).to_owned()),
            _ => None,
        };
        let mut names: Vec<&str> = Vec::new();
        let mut rest = above;
        while let [before @ .., "jobs" | "branches", name] = rest {
            names.insert(0, name);
            rest = before;
        }
        if names.is_empty() {
            names.extend(above.last());
        }
        Self {
            number: is_number.then(|| (*number).to_owned()),
            job: (!names.is_empty()).then(|| names.join("/")),
            branch,
            variant,
        }
    }

    fn facts(&self, number: Option<&str>) -> Facts {
        // `BUILD_TAG`, which a job in Jenkins goes by.
        let build = match (&self.job, number) {
            (Some(job), Some(number)) => {
                Some(format!("jenkins-{}-{number}", job.replace('/', "-")))
            }
            (None, number) => number.map(str::to_owned),
            (Some(_), None) => None,
        };
        let variant = (!self.variant.is_empty()).then(|| self.variant.clone());
        let branch = self.branch.clone();
        Facts { build, branch, job: self.job.clone(), variant, ..Facts::default() }
    }
}

/// `axis-os/linux/axis-jdk/17`.
fn matrix_cell(parts: &[&str]) -> Variant {
    parts.chunks(2).fold(Variant::default(), |variant, pair| match pair {
        [axis, value] => variant.with(axis.strip_prefix("axis-").unwrap_or(axis), value),
        _ => variant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_build_names_it_as_jenkins_does() {
        let place = |path| {
            let place = Place::of(path);
            let facts = place.facts(place.number.as_deref());
            (
                facts.build.unwrap_or_default(),
                place.job.unwrap_or_default(),
                place.variant.to_string(),
            )
        };
        let home = "/var/jenkins_home/jobs/team/jobs/app/branches/PR-12/builds/7/junitResult.xml";
        assert_eq!(
            place(home),
            ("jenkins-team-app-PR-12-7".into(), "team/app/PR-12".into(), String::new())
        );
        let cell = "jobs/app/configurations/axis-os/linux/axis-jdk/17/builds/3/junitResult.xml";
        assert_eq!(place(cell), ("jenkins-app-3".into(), "app".into(), "jdk=17,os=linux".into()));
        let copied = "backup/app/builds/12/junitResult.xml";
        assert_eq!(place(copied), ("jenkins-app-12".into(), "app".into(), String::new()));
        assert_eq!(place("junitResult.xml"), Default::default());
    }
}
