//! `/api/blobs/:digest`.

use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Models, digest_of_path, sha256};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::surface::go_json::quoted;
use crate::testkit::mock_server::surface::native;

pub(in crate::testkit::mock_server::surface) fn blob(
    exchange: &Exchange,
    models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let sent = exchange.parameter.as_deref().unwrap_or_default();
    let digest =
        digest_of_path(sent).ok_or_else(|| Refusal::bad_request("invalid digest format"))?;
    if exchange.method == "HEAD" {
        return if models.has_blob(&digest) {
            Ok(native::empty(200))
        } else {
            Err(Refusal::not_found(format!("blob {} not found", quoted(sent))))
        };
    }
    if models.has_blob(&digest) {
        return Ok(native::empty(200));
    }
    let found = sha256(&exchange.body);
    if found != digest {
        return Err(Refusal::bad_request(format!(
            "digest mismatch, expected {}, got {}",
            quoted(sent),
            quoted(&found)
        )));
    }
    models.blobs_mut().add(&exchange.body);
    Ok(native::empty(201))
}
