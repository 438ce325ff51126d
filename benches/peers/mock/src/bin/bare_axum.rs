//! The yardstick: an axum handler that reads the body and returns the same bytes each time.
//! Usage: bare_axum BODY_FILE; prints `listening on URL` once it does.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).expect("usage: bare_axum BODY_FILE");
    let body = Bytes::from(std::fs::read(path)?);
    let answer = move |_request: Bytes| {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json; charset=utf-8")], body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/api/chat", post(answer))).await
}
