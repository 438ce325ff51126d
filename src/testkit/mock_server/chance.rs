//! Decisions that look random and are none: each derives from the seed and what the request is,
//! never from the order in which requests arrive.

/// A source of decisions for one request. The same identity gives the same decisions on every
/// machine; decisions of different names do not disturb each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance([u8; 32]);

impl Chance {
    /// Derives a source from parts that identify a request, the seed among them.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // A length in front of each part: ("ab", "c") is not ("a", "bc").
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The source of decisions that belong to `name`, a stub say.
    #[must_use]
    pub fn under(&self, name: &str) -> Self {
        Self(*blake3::keyed_hash(&self.0, name.as_bytes()).as_bytes())
    }

    /// 64 even bits for the `index`-th decision under `name`.
    #[must_use]
    pub fn bits(&self, name: &str, index: u64) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&index.to_le_bytes());
        hasher.update(name.as_bytes());
        let hash = hasher.finalize();
        let mut low = [0; 8];
        low.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(low)
    }

    /// A number in `[0, 1)`.
    #[must_use]
    pub fn uniform(&self, name: &str, index: u64) -> f64 {
        (self.bits(name, index) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `length` lower-case letters and digits.
    #[must_use]
    pub fn letters(&self, name: &str, index: u64, length: usize) -> String {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..length)
            .map(|at| {
                let bits = self.bits(name, index.wrapping_mul(64).wrapping_add(at as u64));
                char::from(ALPHABET[(bits % 36) as usize])
            })
            .collect()
    }

    /// `length` lower-case hexadecimal digits, at most 64.
    #[must_use]
    pub fn hex(&self, name: &str, index: u64, length: usize) -> String {
        let mut text = String::with_capacity(length);
        for block in 0..length.div_ceil(16) as u64 {
            text.push_str(&format!("{:016x}", self.bits(name, index.wrapping_mul(4) + block)));
        }
        text.truncate(length);
        text
    }
}
