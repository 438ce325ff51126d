//! What tests likely share that fail beside others: by the variables that are the same for all
//! workers, and by the words of their failures; pure.

use crate::report::view::SharedView;

/// A test that failed beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed<'a> {
    /// The test as it is printed.
    pub label: &'a str,
    /// What its failure says.
    pub text: &'a str,
    /// Whether it passed when it was run alone; `None` where it was not.
    pub passed_alone: Option<bool>,
}

/// Something that workers can share.
struct Resource {
    name: &'static str,
    /// Parts of variables, name or value, that point to it; in lower case.
    variables: &'static [&'static str],
    /// Words of failures that point to it; in lower case.
    words: &'static [&'static str],
    mend: &'static str,
}

const DATABASE: &str = "give each worker a database of its own: [workers.env] in flakedb.toml, with {worker} in its name";
const LEASE: &str =
    "lease a number to each worker: [workers.lease] in flakedb.toml, and use it in [workers.env]";

const RESOURCES: &[Resource] = &[
    Resource {
        name: "one Redis database",
        variables: &["redis", "valkey"],
        words: &["redis", "wrongtype", ":6379", "valkey"],
        mend: LEASE,
    },
    Resource {
        name: "one PostgreSQL database",
        variables: &["postgres", "pgdatabase", "pghost"],
        words: &[
            "psycopg",
            "postgres",
            "asyncpg",
            "duplicate key value violates",
            "org.postgresql",
        ],
        mend: DATABASE,
    },
    Resource {
        name: "one MySQL database",
        variables: &["mysql", "mariadb"],
        words: &["mysql", "mariadb", "duplicate entry", "lock wait timeout"],
        mend: DATABASE,
    },
    Resource {
        name: "one MongoDB database",
        variables: &["mongo"],
        words: &["mongo", "e11000"],
        mend: DATABASE,
    },
    Resource {
        name: "one SQLite file",
        variables: &["sqlite"],
        words: &["database is locked", "sqlite"],
        mend: "put the file into the worker's own temporary directory: {tmp} in [workers.env]",
    },
    Resource {
        name: "one port",
        variables: &["_port", "port="],
        words: &[
            "address already in use",
            "address in use",
            "eaddrinuse",
            "port is already allocated",
            "only one usage of each socket address",
            "is already in use",
        ],
        mend: "let the system choose (port 0), or count from PORT_BASE, which each worker has for itself",
    },
    Resource {
        name: "one message broker",
        variables: &["amqp", "rabbit", "kafka", "nats"],
        words: &["amqp", "rabbitmq", "kafka", "nats:"],
        mend: "put {worker} into the names of queues and topics",
    },
    Resource {
        name: "one search index",
        variables: &["elastic", "opensearch"],
        words: &["elasticsearch", "opensearch", "index_not_found", "resource_already_exists"],
        mend: "put {worker} into the name of the index",
    },
    Resource {
        name: "one bucket",
        variables: &["s3_", "bucket", "minio"],
        words: &["nosuchbucket", "bucketalready", "s3."],
        mend: "put {worker} into the name of the bucket",
    },
    Resource {
        name: "files in one place",
        // A temporary directory is shared by most programs, and says nothing by itself.
        variables: &[],
        words: &[
            "fileexistserror",
            "file exists",
            "eexist",
            "directory not empty",
            "enotempty",
            "text file busy",
            "ebusy",
        ],
        mend: "write below the worker's own temporary directory (TMPDIR) instead of a fixed path",
    },
    Resource {
        name: "one database",
        variables: &["database", "_db", "_dsn"],
        words: &["integrityerror", "unique constraint", "deadlock", "could not serialize"],
        mend: DATABASE,
    },
];

/// What these tests likely share; `None` where nothing speaks for it.
///
/// `variables` are the same for all workers, as `NAME=value`.
#[must_use]
pub fn likely(failed: &[Failed<'_>], variables: &[String]) -> Option<SharedView> {
    let is_tried = failed.iter().any(|test| test.passed_alone.is_some());
    // What fails alone as well fails for another reason.
    let candidates: Vec<&Failed<'_>> =
        failed.iter().filter(|test| !is_tried || test.passed_alone == Some(true)).collect();
    if candidates.is_empty() {
        return None;
    }
    let weigh = |resource: &'static Resource| {
        let said = said_by(resource, &candidates);
        let same = same_for_all(resource, variables);
        (said, same, resource)
    };
    let mut found: Vec<(Vec<usize>, Vec<&String>, &Resource)> = RESOURCES
        .iter()
        .map(weigh)
        .filter(|(said, same, _)| !said.is_empty() || !same.is_empty())
        .collect();
    // Stable: of two that are equal the one that stands first in the table, which is more exact.
    found.sort_by_key(|(said, same, _)| {
        std::cmp::Reverse((
            usize::from(!same.is_empty()) + usize::from(!said.is_empty()),
            said.len(),
        ))
    });
    let passed_alone = is_tried.then_some(candidates.len() as u64);
    let all: Vec<usize> = (0..candidates.len()).collect();
    let (resource, evidence, tests, mend) = match found.into_iter().next() {
        Some((said, same, resource)) => {
            let words = said.first().and_then(|&at| word_of(resource, candidates.get(at)?.text));
            let evidence = same.iter().map(|same| format!("{same} for all workers"));
            let said_words = words.map(|word| format!("failures say \"{word}\""));
            let tests = if said.is_empty() || is_tried { &all } else { &said };
            (resource.name, evidence.chain(said_words).collect(), tests.clone(), resource.mend)
        }
        // They pass alone and fail beside others, and that is all there is to see.
        None if is_tried => (
            "something",
            Vec::new(),
            all,
            "look for fixed names in what they use: files, ports, databases, queues",
        ),
        None => return None,
    };
    Some(SharedView {
        resource: resource.to_owned(),
        evidence,
        tests: tests.iter().filter_map(|&at| Some(candidates.get(at)?.label.to_owned())).collect(),
        passed_alone,
        mend: mend.to_owned(),
    })
}

/// Places of the tests whose failures speak of a resource.
fn said_by(resource: &Resource, tests: &[&Failed<'_>]) -> Vec<usize> {
    let says = |test: &&Failed<'_>| word_of(resource, test.text).is_some();
    tests.iter().enumerate().filter(|(_, test)| says(test)).map(|(at, _)| at).collect()
}

fn word_of(resource: &Resource, text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    resource.words.iter().find(|word| text.contains(**word)).copied()
}

fn same_for_all<'v>(resource: &Resource, variables: &'v [String]) -> Vec<&'v String> {
    let points = |variable: &&String| {
        let variable = variable.to_lowercase();
        resource.variables.iter().any(|part| variable.contains(part))
    };
    variables.iter().filter(points).collect()
}

/// Ends of names of variables that say where something is.
const PLACES: [&str; 9] =
    ["_URL", "_URI", "_DB", "_DSN", "_PORT", "_DATABASE", "_HOST", "_BUCKET", "_QUEUE"];
const NAMES: [&str; 3] = ["PORT", "PGDATABASE", "PGHOST"];

/// Variables that say where something is, without what must not be shown of them.
///
/// ```
/// use flakedb::ops::parallel::shared::places;
/// let all = [("REDIS_URL", "redis://me:secret@localhost/0?x=1"), ("HOME", "/root")];
/// let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
/// assert_eq!(places(all.into_iter()), ["REDIS_URL=redis://localhost/0"]);
/// ```
pub fn places(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let is_place = |name: &str| {
        !name.starts_with("FLAKEDB_")
            && (NAMES.contains(&name) || PLACES.iter().any(|end| name.ends_with(end)))
    };
    let mut places: Vec<String> = variables
        .filter(|(name, _)| is_place(name))
        .map(|(name, value)| format!("{name}={}", bare(&value)))
        .collect();
    places.sort();
    places
}

/// A URL without its user, its password and its query.
fn bare(value: &str) -> String {
    let value = value.split(['?', '#']).next().unwrap_or(value);
    match value.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            let slash = if rest.contains('/') { "/" } else { "" };
            format!("{scheme}://{host}{slash}{path}")
        }
        // `user=me password=secret` and its like.
        None if value.contains('=') || value.contains('@') => "…".to_owned(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    fn failed<'a>(label: &'a str, text: &'a str, passed_alone: Option<bool>) -> Failed<'a> {
        Failed { label, text, passed_alone }
    }

    #[test]
    fn a_variable_that_all_workers_share_names_the_resource() {
        let variables =
            ["DATABASE_URL=sqlite:///x".to_owned(), "REDIS_URL=redis://localhost/0".into()];
        let tests = [
            failed("a", "assert '7' == '3'\n  value = redis.get('k')", Some(true)),
            failed("b", "assert 1 == 2", Some(true)),
            failed("c", "broken", Some(false)),
        ];
        let found = likely(&tests, &variables).unwrap();
        assert_eq!(found.resource, "one Redis database");
        assert_eq!(found.tests, ["a", "b"]);
        assert_eq!(found.passed_alone, Some(2));
        assert_eq!(
            found.evidence,
            ["REDIS_URL=redis://localhost/0 for all workers", "failures say \"redis\""]
        );
    }

    #[test]
    fn words_alone_name_it_too_and_nothing_is_made_up() {
        let port = [failed("a", "OSError: [Errno 98] Address already in use", None)];
        assert_eq!(likely(&port, &[]).unwrap().resource, "one port");
        let locked = [failed("a", "sqlite3.OperationalError: database is locked", Some(true))];
        assert_eq!(likely(&locked, &[]).unwrap().resource, "one SQLite file");
        assert_eq!(likely(&[failed("a", "assert 1 == 2", None)], &[]), None);
        let alone = likely(&[failed("a", "assert 1 == 2", Some(true))], &[]).unwrap();
        assert_eq!((alone.resource.as_str(), alone.evidence.len()), ("something", 0));
        assert_eq!(likely(&[failed("a", "redis", Some(false))], &["REDIS_DB=0".into()]), None);
        assert_eq!(likely(&[], &["REDIS_DB=0".into()]), None);
    }

    #[test]
    fn secrets_of_variables_are_not_shown() {
        assert_eq!(bare("postgres://u:p@h:5432/db?password=x"), "postgres://h:5432/db");
        assert_eq!(bare("host=h password=p"), "…");
        assert_eq!(bare("redis://h"), "redis://h");
        assert_eq!(bare("6379"), "6379");
    }
}
