use hyper::header::{CONTENT_TYPE, HeaderValue};
use proptest::prelude::*;

use super::super::played::{ask, exchange, performance, shown, stamp, text as said, thinking};
use super::*;

/// A form as clients send it.
fn sent(fields: &[(&str, Option<&str>, &[u8])]) -> Exchange {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        body.extend_from_slice(b"--cut\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(name.as_bytes());
        body.push(b'"');
        if let Some(file) = file {
            body.extend_from_slice(format!("; filename=\"{file}\"").as_bytes());
            body.extend_from_slice(b"\r\nContent-Type: audio/wav");
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    of_type("multipart/form-data; boundary=cut", body)
}

fn of_type(content_type: &'static str, body: Vec<u8>) -> Exchange {
    let mut exchange = exchange(body);
    exchange.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    exchange
}

#[test]
fn a_form_is_a_chat_about_its_audio() {
    let exchange = sent(&[
        ("model", None, b"gemma4"),
        ("file", Some("a.wav"), b"\r\n--cu\x00\xff"),
        ("language", None, b"en"),
        ("prompt", None, b"names"),
        ("response_format", None, b"text"),
        ("temperature", None, b"1"),
    ]);
    let ask = asked(&exchange, None).unwrap();
    assert_eq!((ask.model.as_str(), ask.stream), ("gemma4", false));
    assert_eq!(ask.messages[1].images, [b"\r\n--cu\x00\xff".to_vec()]);
    assert_eq!(ask.last_user(), "Transcribe this audio.");
    assert!(ask.system().ends_with(" The audio is in en. Context: names"));
    assert_eq!(json!(ask.options), json!({"temperature": 0}));
    assert_eq!(ask.echo[PLAIN], json!(true));
}

#[test]
fn each_wrong_form_has_its_text() {
    let file = ("file", Some("a.wav"), b"abc".as_slice());
    let table = [
        (sent(&[file]), "model is required"),
        (sent(&[("model", None, b"m")]), "file is required: http: no such file"),
        // A field is no file.
        (
            sent(&[("model", None, b"m"), ("file", None, b"abc")]),
            "file is required: http: no such file",
        ),
        (sent(&[("model", None, b"m"), ("file", Some("a.wav"), b"")]), "audio file is empty"),
        (
            of_type("application/json", b"{}".to_vec()),
            "failed to parse multipart form: request Content-Type isn't multipart/form-data",
        ),
        (
            of_type("multipart/form-data", Vec::new()),
            "failed to parse multipart form: no multipart boundary param in Content-Type",
        ),
        (
            of_type("multipart/form-data; boundary=cut", vec![b'x'; FORM_MAX + 1]),
            "failed to parse multipart form: http: request body too large",
        ),
    ];
    for (exchange, expected) in table {
        assert_eq!(asked(&exchange, None).map(drop), Err(Refusal::bad_request(expected)));
    }
    let cut = of_type("multipart/form-data; boundary=cut", b"--cut\r\nContent-Disp".to_vec());
    let refusal = asked(&cut, None).unwrap_err();
    assert!(refusal.message.starts_with("failed to parse multipart form: "), "{refusal}");
}

#[test]
fn the_text_alone_is_answered() {
    let played = performance(vec![thinking("Hm"), said("Hello "), said("<you>")]);
    let mut asking = ask(false);
    insta::assert_snapshot!("json", shown(&(SURFACE.text)(&asking, &played, &stamp())));
    asking.echo.insert(PLAIN.to_owned(), json!(true));
    insta::assert_snapshot!("plain", shown(&(SURFACE.text)(&asking, &played, &stamp())));
}

#[test]
fn only_some_models_hear() {
    let models = Models::new(["gemma4", "llama3.2"]);
    let asking = |model: &str| Ask { model: model.to_owned(), ..Ask::default() };
    assert_eq!(hears(&asking("gemma4"), &models), Ok(()));
    assert_eq!(hears(&asking("nope"), &models), Ok(()));
    assert_eq!(
        hears(&asking("llama3.2"), &models),
        Err(Refusal::bad_request(
            "registry.ollama.ai/library/llama3.2:latest does not support audio"
        ))
    );
}

proptest! {
    #[test]
    fn any_form_is_read_or_refused(body in "(--cut\r\n|Content-Disposition: form-data; name=\"|file|model|\"|\r\n|;|--|\\PC){0,40}") {
        let exchange = of_type("multipart/form-data; boundary=cut", body.into_bytes());
        if let Err(refusal) = asked(&exchange, None) {
            prop_assert_eq!(refusal.status, 400);
        }
    }
}
