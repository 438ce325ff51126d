//! The time that the server goes by: the machine's, or one that only moves when something waits.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// A clock. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    /// The present moment, and whoever wants to hear of its moving.
    Virtual(Arc<watch::Sender<DateTime<Utc>>>),
    Frozen(DateTime<Utc>),
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands at `moment` until something sleeps on it or [advances](Self::advance)
    /// it. A sleep on it takes no real time.
    #[must_use]
    pub fn virtual_from(moment: DateTime<Utc>) -> Self {
        Self(Kind::Virtual(Arc::new(watch::Sender::new(moment))))
    }

    /// A clock that stands at `moment` for ever: sleeps on it are over at once, and all answers have
    /// the same times in them, whatever came before.
    #[must_use]
    pub fn frozen_at(moment: DateTime<Utc>) -> Self {
        Self(Kind::Frozen(moment))
    }

    /// Whether time moves only when something waits, or is moved.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.0, Kind::Virtual(_))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Kind::System => Utc::now(),
            Kind::Virtual(moment) => *moment.borrow(),
            Kind::Frozen(moment) => *moment,
        }
    }

    /// Sleeps until `at` after `began`. On a virtual clock that takes no real time: the clock moves
    /// on to that moment, unless it is past it.
    pub async fn sleep_until(&self, began: DateTime<Utc>, at: Duration) {
        let moment = later(began, at);
        match &self.0 {
            Kind::System => sleep_until_system(moment).await,
            Kind::Virtual(present) => {
                move_on(present, |_| moment);
                // Others get their turn, as they would in a real sleep.
                tokio::task::yield_now().await;
            }
            Kind::Frozen(_) => tokio::task::yield_now().await,
        }
    }

    /// Waits until the clock shows `moment`, without moving a virtual clock: that waits for other
    /// sleeps, and for [`advance`](Self::advance). A frozen clock never shows what is to come.
    pub async fn wait_until(&self, moment: DateTime<Utc>) {
        match &self.0 {
            Kind::System => sleep_until_system(moment).await,
            Kind::Virtual(present) => {
                // The sender lives as long as this clock does, so the wait ends only by the time.
                let _ = present.subscribe().wait_for(|present| *present >= moment).await;
            }
            Kind::Frozen(present) if *present >= moment => {}
            Kind::Frozen(_) => std::future::pending().await,
        }
    }

    /// Moves a virtual clock on; the machine's clock, and a frozen one, do not move for anyone.
    pub fn advance(&self, by: Duration) {
        if let Kind::Virtual(present) = &self.0 {
            move_on(present, |present| later(present, by));
        }
    }
}

/// `moment`, later by `by`; the end of time where that is beyond it.
#[must_use]
pub(crate) fn later(moment: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| moment.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Virtual time never goes back.
fn move_on(
    present: &watch::Sender<DateTime<Utc>>,
    to: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>,
) {
    present.send_if_modified(|present| {
        let to = to(*present);
        let moved = to > *present;
        if moved {
            *present = to;
        }
        moved
    });
}

async fn sleep_until_system(moment: DateTime<Utc>) {
    let left = moment.signed_duration_since(Utc::now());
    if let Ok(left) = left.to_std() {
        tokio::time::sleep(left).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-02-03T12:00:00Z".parse().unwrap()
    }

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_virtual_sleep_moves_time_on_and_takes_none() {
        let clock = Clock::virtual_from(noon());
        let started = std::time::Instant::now();
        run(async {
            clock.sleep_until(noon(), Duration::from_secs(3600)).await;
            assert_eq!(clock.clone().now().to_rfc3339(), "2026-02-03T13:00:00+00:00");
            // Time does not go back.
            clock.sleep_until(noon(), Duration::ZERO).await;
            assert_eq!(clock.now().to_rfc3339(), "2026-02-03T13:00:00+00:00");
            clock.advance(Duration::from_millis(1500));
            assert_eq!(clock.now().to_rfc3339(), "2026-02-03T13:00:01.500+00:00");
        });
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_virtual_wait_waits_for_others_to_move_time() {
        let clock = Clock::virtual_from(noon());
        run(async {
            let until = later(noon(), Duration::from_secs(10));
            let waiting = tokio::spawn({
                let clock = clock.clone();
                async move { clock.wait_until(until).await }
            });
            tokio::task::yield_now().await;
            assert_eq!(clock.now(), noon());
            clock.advance(Duration::from_secs(9));
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            clock.advance(Duration::from_secs(1));
            waiting.await.unwrap();
        });
    }

    #[test]
    fn the_systems_clock_sleeps() {
        let clock = Clock::system();
        run(async {
            let started = clock.now();
            clock.sleep_until(started, Duration::from_millis(30)).await;
            assert!(clock.now() - started >= TimeDelta::milliseconds(29));
            clock.sleep_until(started, Duration::ZERO).await;
            clock.advance(Duration::from_secs(1000));
            assert!(clock.now() - started < TimeDelta::seconds(500));
        });
    }

    #[test]
    fn a_frozen_clock_stands_still_and_nobody_waits() {
        let clock = Clock::frozen_at(noon());
        run(async {
            clock.sleep_until(noon(), Duration::from_secs(3600)).await;
            clock.wait_until(noon()).await;
            clock.advance(Duration::from_secs(1));
            assert_eq!(clock.now(), noon());
        });
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let clock = Clock::virtual_from(noon());
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), DateTime::<Utc>::MAX_UTC);
    }
}
