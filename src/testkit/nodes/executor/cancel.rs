//! Ends walks from outside.

use std::sync::Arc;

use tokio::sync::watch;

/// Ends walks from outside. Copies are the same one.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// One that was not used yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Ends every walk that was given this one, now and later. What their nodes are doing is
    /// dropped.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was used.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is used.
    pub(super) async fn cancelled(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as `self`, so waiting ends with the value.
        let _ended = receiver.wait_for(|cancelled| *cancelled).await;
    }
}
