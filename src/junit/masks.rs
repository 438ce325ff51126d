//! What the masks of the identity rule cut out of names; each returns what is kept, if anything went.

/// The text without `-YYYYMMDDHHMMSS` at its end.
pub(super) fn run_stamp(text: &str) -> Option<&str> {
    let (kept, stamp) = text.rsplit_once('-')?;
    let plausible = stamp.starts_with("19") || stamp.starts_with("20");
    (stamp.len() == 14 && plausible && stamp.bytes().all(|b| b.is_ascii_digit())).then_some(kept)
}

fn without_number<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    // Most names do not end in a digit at all.
    let kept = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if kept.len() == text.len() { None } else { kept.strip_suffix(mark) }
}

pub(super) fn without_stress(text: &str) -> Option<&str> {
    without_number(text, "@stress-")
}

pub(super) fn without_line(text: &str) -> Option<&str> {
    without_number(text, ":").filter(|kept| !kept.is_empty())
}

pub(super) fn without_shard(text: &str) -> Option<&str> {
    let (before, total) = text.rsplit_once('/')?;
    total.bytes().all(|byte| byte.is_ascii_digit()).then(|| without_number(before, "_shard_"))?
}

pub(super) fn without_tap_index(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('#').unwrap_or(text);
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if after.len() == rest.len() {
        return None;
    }
    let name = after
        .strip_prefix(" - ")
        .or_else(|| after.strip_prefix("- "))
        .or_else(|| after.strip_prefix(' '));
    name.map(str::trim_start).filter(|name| !name.is_empty())
}

/// A name without its `[i-N]` or `-i-N]`, and those two numbers.
pub(super) fn repeat_index(name: &str) -> Option<(String, (u32, u32))> {
    let inner = name.strip_suffix(']')?;
    let (before, total) = inner.rsplit_once('-')?;
    let split = before.rfind(['[', '-'])?;
    let (kept, index) = before.split_at_checked(split)?;
    let (mark, index) = index.split_at_checked(1)?;
    let (index, total) = (index.parse::<u32>().ok()?, total.parse::<u32>().ok()?);
    let close = if mark == "-" { "]" } else { "" };
    let kept = format!("{}{close}", kept.trim_end());
    ((1..=total).contains(&index) && total > 1).then_some((kept, (index, total)))
}

/// `WebKit_537_36_(linux_0_0_0).Outer`: karma's browser with its version.
pub(super) fn browser(class: &str) -> Option<String> {
    let (browser, _) = class.split_once(").")?;
    let end = browser.find("_(").unwrap_or(browser.len());
    let name = browser.get(..end)?;
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    (!name.is_empty()).then(|| name.to_owned())
}

pub(super) fn without_browser(class: &str) -> Option<&str> {
    match class.split_once(").") {
        Some((browser, rest)) if browser.contains('(') => Some(rest),
        _ => class.strip_prefix('.'),
    }
}

/// The text with addresses and UUIDs as `*`; `None` where there are none.
pub(super) fn addresses(text: &str) -> Option<String> {
    if !may_hold_address(text.as_bytes()) {
        return None;
    }
    let mut out = String::new();
    let mut from = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).filter(|_| text.is_char_boundary(at)).unwrap_or_default();
        let starts_word =
            !text.as_bytes().get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_alphanumeric);
        let length =
            if starts_word { address_length(rest).or_else(|| uuid_length(rest)) } else { None };
        match length {
            Some(length) => {
                out.push_str(text.get(from..at).unwrap_or_default());
                out.push('*');
                at += length;
                from = at;
            }
            None => at += 1,
        }
    }
    (from > 0).then(|| out + text.get(from..).unwrap_or_default())
}

/// Cheap and seldom wrong: `0x`, or two dashes as far apart as in a UUID.
fn may_hold_address(text: &[u8]) -> bool {
    memchr::memchr_iter(b'x', text).any(|at| at > 0 && text.get(at - 1) == Some(&b'0'))
        || (text.len() >= 36
            && memchr::memchr_iter(b'-', text).any(|at| text.get(at + 5) == Some(&b'-')))
}

fn address_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix("0x")?.bytes();
    let count = digits.take_while(u8::is_ascii_hexdigit).count();
    (count >= 6).then_some(count + 2)
}

fn uuid_length(text: &str) -> Option<usize> {
    let uuid = text.as_bytes().get(..36)?;
    let fits = uuid.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let ends = !text.as_bytes().get(36).is_some_and(u8::is_ascii_alphanumeric);
    (fits && ends).then_some(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

    #[test]
    fn a_stamp_is_fourteen_digits_of_this_century_or_the_last() {
        assert_eq!(run_stamp("x-20261122090117"), Some("x"));
        assert_eq!(run_stamp("x-19991122090117"), Some("x"));
        for text in ["x-2026", "x-99991122090117", "x-2026112209011a", "x-202611220901170", "x"] {
            assert_eq!(run_stamp(text), None, "{text}");
        }
    }

    #[test]
    fn an_index_counts_from_one_to_more_than_one() {
        let some = |kept: &str, index| Some((kept.to_owned(), index));
        assert_eq!(repeat_index("t[2-3]"), some("t", (2, 3)));
        assert_eq!(repeat_index("t[a-3-3]"), some("t[a]", (3, 3)));
        for name in ["t[1-1]", "t[0-3]", "t[4-3]", "t[x-3]", "t[3]", "t"] {
            assert_eq!(repeat_index(name), None, "{name}");
        }
    }

    #[test]
    fn a_browser_is_told_by_its_brackets() {
        assert_eq!(without_browser("WebKit_537 (linux).Outer"), Some("Outer"));
        assert_eq!(without_browser(".Outer"), Some("Outer"));
        assert_eq!(without_browser("f).Outer"), None);
    }

    #[test]
    fn addresses_and_uuids_are_masked_whole_and_where_a_word_begins() {
        let masked = |text: &str| addresses(text).unwrap_or_default();
        assert_eq!(masked("0x123456"), "*");
        assert_eq!(masked("<A at 0x7f3a99c01b2d>"), "<A at *>");
        assert_eq!(masked(UUID), "*");
        assert_eq!(masked(&format!("a-b é {UUID}, {UUID}")), "a-b é *, *");
        for text in [
            "0x12345",
            "x",
            "10x123456",
            "a-b and a text that is longer than a UUID",
            "550e8400-e29b-41d4-a716-446655440000x",
            "x550e8400-e29b-41d4-a716-446655440000",
            "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
        ] {
            assert_eq!(addresses(text), None, "{text}");
        }
    }
}
