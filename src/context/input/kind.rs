//! Kinds of content, told by their first bytes.

use std::fmt;
use std::sync::Arc;

/// Bytes needed to tell a kind: one tar header.
pub(super) const HEAD_BYTES: usize = 512;

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Neither compressed nor an archive: a report, or something that its reader refuses.
    Plain,
    Gzip,
    Zstd,
    Zip,
    Tar,
    /// Known, named, and not read.
    Foreign(&'static str),
}

impl Kind {
    /// The kind of a stream that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // The second form is a skippable frame, which may stand in front of the data.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Self::Zip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Foreign("bzip2"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Foreign("xz"),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::Foreign("7-zip"),
            [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Self::Foreign("rar"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Foreign("lz4"),
            [0x1f, 0x9d, ..] => Self::Foreign("compress (.Z)"),
            _ if is_tar(head) => Self::Tar,
            _ => Self::Plain,
        }
    }

    /// The word for messages.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Foreign(word) => word,
        }
    }
}

/// True for a tar header: the magic of POSIX and GNU, or a right checksum as the oldest tar wrote.
fn is_tar(head: &[u8]) -> bool {
    if head.get(257..262) == Some(b"ustar") {
        return true;
    }
    let (Some(header), Some(field)) = (head.get(..HEAD_BYTES), head.get(148..156)) else {
        return false;
    };
    let digits: String = field
        .iter()
        .map(|&byte| char::from(byte))
        .skip_while(|c| *c == ' ')
        .take_while(|c| c.is_digit(8))
        .collect();
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    let own: u32 = field.iter().map(|&byte| u32::from(byte)).sum();
    // The checksum is taken with its own eight bytes read as spaces.
    u32::from_str_radix(&digits, 8).is_ok_and(|claimed| sum > own && claimed == sum - own + 8 * 32)
}

/// The ends of file names that promise a report, in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(Arc<[&'static str]>);

impl Names {
    /// Names with one of these ends, such as `.xml`, or of these very files.
    #[must_use]
    pub fn new(ends: &[&'static str]) -> Self {
        Self(ends.into())
    }

    /// True for such a name.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|end| ends_with(name, end.as_bytes())) || self.is_whole(name)
    }

    /// True for a name that is listed as it is, even if it begins with a dot.
    pub(super) fn is_whole(&self, name: &[u8]) -> bool {
        let is_file = |end: &&str| end.rfind('.').is_some_and(|dot| dot > 0);
        self.0.iter().filter(|end| is_file(end)).any(|end| end.as_bytes() == name)
    }
}

impl fmt::Display for Names {
    /// `*.xml` or `*.jsonl`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, end) in self.0.iter().enumerate() {
            let joint = if place > 0 { " or " } else { "" };
            let star = if self.is_whole(end.as_bytes()) { "" } else { "*" };
            write!(f, "{joint}{star}{end}")?;
        }
        Ok(())
    }
}

/// True for a name that promises another archive, or a compressed report.
pub(super) fn is_archive_name(name: &[u8]) -> bool {
    const ENDS: [&[u8]; 10] =
        [b".zip", b".gz", b".tgz", b".tar", b".zst", b".tzst", b".bz2", b".xz", b".7z", b".rar"];
    ENDS.iter().any(|end| ends_with(name, end))
}

fn ends_with(name: &[u8], end: &[u8]) -> bool {
    name.len() > end.len()
        && name.get(name.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
