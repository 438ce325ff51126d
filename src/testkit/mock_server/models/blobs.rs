//! Uploaded blobs: their digests, sizes and beginnings.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::model::sha256;

/// How much of each blob is kept: enough to see what kind of file it is.
const KEPT_BYTES: usize = 64 * 1024;
/// How many blobs are known at most; the smallest digest goes first.
const MOST_BLOBS: usize = 10_000;

/// What was uploaded to `/api/blobs`.
#[derive(Debug, Clone, Default)]
pub struct Blobs {
    known: BTreeMap<String, Blob>,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// In bytes.
    pub size: u64,
    /// Its beginning, at most 64 KiB.
    pub start: Bytes,
}

impl Blob {
    /// Whether it is a GGUF file, of either byte order.
    #[must_use]
    pub fn is_gguf(&self) -> bool {
        self.start.starts_with(b"GGUF") || self.start.starts_with(b"FUGG")
    }
}

impl Blobs {
    /// Keeps a file; its digest.
    pub fn add(&mut self, content: &Bytes) -> String {
        let digest = sha256(content);
        let start = Bytes::copy_from_slice(content.get(..KEPT_BYTES).unwrap_or(content));
        self.known.insert(digest.clone(), Blob { size: content.len() as u64, start });
        if self.known.len() > MOST_BLOBS {
            let other = self.known.keys().find(|known| **known != digest).cloned();
            if let Some(other) = other {
                self.known.remove(&other);
            }
        }
        digest
    }

    /// The file of this digest.
    #[must_use]
    pub fn get(&self, digest: &str) -> Option<&Blob> {
        self.known.get(&digest.to_ascii_lowercase())
    }
}

/// The digest in a path or a request, `sha256:` in front; `sha256-` is taken too. `None`: it is
/// none.
#[must_use]
pub fn digest_of_path(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-"))?;
    let valid = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| format!("sha256:{hex}"))
}
