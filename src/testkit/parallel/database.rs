//! Names of databases, schemas, queues and the like for one worker each.

use super::worker::Worker;

/// The longest name that PostgreSQL keeps whole; MySQL has 64.
pub const DATABASE_NAME_BYTES_MAX: usize = 63;

/// A name that no other worker of this run gets: `app` of worker 3 is `app_3`.
///
/// Lower-case letters, digits and underscores, at most [`DATABASE_NAME_BYTES_MAX`]; what had to be
/// changed or cut goes into a hash at the end, so that two names that differ stay so.
///
/// ```
/// use flakedb::testkit::parallel::{Worker, database_name};
/// assert_eq!(database_name("app", &Worker::numbered(3)), "app_3");
/// assert_ne!(
///     database_name("My App", &Worker::numbered(3)),
///     database_name("my-app", &Worker::numbered(3)),
/// );
/// ```
#[must_use]
pub fn database_name(base: &str, worker: &Worker) -> String {
    let mut name = plain(base);
    let digit_first = name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || digit_first {
        name.insert(0, 'w');
    }
    let mut tail = format!("_{}", worker.name());
    if name != base || name.len() + tail.len() > DATABASE_NAME_BYTES_MAX {
        let hash = blake3::hash(base.as_bytes()).to_hex();
        let short: String = hash.chars().take(8).collect();
        tail.insert_str(0, &format!("_{short}"));
    }
    name.truncate(DATABASE_NAME_BYTES_MAX.saturating_sub(tail.len()));
    name + &tail
}

/// Lower-case letters, digits and underscores.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    text.chars().map(|c| if is_plain(c) { c.to_ascii_lowercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_differ() {
        let mut names = Vec::new();
        let long = "a".repeat(80);
        for base in ["app", "App", "a-b", "a_b", "a b", "", "1", "ü", &long, &long[1..]] {
            for number in [0, 1, 10, u32::MAX] {
                let name = database_name(base, &Worker::numbered(number));
                assert!(name.len() <= DATABASE_NAME_BYTES_MAX, "{name}");
                assert!(name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_'), "{name}");
                assert!(
                    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                );
                names.push(name);
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
