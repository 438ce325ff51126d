//! Why a test failed, and which failures look alike.

use std::borrow::Cow;

use super::hash::{FailureId, KeyHasher, SignatureId};

/// Type, message and text of one failure, as the report gave them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The exception or assertion type; empty where the report has none.
    pub kind: String,
    /// The one-line message; empty where the report has none.
    pub message: String,
    /// The full text, usually a stack trace.
    pub text: String,
}

impl Failure {
    /// The key under which this failure is stored once.
    #[must_use]
    pub fn id(&self) -> FailureId {
        FailureId(
            KeyHasher::new("failure.1")
                .part(self.kind.as_bytes())
                .part(self.message.as_bytes())
                .part(self.text.as_bytes())
                .finish(),
        )
    }

    /// The key of all failures that differ only in numbers, addresses, paths and times.
    #[must_use]
    pub fn signature(&self) -> SignatureId {
        SignatureId(
            KeyHasher::new("signature.1")
                .part(self.kind.as_bytes())
                .part(mask(self.headline()).as_bytes())
                .finish(),
        )
    }

    /// The line that says most: the message's first line, else the text's first non-blank line.
    #[must_use]
    pub fn headline(&self) -> &str {
        let first_line = |text: &str| -> Option<(usize, usize)> {
            let line = text.lines().find(|line| !line.trim().is_empty())?.trim();
            let start = line.as_ptr() as usize - text.as_ptr() as usize;
            Some((start, start + line.len()))
        };
        if let Some((start, end)) = first_line(&self.message) {
            return &self.message[start..end];
        }
        first_line(&self.text).map_or("", |(start, end)| &self.text[start..end])
    }
}

/// Replaces what changes from run to run: numbers become `#`, hexadecimal runs of six or more
/// digits `*`, and absolute paths keep only their last part.
///
/// ```
/// use flakedb::model::failure::mask;
/// assert_eq!(mask("port 8080 at 0x7f3a99c01b2d"), "port # at *");
/// assert_eq!(mask("/srv/ci/a1/app.py:12 failed"), "app.py:# failed");
/// ```
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/' || byte == b'\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        mask_word(word, &mut out);
    }
    Cow::Owned(out)
}

const UUID_BYTES: usize = 36;

fn mask_word(word: &str, out: &mut String) {
    // Cheap first: only a UUID may change and have none of these.
    let may_change = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'/' | b'\\');
    if word.len() < UUID_BYTES && !word.bytes().any(may_change) {
        out.push_str(word);
        return;
    }
    let word = file_name_of_absolute_path(word, out);
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if starts_with_uuid(rest) {
            out.push('*');
            rest = &rest[UUID_BYTES..];
            continue;
        }
        if !first.is_ascii_alphanumeric() {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        mask_token(&rest[..end], out);
        rest = &rest[end..];
    }
}

fn starts_with_uuid(text: &str) -> bool {
    text.len() >= UUID_BYTES
        && text.bytes().take(UUID_BYTES).enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Writes what stands before an absolute path and returns the path's last part.
fn file_name_of_absolute_path<'a>(word: &'a str, out: &mut String) -> &'a str {
    let is_separator = |c: char| c == '/' || c == '\\';
    let Some(start) = word.find(is_separator) else { return word };
    let before = &word[..start];
    let absolute = before.chars().all(|c| !c.is_alphanumeric())
        || (before.len() >= 2 && before.ends_with(':') && word[start..].starts_with('\\'));
    if !absolute || word[start..].starts_with("//") {
        return word;
    }
    out.push_str(before.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ':'));
    word.rfind(is_separator).map_or(word, |last| &word[last + 1..])
}

fn mask_token(token: &str, out: &mut String) {
    let hex = token.strip_prefix("0x").unwrap_or(token);
    let has_digit = hex.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit && hex.len() >= 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // Decimal numbers of any length stay one class, so that 99999 and 100000 agree.
        let decimal = token.bytes().all(|byte| byte.is_ascii_digit());
        out.push(if decimal { '#' } else { '*' });
        return;
    }
    let mut in_number = false;
    for c in token.chars() {
        if c.is_ascii_digit() {
            if !in_number {
                out.push('#');
            }
            in_number = true;
        } else {
            out.push(c);
            in_number = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_changes_and_keeps_what_tells_causes_apart() {
        for (text, masked) in [
            ("expected 3 but was 42", "expected # but was #"),
            ("no digits here", "no digits here"),
            ("0x7f00aa at 2026-11-22T08:22:18Z", "* at #-#-#T#:#:#Z"),
            ("id 550e8400-e29b-41d4-a716-446655440000", "id *"),
            ("C:\\build\\17\\a.cs(3)", "a.cs(#)"),
            ("http://localhost:8080/x", "http://localhost:#/x"),
            ("(/tmp/pytest-1/test_a.py)", "(test_a.py)"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn failures_of_one_cause_share_a_signature_and_keep_their_ids() {
        let failure = |port: &str| Failure {
            kind: "OSError".into(),
            message: format!("port {port} is taken"),
            text: String::new(),
        };
        assert_eq!(failure("81").signature(), failure("9090").signature());
        assert_ne!(failure("81").id(), failure("9090").id());
        let other = Failure { kind: "ValueError".into(), ..failure("81") };
        assert_ne!(failure("81").signature(), other.signature());
    }

    #[test]
    fn headline_prefers_the_message_and_skips_blank_lines() {
        let failure = Failure { text: "\n  \n  boom\nat x".into(), ..Failure::default() };
        assert_eq!(failure.headline(), "boom");
        let failure = Failure { message: " m \nn".into(), ..failure };
        assert_eq!(failure.headline(), "m");
        assert_eq!(Failure::default().headline(), "");
    }

    #[test]
    fn only_a_whole_uuid_and_a_long_mixed_token_are_one_sign() {
        for (text, masked) in [
            ("550e8400-e29b-41d4-a716-44665544000", "*-e#b-#d#-a#-#"),
            ("550e8400+e29b-41d4-a716-446655440000", "*+e#b-#d#-a#-#"),
            ("550e8400-e29b-41d4-a716-446655440000x", "*x"),
            ("1 abcdefab-abcd-abcd-abcd-abcdefabcdef", "# *"),
            ("1 (abcdefab-abcd-abcd-abcd-abcdefabcdef)", "# (*)"),
            ("99999 and 100000 agree", "# and # agree"),
            ("12ab34 1a2b3 abcdef", "* #a#b# abcdef"),
            ("a1b22", "a#b#"),
            ("/a/b/c.py:7", "c.py:#"),
            ("//host/share1", "//host/share#"),
            ("src/a1.py", "src/a#.py"),
            ("src\\a1.cs", "src\\a#.cs"),
            ("x:/a1", "x:/a#"),
            ("x:\\1", "#"),
            ("  two  1", "  two  #"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn a_text_with_nothing_to_mask_is_not_copied() {
        assert!(matches!(mask("assertion failed: left == right"), Cow::Borrowed(_)));
        assert_eq!(mask("see /tmp/log"), "see log");
    }

    #[test]
    fn a_uuid_of_letters_alone_is_masked_as_any_other() {
        let uuid = "abcdefab-abcd-abcd-abcd-abcdefabcdef";
        for (word, masked) in
            [(uuid.to_owned(), "*"), (format!("({uuid})"), "(*)"), (format!("{uuid}_x"), "*_x")]
        {
            assert_eq!(mask(&format!("7 {word}")), format!("# {masked}"));
        }
        // One letter short, it is a word.
        assert_eq!(mask(&format!("7 {}", &uuid[1..])), format!("# {}", &uuid[1..]));
    }
}
