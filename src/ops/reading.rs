//! Opening and reading many inputs at once: what ingest and validate share.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::context::input::{Document, InputProblem, Source, sources};
use crate::import;
use crate::junit::{self, ReadOptions, Reading};
use crate::model::Timestamp;

use super::Watcher;

/// What to read, and how.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    /// Files, directories, globs; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// How to read them.
    pub format: InputFormat,
    /// Threads; one for each core where it is `None`.
    pub jobs: Option<usize>,
    /// The root of the repository, which makes source files relative.
    pub repository_root: Option<String>,
    /// Now, to recognise times that lie in the future.
    pub now: Option<Timestamp>,
}

/// How documents are read.
#[derive(Debug, Clone, Copy, Default)]
pub enum InputFormat {
    /// As what each of them looks like.
    #[default]
    Detected,
    /// As JUnit XML, whatever they look like.
    Junit,
    /// As this format, whatever they look like.
    Import(&'static import::Format),
}

impl InputFormat {
    /// The word that selects JUnit XML.
    pub const JUNIT: &'static str = "junit";

    fn of(self, document: &Document) -> Option<&'static import::Format> {
        match self {
            Self::Detected => import::Format::detect(&document.bytes),
            Self::Junit => None,
            Self::Import(format) => Some(format),
        }
    }
}

/// One input after reading: a document with its reading, or why there is none.
pub enum Input {
    /// A document was read, however badly.
    Read(Box<(Document, Reading)>),
    /// A document of another format, which is read run by run.
    Import(Box<Document>, &'static import::Format),
    /// Nothing could be read.
    Problem(InputProblem),
}

/// Opens and reads everything, many inputs at a time, and hands each to `each` as it is done.
///
/// `each` is called from many threads, in no order; what it returns is collected in the order of
/// the inputs.
pub fn read_all<T: Send>(
    request: &ReadRequest,
    watcher: &dyn Watcher,
    each: &(dyn Fn(Input) -> T + Sync),
) -> Vec<T> {
    let (sources, problems) = sources(&request.paths);
    watcher.phase("reading");
    watcher.steps(sources.len() as u64);
    let mut done: Vec<T> =
        problems.into_iter().map(|problem| each(Input::Problem(problem))).collect();
    let work = || -> Vec<Vec<T>> {
        let one = |source: &Source| {
            let results = read_source(source, request, each);
            watcher.step();
            results
        };
        sources.par_iter().map(one).collect()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs.unwrap_or(0)).build();
    // Where no thread can be started the global pool still does the work.
    let read = pool.map_or_else(|_| work(), |pool| pool.install(work));
    done.extend(read.into_iter().flatten());
    done
}

fn read_source<T>(
    source: &Source,
    request: &ReadRequest,
    each: &(dyn Fn(Input) -> T + Sync),
) -> Vec<T> {
    let read = |document: Document| {
        if let Some(format) = request.format.of(&document) {
            return Input::Import(Box::new(document), format);
        }
        let path = document.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let options = ReadOptions {
            source_path: path.as_deref(),
            repository_root: request.repository_root.as_deref(),
            now: request.now,
            truncated: document.truncated,
        };
        let reading = junit::read(&document.bytes, &options);
        Input::Read(Box::new((document, reading)))
    };
    source.load().into_iter().map(|loaded| each(loaded.map_or_else(Input::Problem, read))).collect()
}
