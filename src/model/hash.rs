//! Natural keys: content hashes, so that histories merge without coordinating ids.
//!
//! Every key is a truncated [BLAKE3](https://github.com/BLAKE3-team/BLAKE3-specs) hash of
//! length-prefixed parts; see [`KeyHasher`].

use std::fmt;

/// Hashes a sequence of parts so that `("ab", "c")` and `("a", "bc")` differ.
///
/// ```
/// use flakedb::model::hash::KeyHasher;
/// let one = KeyHasher::new("example").part(b"ab").part(b"c").finish::<16>();
/// let two = KeyHasher::new("example").part(b"a").part(b"bc").finish::<16>();
/// assert_ne!(one, two);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHasher {
    // Keys are short: one buffer and one hash call beat many small updates.
    buffer: Vec<u8>,
}

impl KeyHasher {
    /// Starts a key in `domain`, which keeps keys of different kinds apart.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut hasher = Self { buffer: Vec::with_capacity(256) };
        hasher.push(domain.as_bytes());
        hasher
    }

    /// Adds one part.
    #[must_use]
    pub fn part(mut self, part: &[u8]) -> Self {
        self.push(part);
        self
    }

    /// Adds one part in place; the same as [`part`](Self::part) for callers that reuse a hasher.
    pub fn push(&mut self, part: &[u8]) {
        self.buffer.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(part);
    }

    /// Forgets all parts and starts again in `domain`, keeping the allocation.
    pub fn restart(&mut self, domain: &str) {
        self.buffer.clear();
        self.push(domain.as_bytes());
    }

    /// The first `N` bytes of the hash (`N` ≤ 32).
    #[must_use]
    pub fn finish<const N: usize>(&self) -> [u8; N] {
        let mut out = [0_u8; N];
        let digest = blake3::hash(&self.buffer);
        let n = N.min(32);
        out[..n].copy_from_slice(&digest.as_bytes()[..n]);
        out
    }
}

/// The key of `name` inside `scope`, itself a key: neighbours share their scope, so that each costs
/// one short hash.
#[must_use]
pub fn key_within(scope: &[u8; 16], name: &[u8]) -> [u8; 16] {
    let mut buffer = [0_u8; 256];
    let digest = match buffer.get_mut(..scope.len() + name.len()) {
        Some(bytes) => {
            let (head, tail) = bytes.split_at_mut(scope.len());
            head.copy_from_slice(scope);
            tail.copy_from_slice(name);
            blake3::hash(bytes)
        }
        None => blake3::Hasher::new().update(scope).update(name).finalize(),
    };
    let mut out = [0_u8; 16];
    out.copy_from_slice(&digest.as_bytes()[..16]);
    out
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Reads a key from a slice of exactly its length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.try_into().ok()?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

hash_id!(
    /// A test's identity: see `junit::identity` for the rule that forms it.
    TestId, 16
);
hash_id!(
    /// A run's natural key: see [`run_key`](crate::model::run::RunContext::key).
    RunKey, 16
);
hash_id!(
    /// The hash of a report's bytes after decompression.
    ReportHash, 32
);
hash_id!(
    /// A failure's identity: the hash of its type, message and text.
    FailureId, 16
);
hash_id!(
    /// The hash of a failure's masked text: failures of one cause share it.
    SignatureId, 16
);

impl ReportHash {
    /// The hash of a report's bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The official test vector of BLAKE3, and its hash of nothing.
    #[test]
    fn a_report_is_named_by_the_hash_that_everybody_can_compute() {
        let hex = |bytes: &[u8]| ReportHash::of(bytes).to_string();
        assert_eq!(hex(b""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        assert_eq!(hex(b"abc"), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
    }

    #[test]
    fn a_key_is_the_hash_of_parts_with_their_lengths_in_front() {
        let bytes = b"\x01\0\0\0\0\0\0\0d\x02\0\0\0\0\0\0\0ab\0\0\0\0\0\0\0\0";
        let hasher = KeyHasher::new("d").part(b"ab").part(b"");
        assert_eq!(hasher.finish::<32>(), ReportHash::of(bytes).0);
        assert_eq!(hasher.finish::<16>(), ReportHash::of(bytes).0[..16]);
        assert_eq!(hasher.finish::<40>()[..32], ReportHash::of(bytes).0);
        assert_eq!(hasher.finish::<40>()[32..], [0; 8]);
        let mut other = KeyHasher::new("something else").part(b"left");
        other.restart("d");
        other.push(b"ab");
        other.push(b"");
        assert_eq!(other, hasher);
    }

    #[test]
    fn a_key_within_a_scope_is_the_hash_of_both_however_long_the_name_is() {
        for length in [0, 1, 239, 240, 241, 1_000] {
            let (scope, name) = ([7; 16], vec![b'n'; length]);
            let both = [&scope[..], &name[..]].concat();
            assert_eq!(key_within(&scope, &name), ReportHash::of(&both).0[..16], "{length} bytes");
        }
    }

    #[test]
    fn an_id_is_made_of_its_bytes_and_printed_in_hexadecimal() {
        let bytes: Vec<u8> = (0xf0..=0xff).collect();
        let id = TestId::from_slice(&bytes).unwrap();
        assert_eq!(id.to_string(), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        assert_eq!(format!("{id:?}"), "TestId(f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff)");
        assert_eq!((TestId::from_slice(&bytes[1..]), RunKey::from_slice(&[0; 17])), (None, None));
    }
}
