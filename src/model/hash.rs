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
