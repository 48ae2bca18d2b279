//! Work that is done in parallel, and whose products are taken in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Makes a product of each item on the threads of the current rayon pool, and hands the products to `take` in the order
/// of the items, one at a time, on whichever thread has the next one. A thread waits for a slow `take` only if it would
/// be more than `ahead` items beyond it; so no more than `ahead` products exist at a time, and each is used again.
///
/// The first error ends the work and is returned; what was taken before it is a beginning of the whole, without gaps.
/// `make` must not use the pool itself: it would run another worker's loop within its own.
pub(crate) fn in_order<Items, Worker, Product, E>(
    items: Items,
    ahead: usize,
    worker: impl Fn() -> Worker + Sync,
    make: impl Fn(&mut Worker, Items::Item, &mut Product) -> Result<(), E> + Sync,
    take: impl FnMut(&mut Product) -> Result<(), E> + Send,
) -> Result<(), E>
where
    Items: Iterator + Send,
    Product: Default + Send,
    E: Send,
{
    let queue = Queue {
        ahead: ahead.max(1) as u64,
        room: Condvar::new(),
        state: Mutex::new(State {
            items,
            claimed: 0,
            taken: 0,
            ready: BTreeMap::new(),
            spare: Vec::new(),
            take: Some(take),
            stopped: false,
            failure: None,
        }),
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                let _guard = StopIfPanicking(&queue);
                let mut worker = worker();
                while let Some((number, item, mut product)) = queue.claim() {
                    match make(&mut worker, item, &mut product) {
                        Ok(()) => queue.deliver(number, product),
                        Err(error) => queue.stop(&mut queue.lock(), Some(error)),
                    }
                }
            });
        }
    });
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.failure.map_or(Ok(()), Err)
}

struct Queue<Items, Product, Take, E> {
    ahead: u64,
    /// Told whenever a product was taken, and when the work stops.
    room: Condvar,
    state: Mutex<State<Items, Product, Take, E>>,
}

struct State<Items, Product, Take, E> {
    items: Items,
    /// Items that workers have begun.
    claimed: u64,
    /// Products that were taken: the number of the next one.
    taken: u64,
    /// Products that wait for the ones before them.
    ready: BTreeMap<u64, Product>,
    /// Products to be used again, with their memory.
    spare: Vec<Product>,
    /// Not there while a worker is at it.
    take: Option<Take>,
    stopped: bool,
    failure: Option<E>,
}

impl<Items, Product, Take, E> Queue<Items, Product, Take, E>
where
    Items: Iterator,
    Product: Default,
    Take: FnMut(&mut Product) -> Result<(), E>,
{
    /// The next item; `None` when there is none, or the work stopped. Whoever has the lowest number never waits here, so
    /// the work goes on whatever the number of threads.
    fn claim(&self) -> Option<(u64, Items::Item, Product)> {
        let mut state = self.lock();
        while !state.stopped && state.claimed >= state.taken + self.ahead {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        let item = state.items.next()?;
        let number = state.claimed;
        state.claimed += 1;
        Some((number, item, state.spare.pop().unwrap_or_default()))
    }

    /// Puts a product in line. If it is the next one and no other thread is taking, takes it and all that follow it.
    fn deliver(&self, number: u64, product: Product) {
        let mut state = self.lock();
        state.ready.insert(number, product);
        while !state.stopped {
            let next = state.taken;
            if state.take.is_none() || !state.ready.contains_key(&next) {
                return;
            }
            let (Some(mut take), Some(mut product)) = (state.take.take(), state.ready.remove(&next)) else {
                return;
            };
            // Not under the lock: the others go on meanwhile.
            drop(state);
            let result = take(&mut product);
            state = self.lock();
            state.take = Some(take);
            state.taken += 1;
            state.spare.push(product);
            match result {
                Ok(()) => self.room.notify_all(),
                // Under the same lock: another thread may have the next product ready, and must not hand it over.
                Err(error) => return self.stop(&mut state, Some(error)),
            }
        }
    }
}

impl<Items, Product, Take, E> Queue<Items, Product, Take, E> {
    /// A panic elsewhere is no reason for another one here: it is passed on when all workers have stopped.
    fn lock(&self) -> MutexGuard<'_, State<Items, Product, Take, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the work. The first error is the one that is returned; the others may be its echo.
    fn stop(&self, state: &mut State<Items, Product, Take, E>, error: Option<E>) {
        state.stopped = true;
        if let Some(error) = error {
            state.failure.get_or_insert(error);
        }
        self.room.notify_all();
    }
}

/// Lets the others go home when a worker panics; without its product they would wait for ever.
struct StopIfPanicking<'a, Items, Product, Take, E>(&'a Queue<Items, Product, Take, E>);

impl<Items, Product, Take, E> Drop for StopIfPanicking<'_, Items, Product, Take, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(&mut self.0.lock(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn gives_what_a_loop_gives(threads in 1usize..6, ahead in 0usize..9, items in prop::collection::vec(0u64..400, 0..60),
                                   bad in prop::option::of(0usize..60)) {
            let (alive, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut taken = Vec::new();
            let result = in_pool(threads, || in_order(
                items.iter().enumerate(),
                ahead,
                || (),
                |(), (place, micros), product: &mut (usize, u64)| {
                    most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(*micros));
                    *product = (place, micros * 3);
                    if Some(place) == bad { Err(place) } else { Ok(()) }
                },
                |product| {
                    alive.fetch_sub(1, Ordering::SeqCst);
                    taken.push(*product);
                    Ok(())
                },
            ));
            let naive = items.iter().enumerate().map(|(place, n)| (place, n * 3)).collect::<Vec<_>>();
            match bad.filter(|bad| *bad < items.len()) {
                None => prop_assert_eq!((result, &taken), (Ok(()), &naive)),
                Some(bad) => {
                    prop_assert_eq!(result, Err(bad));
                    prop_assert!(taken.len() <= bad && naive.starts_with(&taken));
                }
            }
            prop_assert!(most.into_inner() <= ahead.max(1));
        }
    }

    /// Many times, since it depends on which thread delivers while another one fails.
    #[test]
    fn an_error_of_the_taker_ends_the_work_and_nothing_is_taken_after_it() {
        for _ in 0..2000 {
            let made = AtomicUsize::new(0);
            let mut taken = Vec::new();
            let result = in_pool(3, || {
                in_order(
                    0..1_000_000,
                    4,
                    || (),
                    |(), item, product| {
                        made.fetch_add(1, Ordering::SeqCst);
                        *product = item;
                        Ok(())
                    },
                    |product| {
                        taken.push(*product);
                        // The next ones are ready when this one fails.
                        while *product == 7 && made.load(Ordering::SeqCst) < 10 {
                            std::thread::yield_now();
                        }
                        if *product == 7 { Err("full") } else { Ok(()) }
                    },
                )
            });
            assert_eq!((result, taken.as_slice()), (Err("full"), &[0, 1, 2, 3, 4, 5, 6, 7][..]));
            assert!(made.into_inner() <= 12);
        }
    }

    #[test]
    fn a_panic_comes_out_and_nobody_waits_for_ever() {
        for threads in [1, 3] {
            let work = || {
                let make = |(): &mut (), item: u32, _: &mut ()| -> Result<(), ()> {
                    assert_ne!(item, 5, "on purpose");
                    std::thread::sleep(Duration::from_millis(1));
                    Ok(())
                };
                in_order(0..100, 2, || (), make, |()| Ok(()))
            };
            let panicked = std::panic::catch_unwind(|| in_pool(threads, work));
            assert!(panicked.is_err(), "{threads}");
        }
    }
}
