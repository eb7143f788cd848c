//! Handing out pieces of work to idle threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Calls `work` for every item, on all threads of the current rayon pool: an idle thread
/// takes the next item. Each thread makes its own state with `init` first.
///
/// Items begin in order, so that a file is read from front to back however uneven
/// its pieces are, where a fixed section per thread would leave threads idle.
///
/// # Errors
///
/// The first error stops the handing out and is returned.
pub fn hand_out<Items, State, E>(
    items: Items,
    init: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Items::Item) -> Result<(), E> + Sync,
) -> Result<(), E>
where
    Items: Iterator + Send,
    E: Send,
{
    let queue = Queue::new(items);
    rayon::broadcast(|_| queue.take(&init, &work));
    queue.end()
}

/// As [`hand_out`], on up to `threads` threads of its own, of which the calling one is the
/// first.
///
/// For work that waits for a disk or a peer most of the time. It must not take the threads of a
/// pool, because work in the pool may be waiting for it.
///
/// # Errors
///
/// The first error stops the handing out and is returned.
pub fn hand_out_to<Items, State, E>(
    threads: usize,
    items: Items,
    init: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, Items::Item) -> Result<(), E> + Sync,
) -> Result<(), E>
where
    Items: Iterator + Send,
    E: Send,
{
    let queue = Queue::new(items);
    let run = || queue.take(&init, &work);
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where the system has no more threads to give, those that there are do the work.
            if thread::Builder::new().name("gosync-work".into()).spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    queue.end()
}

/// What threads take items from.
struct Queue<Items, E> {
    items: Mutex<Items>,
    failed: AtomicBool,
    failure: Mutex<Option<E>>,
}

impl<Items: Iterator, E> Queue<Items, E> {
    fn new(items: Items) -> Self {
        Self { items: Mutex::new(items), failed: AtomicBool::new(false), failure: Mutex::new(None) }
    }

    /// Works on items until there are no more, or some work has failed.
    fn take<State>(&self, init: impl Fn() -> State, work: impl Fn(&mut State, Items::Item) -> Result<(), E>) {
        let mut state = None;
        while !self.failed.load(Ordering::Relaxed) {
            let Some(item) = self.items.lock().expect("iterators here do not panic").next() else { break };
            if let Err(error) = work(state.get_or_insert_with(&init), item) {
                self.failed.store(true, Ordering::Relaxed);
                self.failure.lock().expect("no panic while held").get_or_insert(error);
            }
        }
    }

    fn end(self) -> Result<(), E> {
        self.failure.into_inner().expect("no panic while held").map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn every_item_once_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let sum = AtomicU64::new(0);
            let done = pool.install(|| {
                hand_out(
                    1..=1000u64,
                    || (),
                    |(), item| {
                        sum.fetch_add(item, Ordering::Relaxed);
                        Ok::<(), ()>(())
                    },
                )
            });
            assert_eq!((done, sum.into_inner()), (Ok(()), 500_500));
        }
    }

    #[test]
    fn an_error_stops_the_rest() {
        let failed = hand_out(0.., || (), |(), item| if item == 100 { Err(item) } else { Ok(()) });
        assert_eq!(failed, Err(100));
    }

    #[test]
    fn threads_of_its_own_do_the_same() {
        for threads in [0, 1, 2, 9] {
            let sum = AtomicU64::new(0);
            let add = |seen: &mut u64, item| {
                *seen += 1;
                sum.fetch_add(item, Ordering::Relaxed);
                Ok::<(), ()>(())
            };
            assert_eq!(hand_out_to(threads, 1..=1000u64, || 0, add), Ok(()));
            assert_eq!(sum.into_inner(), 500_500);
        }
        let failed = hand_out_to(3, 0.., || (), |(), item| if item == 100 { Err(item) } else { Ok(()) });
        assert_eq!(failed, Err(100));
    }
}
