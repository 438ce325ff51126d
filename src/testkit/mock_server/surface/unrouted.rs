//! What the real server's router answers by itself.

use hyper::StatusCode;

use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::script::Script;

use super::Found;

/// The answer to a request that no route takes.
pub(in crate::testkit::mock_server) fn unrouted(found: &Found, exchange: &Exchange) -> Script {
    match found {
        Found::Redirect(path) => redirect(path, exchange),
        Found::OtherMethod(allowed) => {
            let mut script = Script::whole(405, "text/plain", "405 method not allowed");
            script.headers.push(("allow".to_owned(), allowed.join(", ")));
            script
        }
        Found::Nothing | Found::Route(..) => Script::whole(404, "text/plain", "404 page not found"),
    }
}

/// Leads to the path without its last slash, within the namespace; as Go's `http.Redirect` has it.
fn redirect(path: &str, exchange: &Exchange) -> Script {
    let query = match exchange.query.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let location = format!("{}{path}{query}", exchange.prefix);
    let method = exchange.method.as_str();
    // GET may be repeated as it is; any other method must keep its body.
    let status = if method == "GET" {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::TEMPORARY_REDIRECT
    };
    let body = match method {
        "GET" => {
            let reason = status.canonical_reason().unwrap_or_default();
            format!("<a href=\"{}\">{reason}</a>.\n\n", html_escaped(&location))
        }
        _ => String::new(),
    };
    let mut headers = vec![("location".to_owned(), location)];
    if matches!(method, "GET" | "HEAD") {
        headers.push(("content-type".to_owned(), "text/html; charset=utf-8".to_owned()));
    }
    Script::raw(status.as_u16(), headers, body.into())
}

/// A text in HTML, as Go's `http.Redirect` escapes it.
fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn answered(method: &str, path: &str) -> Script {
        let exchange = Exchange {
            prefix: "/ns/one".to_owned(),
            query: "a=1&b='2'".to_owned(),
            ..Exchange::bare(method, path, "")
        };
        unrouted(&find(method, path), &exchange)
    }

    fn header<'a>(script: &'a Script, name: &str) -> Option<&'a str> {
        let found = script.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_slash_too_many_leads_to_the_same_namespace() {
        let script = answered("GET", "/api/tags/");
        let location = "/ns/one/api/tags?a=1&b='2'";
        assert_eq!((script.status, header(&script, "location")), (301, Some(location)));
        assert_eq!(header(&script, "content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(
            String::from_utf8(script.bytes()).unwrap(),
            "<a href=\"/ns/one/api/tags?a=1&amp;b=&#39;2&#39;\">Moved Permanently</a>.\n\n"
        );
        for (method, path, content_type) in
            [("POST", "/api/chat/", None), ("HEAD", "/api/tags/", Some("text/html; charset=utf-8"))]
        {
            let script = answered(method, path);
            assert_eq!((script.status, script.bytes()), (307, Vec::new()), "{method}");
            assert_eq!(header(&script, "content-type"), content_type, "{method}");
        }
    }

    #[test]
    fn other_methods_and_paths_are_refused() {
        let other = answered("GET", "/api/chat");
        assert_eq!((other.status, header(&other, "allow")), (405, Some("POST")));
        assert_eq!(answered("GET", "/api/nothing/").status, 404);
    }
}
