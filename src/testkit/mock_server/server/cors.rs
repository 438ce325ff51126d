//! Which hosts and web pages may ask, as the real server has it.

use std::net::{IpAddr, UdpSocket};
use std::sync::OnceLock;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, USER_AGENT};

use crate::testkit::mock_server::script::{Delivery, Script};

const METHODS: &str = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
const MAX_AGE: &str = "43200";
/// Schemes whose pages may ask, whatever their host.
const SCHEMES: [&str; 5] = ["app", "file", "tauri", "vscode-webview", "vscode-file"];
/// Headers of the OpenAI SDK, each `x-stainless-…`.
const STAINLESS: [&str; 11] = [
    "lang",
    "package-version",
    "os",
    "arch",
    "retry-count",
    "runtime",
    "runtime-version",
    "async",
    "helper-method",
    "poll-helper",
    "custom-poll-interval",
];

/// The answer to a request from a page or to a host that may not ask or be asked, or to a preflight;
/// `None` where the request goes on. The page is looked at before the host.
pub(super) fn refusal(method: &str, headers: &HeaderMap, checks_host: bool) -> Option<Script> {
    let empty = |status| Script::raw(status, Vec::new(), bytes::Bytes::new());
    let asks_first = method == "OPTIONS";
    if let Some(origin) = origin(headers) {
        if !may_ask(origin) {
            return Some(empty(403));
        }
        if asks_first {
            return Some(preflight(origin));
        }
    }
    let host = text(headers, &HOST).unwrap_or_default();
    match near(host) {
        _ if !checks_host => None,
        Some(Near::Name) => asks_first.then(|| empty(204)),
        Some(Near::Address) => None,
        None => Some(empty(403)),
    }
}

/// The answer to a page that asks what it may send.
fn preflight(origin: &str) -> Script {
    let mut allowed = vec![AUTHORIZATION.to_string(), "content-type".to_owned()];
    allowed.push(USER_AGENT.to_string());
    allowed.extend(["accept", "x-requested-with", "openai-beta"].map(str::to_owned));
    allowed.extend(STAINLESS.map(|name| format!("x-stainless-{name}")));
    let mut script = Script::raw(204, Vec::new(), bytes::Bytes::new());
    for (name, value) in [
        ("access-control-allow-headers", allowed.join(",")),
        ("access-control-allow-methods", METHODS.to_owned()),
        ("access-control-allow-origin", origin.to_owned()),
        ("access-control-max-age", MAX_AGE.to_owned()),
        ("vary", "Origin".to_owned()),
        ("vary", "Access-Control-Request-Method".to_owned()),
        ("vary", "Access-Control-Request-Headers".to_owned()),
    ] {
        script.headers.push((name.to_owned(), value));
    }
    script
}

/// The answer with what lets the asking page read it.
pub(super) fn allowed(mut delivery: Delivery, page: Option<&str>) -> Delivery {
    if let (Delivery::Http(script), Some(origin)) = (&mut delivery, page) {
        script.headers.push(("access-control-allow-origin".to_owned(), origin.to_owned()));
        // Another page gets another answer, so a cache must not give it this one.
        script.headers.push(("vary".to_owned(), "Origin".to_owned()));
    }
    delivery
}

/// The page that asks, where it is not one of ours.
pub(super) fn page(headers: &HeaderMap) -> Option<String> {
    origin(headers).map(str::to_owned)
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    let origin = text(headers, &ORIGIN)?;
    let host = text(headers, &HOST).unwrap_or_default();
    let own = [format!("http://{host}"), format!("https://{host}")];
    (!own.iter().any(|own| own == origin)).then_some(origin)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn may_ask(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let name = without_port(host);
    SCHEMES.contains(&scheme)
        || matches!(scheme, "http" | "https")
            && matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0")
}

/// How a `Host` names this machine, or one near it.
#[derive(Debug, PartialEq, Eq)]
enum Near {
    /// By an address.
    Address,
    /// By a name.
    Name,
}

/// How a `Host` names this machine, or one near it; `None` where it names another.
fn near(host: &str) -> Option<Near> {
    let name = without_port(host).trim_matches(['[', ']']).to_lowercase();
    if let Ok(address) = name.parse::<IpAddr>() {
        let is_near = address.is_loopback()
            || address.is_unspecified()
            || is_private(address)
            || is_own(address);
        return is_near.then_some(Near::Address);
    }
    let is_near = name.is_empty()
        || name == "localhost"
        || own_name().is_some_and(|own| name == own)
        || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end));
    is_near.then_some(Near::Name)
}

/// Whether an address is one of this machine's: a socket can have no other.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// This machine's name in lower case, where the system has it in a file; macOS gives its machines
/// names that end with `.local`.
fn own_name() -> Option<&'static str> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        ["/proc/sys/kernel/hostname", "/etc/hostname"]
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .map(|name| name.trim().to_lowercase())
            .filter(|name| !name.is_empty())
    };
    NAME.get_or_init(read).as_deref()
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

fn without_port(host: &str) -> &str {
    if let Some(end) = host.strip_prefix('[').and_then(|inner| inner.find(']')) {
        return &host[..end + 2];
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_near_this_machine_may_be_asked() {
        for host in ["127.0.0.1:1", "[::1]:80", "10.0.0.2", "0.0.0.0"] {
            assert_eq!(near(host), Some(Near::Address), "{host}");
        }
        for host in ["", "localhost:11434", "a.internal:1", "Printer.LOCAL"] {
            assert_eq!(near(host), Some(Near::Name), "{host}");
        }
        for host in ["example.com", "8.8.8.8:80", "localhost.example.com", "[2001:db8::1]:1"] {
            assert_eq!(near(host), None, "{host}");
        }
    }

    #[test]
    fn this_machine_may_be_asked_by_its_own_name_and_addresses() {
        if let Some(name) = own_name() {
            assert_eq!(near(&format!("{}:11434", name.to_uppercase())), Some(Near::Name));
        }
        assert!(is_own("127.0.0.1".parse().unwrap()));
        // Kept for documentation, so no machine has it.
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn pages_of_this_machine_may_ask() {
        for origin in ["http://localhost:5173", "https://127.0.0.1", "tauri://x", "file://"] {
            assert!(may_ask(origin), "{origin}");
        }
        for origin in ["http://example.com", "null", "http://localhost.evil.example"] {
            assert!(!may_ask(origin), "{origin}");
        }
    }

    #[test]
    fn a_preflight_is_answered() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, "http://localhost:3000".parse().unwrap());
        headers.insert("access-control-request-method", "POST".parse().unwrap());
        let script = refusal("OPTIONS", &headers, true).unwrap();
        assert_eq!(script.status, 204);
        assert!(refusal("POST", &headers, true).is_none());
        headers.insert(ORIGIN, "http://evil.example".parse().unwrap());
        assert_eq!(refusal("POST", &headers, true).unwrap().status, 403);
        assert_eq!(refusal("OPTIONS", &headers, true).unwrap().status, 403);
    }

    #[test]
    fn a_page_is_looked_at_before_the_host() {
        let status = |method: &str, host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            headers.extend(origin.map(|origin| (ORIGIN, origin.parse().unwrap())));
            refusal(method, &headers, true).map(|script| script.status)
        };
        assert_eq!(status("OPTIONS", "example.com", Some("http://localhost:1")), Some(204));
        assert_eq!(status("POST", "example.com", Some("http://localhost:1")), Some(403));
        assert_eq!(status("OPTIONS", "localhost", None), Some(204));
        assert_eq!(status("OPTIONS", "127.0.0.1", None), None);
        assert_eq!(status("GET", "localhost", None), None);
    }

    #[test]
    fn caches_are_told_that_answers_depend_on_the_page() {
        let headers = HeaderMap::from_iter([(ORIGIN, "http://localhost:3000".parse().unwrap())]);
        let vary = |script: &Script| {
            let named = script.headers.iter().filter(|(name, _)| name == "vary");
            named.map(|(_, value)| value.clone()).collect::<Vec<_>>().join(", ")
        };
        let preflight = refusal("OPTIONS", &headers, true).unwrap();
        assert_eq!(
            vary(&preflight),
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        );
        for (headers, expected) in [(headers, "Origin"), (HeaderMap::new(), "")] {
            let Delivery::Http(script) =
                allowed(Delivery::Http(Script::nothing()), page(&headers).as_deref())
            else {
                panic!("no answer in HTTP")
            };
            assert_eq!(vary(&script), expected);
        }
    }
}
