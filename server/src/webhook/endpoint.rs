//! Where a site is told of its verifications, and how much is on the way there.
//!
//! Each site has a few places of its own and some room to wait for one. What finds no room goes back
//! to the outbox for a while, and so does everything for a receiver that keeps failing: nobody waits
//! for somebody else's receiver.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use otp::Timestamp;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::Url;

use super::Signer;
use crate::outbox::Breaker;

/// Requests to one site at the same time.
const PLACES: usize = 8;
/// Events of one site that wait in memory for a place; more wait in the outbox.
const WAITING: usize = 64;
/// For what has no room in memory, at the least.
const LATER: Duration = Duration::from_secs(1);
/// What has no room comes back at this rate, per [`LATER`], however much of it there is.
const RETURNING: u32 = 256;
/// What waits for a receiver that is left alone comes back at this distance, however long the rest has
/// been and however often there was one: what a broken receiver leaves behind is looked at no faster
/// the more of it there is.
const APART: Duration = Duration::from_millis(4);

/// Where a site is told of its verifications.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) signer: Signer,
    pub(super) breaker: Breaker,
    places: Semaphore,
    room: Arc<Semaphore>,
    /// Events that were put off since there was room last.
    put_off: AtomicU32,
    /// When the last one comes back of those that wait for the end of a rest.
    last: Mutex<Timestamp>,
}

impl Endpoint {
    /// Posts to `url` what `signer` signs.
    pub fn new(url: Url, signer: Signer) -> Self {
        Self {
            url,
            signer,
            breaker: Breaker::default(),
            places: Semaphore::new(PLACES),
            room: Arc::new(Semaphore::new(PLACES + WAITING)),
            put_off: AtomicU32::default(),
            last: Mutex::default(),
        }
    }

    /// When one more event that came at `now` is looked at again, if the receiver is left alone.
    pub(super) fn rest(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.breaker.rests_until(now)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = end.max(*last + APART);
        Some(*last)
    }

    /// Room for one more event, or when to ask again. What is put off is spread over time, or it
    /// would all be claimed and put off again and again, at the cost of everybody else.
    pub(super) fn room(&self, now: Timestamp) -> Result<OwnedSemaphorePermit, Timestamp> {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            let before = self.put_off.fetch_add(1, Ordering::Relaxed);
            return Err(now + LATER + LATER * before / RETURNING);
        };
        if self.room.available_permits() >= WAITING {
            self.put_off.store(0, Ordering::Relaxed);
        }
        Ok(room)
    }

    /// Waits until one more request may be made.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.places.acquire().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn endpoint() -> Endpoint {
        Endpoint::new(Url::parse("https://shop.example/").unwrap(), Signer::new(&[]))
    }

    #[test]
    fn what_finds_no_room_comes_back_at_a_steady_rate_until_there_is_room_again() {
        let endpoint = endpoint();
        let waits = || endpoint.room(NOW).map_err(|until| until.since(NOW));
        let taken: Vec<_> = (0..PLACES + WAITING).map(|_| waits().unwrap()).collect();
        let put_off: Vec<_> = (0..1024).map(|_| waits().unwrap_err()).collect();
        assert_eq!(put_off[0], LATER);
        assert!(put_off.is_sorted());
        let within = |second: u64| put_off.iter().filter(|wait| wait.as_secs() == second).count();
        assert_eq!([1, 2, 3, 4].map(within), [256; 4]);
        drop(taken);
        let taken: Vec<_> = (0..PLACES + WAITING).map(|_| waits().unwrap()).collect();
        assert_eq!(waits().unwrap_err(), LATER);
        drop(taken);
    }

    #[test]
    fn a_receiver_that_keeps_failing_is_left_alone_and_asked_again_not_all_at_once() {
        let endpoint = endpoint();
        (0..4).for_each(|_| endpoint.breaker.failed(NOW));
        assert_eq!(endpoint.rest(NOW), None);
        endpoint.breaker.failed(NOW);
        let rests: Vec<_> = (0..1000).map(|_| endpoint.rest(NOW).unwrap()).collect();
        assert!(rests.is_sorted());
        assert_eq!(rests[999].since(rests[0]), 999 * APART);
        // It has failed again: those that come back meanwhile line up behind the others.
        let later = rests[0];
        endpoint.breaker.failed(later);
        assert_eq!(
            endpoint.rest(later),
            Some((rests[999] + APART).max(later + (rests[0].since(NOW))))
        );
        endpoint.breaker.succeeded();
        assert_eq!(endpoint.rest(later), None);
    }
}
