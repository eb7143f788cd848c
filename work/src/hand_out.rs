//! Handing out pieces of work to idle threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls `work` for every item, on all threads of the current rayon pool: an idle
/// thread takes the next item. Each thread makes its own state with `init` first.
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
    let items = Mutex::new(items);
    let failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    rayon::broadcast(|_| {
        let mut state = None;
        while !failed.load(Ordering::Relaxed) {
            let Some(item) = items.lock().expect("iterators here do not panic").next() else { break };
            if let Err(error) = work(state.get_or_insert_with(&init), item) {
                failed.store(true, Ordering::Relaxed);
                failure.lock().expect("no panic while held").get_or_insert(error);
            }
        }
    });
    failure.into_inner().expect("no panic while held").map_or(Ok(()), Err)
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
}
