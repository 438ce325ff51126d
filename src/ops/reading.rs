//! Opening and reading many inputs at once: what ingest and validate share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::context::input::{Document, InputProblem, Names, Source, sources, sources_like};
use crate::import;
use crate::junit::{self, ReadOptions, Reading};
use crate::model::Timestamp;

use super::Watcher;

/// What the readers of all threads may remember together: the tests of a few files for each, as
/// files that hold the same tests are read behind each other.
const REMEMBERED_BYTES: usize = 8 << 20;

thread_local! {
    // Remembers tests from report to report, which are mostly the same.
    static READER: RefCell<junit::Reader> = RefCell::new(junit::Reader::within(
        REMEMBERED_BYTES / rayon::current_num_threads().max(1),
    ));
}

/// What to read, and how.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    /// Files, directories, globs; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Documents that were opened already, to be read before the paths.
    pub documents: Vec<Document>,
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

    /// The names of files to walk for, and to take out of archives.
    fn names(self) -> (Names, Names) {
        const XML: &str = ".xml";
        let xml = || Names::new(&[XML]);
        match self {
            Self::Junit => (xml(), xml()),
            Self::Import(format) => (Names::new(format.file_names), Names::new(format.file_names)),
            // Directories are full of JSON; an archive was made to be read.
            Self::Detected => {
                let names = import::FORMATS.iter().flat_map(|format| format.file_names);
                let all: Vec<&str> = std::iter::once(&XML).chain(names).copied().collect();
                (xml(), Names::new(&all))
            }
        }
    }
}

/// A document of another format.
pub struct Import {
    /// The document.
    pub document: Document,
    /// Its format.
    pub format: &'static import::Format,
    /// The file that the format looks for beside it.
    pub companion: Option<Vec<u8>>,
}

/// One input after reading: a document with its reading, or why there is none.
pub enum Input {
    /// A document was read, however badly.
    Read(Box<(Document, Reading)>),
    /// A document of another format, which is read run by run.
    Import(Box<Import>),
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
    let (walked, archived) = request.format.names();
    let (sources, problems) = sources_like(&request.paths, &walked, &archived);
    watcher.phase("reading");
    watcher.steps((request.documents.len() + sources.len()) as u64);
    let mut done: Vec<T> =
        problems.into_iter().map(|problem| each(Input::Problem(problem))).collect();
    let work = || -> Vec<Vec<T>> {
        let one = |loaded: Vec<Result<Document, InputProblem>>| {
            let results = read_loaded(loaded, request, each);
            watcher.step();
            results
        };
        let opened = request.documents.par_iter().map(|document| one(vec![Ok(document.clone())]));
        let mut read: Vec<Vec<T>> = opened.collect();
        let placed = |place: &usize| Some((*place, one(sources.get(*place)?.load())));
        let mut files: Vec<(usize, Vec<T>)> =
            alike_together(&sources).par_iter().filter_map(placed).collect();
        files.sort_unstable_by_key(|(place, _)| *place);
        read.extend(files.into_iter().map(|(_, results)| results));
        read
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.jobs.unwrap_or(0)).build();
    // Where no thread can be started the global pool still does the work.
    let read = pool.map_or_else(|_| work(), |pool| pool.install(work));
    done.extend(read.into_iter().flatten());
    done
}

/// The places of all sources, those of one file name behind each other: `TEST-a.xml` of every run
/// names the same tests, which the thread that reads them then still remembers.
fn alike_together(sources: &[Source]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..sources.len()).collect();
    let name = |place: &usize| sources.get(*place)?.path()?.file_name().map(OsString::from);
    places.sort_by_cached_key(name);
    places
}

fn read_loaded<T>(
    loaded: Vec<Result<Document, InputProblem>>,
    request: &ReadRequest,
    each: &(dyn Fn(Input) -> T + Sync),
) -> Vec<T> {
    let beside = Beside::of(&loaded, request.format);
    let read = |document: Document| -> Option<Input> {
        match request.format.of(&document) {
            Some(format) => {
                let companion = format.companion.and_then(|name| beside.find(&document, name));
                Some(Input::Import(Box::new(Import { document, format, companion })))
            }
            None if beside.covers(&document) => None,
            None => Some(read_junit(document, request)),
        }
    };
    let read = |loaded: Result<Document, InputProblem>| match loaded {
        Ok(document) => read(document).map(each),
        Err(problem) => Some(each(Input::Problem(problem))),
    };
    loaded.into_iter().filter_map(read).collect()
}

fn read_junit(document: Document, request: &ReadRequest) -> Input {
    let path = document.path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let options = ReadOptions {
        source_path: path.as_deref(),
        repository_root: request.repository_root.as_deref(),
        now: request.now,
        truncated: document.truncated,
    };
    let reading = READER.with_borrow_mut(|reader| reader.read(&document.bytes, &options));
    Input::Read(Box::new((document, reading)))
}

/// What lies beside the documents of one source that are read with a companion.
#[derive(Default)]
struct Beside {
    /// Folders inside of an archive that hold such a document.
    folders: Vec<String>,
    companions: HashMap<String, Vec<u8>>,
}

impl Beside {
    fn of(loaded: &[Result<Document, InputProblem>], format: InputFormat) -> Self {
        let documents = || loaded.iter().filter_map(|loaded| loaded.as_ref().ok());
        let mut beside = Self::default();
        for document in documents() {
            let Some(name) = format.of(document).and_then(|format| format.companion) else {
                continue;
            };
            let Some((folder, _)) = document.name.rsplit_once('/') else { continue };
            let companion = format!("{folder}/{name}");
            let found = documents().find(|document| document.name == companion);
            beside.companions.extend(found.map(|found| (companion, found.bytes.clone())));
            beside.folders.push(format!("{folder}/"));
        }
        beside
    }

    /// The companion of a document, from its archive or from its directory.
    fn find(&self, document: &Document, name: &str) -> Option<Vec<u8>> {
        let (folder, _) = document.name.rsplit_once('/').unwrap_or((".", ""));
        if let Some(bytes) = self.companions.get(&format!("{folder}/{name}")) {
            return Some(bytes.clone());
        }
        let path = document.path.as_ref()?;
        let is_archive = document.name.contains("!/");
        let (found, _) = sources(&[path.with_file_name(name)]);
        let loaded = found.first().filter(|_| !is_archive)?.load();
        loaded.into_iter().find_map(Result::ok).map(|document| document.bytes)
    }

    /// True for what a document with a companion has read already: the companion, and reports that
    /// were archived with it.
    fn covers(&self, document: &Document) -> bool {
        let in_folder = self.folders.iter().any(|folder| document.name.starts_with(folder));
        let companions = import::FORMATS.iter().filter_map(|format| format.companion);
        let is_companion = document.path.as_ref().is_some_and(|path| {
            companions.clone().any(|name| path.file_name().is_some_and(|file| file == name))
        });
        let may_be = is_companion || !self.folders.is_empty();
        !document.named && (in_folder || (may_be && import::is_companion(&document.bytes)))
    }
}
