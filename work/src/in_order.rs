//! Pieces of a stream, worked on all threads, in order at both ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, unbounded};

/// Calls `fill` for one piece after another until it says that there is none, `work` on the
/// pieces on all threads of the current rayon pool, and `finish` for them in order. Each thread
/// makes its own state with `init` first.
///
/// `fill` and `finish` are never called by two threads at once. There are two more pieces than
/// threads, which are used again and again, so that no more than these wait for their turn.
///
/// # Errors
///
/// The first error of any of them, which ends it.
pub fn in_order<Piece: Default + Send, State, E: Send>(
    init: impl Fn() -> State + Sync,
    fill: impl FnMut(&mut Piece) -> Result<bool, E> + Send,
    work: impl Fn(&mut State, &mut Piece) -> Result<(), E> + Sync,
    finish: impl FnMut(&mut Piece) -> Result<(), E> + Send,
) -> Result<(), E> {
    let (spare, spares) = unbounded();
    let order = Order {
        start: Mutex::new(Start { fill, next: 0, spares }),
        end: Mutex::new(End { finish: Some(finish), turn: 0, waiting: HashMap::new(), failure: None }),
        spare,
        is_over: AtomicBool::new(false),
    };
    (0..rayon::current_num_threads() + 2).for_each(|_| order.give_back(Piece::default()));
    rayon::broadcast(|_| {
        let _guard = OverAtPanic(&order);
        let mut state = None;
        while let Some((number, mut piece)) = order.begin() {
            match work(state.get_or_insert_with(&init), &mut piece) {
                Ok(()) => order.finish(number, piece),
                Err(error) => order.fail(error),
            }
        }
    });
    let failure = lock(&order.end).failure.take();
    failure.map_or(Ok(()), Err)
}

struct Order<Piece, Fill, Finish, E> {
    start: Mutex<Start<Piece, Fill>>,
    end: Mutex<End<Piece, Finish, E>>,
    spare: Sender<Piece>,
    /// No more pieces are to be begun.
    is_over: AtomicBool,
}

/// Where pieces are filled.
struct Start<Piece, Fill> {
    fill: Fill,
    /// The number of the piece that is filled next.
    next: u64,
    spares: Receiver<Piece>,
}

/// Where pieces are finished.
struct End<Piece, Finish, E> {
    /// The thread that finishes pieces has it, so that the others need not wait meanwhile.
    finish: Option<Finish>,
    /// The number of the piece that is finished next.
    turn: u64,
    waiting: HashMap<u64, Piece>,
    failure: Option<E>,
}

impl<Piece, Fill, Finish, E> Order<Piece, Fill, Finish, E>
where
    Piece: Default,
    Fill: FnMut(&mut Piece) -> Result<bool, E>,
    Finish: FnMut(&mut Piece) -> Result<(), E>,
{
    /// The next piece and its number, once fewer are under way than there are pieces.
    fn begin(&self) -> Option<(u64, Piece)> {
        let mut start = lock(&self.start);
        let Start { fill, next, spares } = &mut *start;
        // Asked again afterwards: it may have ended while this thread waited for a piece.
        let mut piece = (!self.is_over()).then(|| spares.recv().ok()).flatten()?;
        if self.is_over() {
            return None;
        }
        match fill(&mut piece) {
            Ok(true) => {
                *next += 1;
                Some((*next - 1, piece))
            }
            Ok(false) => {
                self.end();
                None
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Finishes the piece if it is its turn, and those that waited for it; unless another
    /// thread does that, which then goes on with these.
    fn finish(&self, number: u64, piece: Piece) {
        let mut end = lock(&self.end);
        end.waiting.insert(number, piece);
        let Some(mut finish) = end.finish.take() else { return };
        while end.failure.is_none() {
            let turn = end.turn;
            let Some(mut piece) = end.waiting.remove(&turn) else { break };
            drop(end);
            match finish(&mut piece) {
                Ok(()) => self.give_back(piece),
                Err(error) => self.fail(error),
            }
            end = lock(&self.end);
            end.turn += 1;
        }
        end.finish = Some(finish);
    }

    fn fail(&self, error: E) {
        lock(&self.end).failure.get_or_insert(error);
        self.end();
    }
}

impl<Piece: Default, Fill, Finish, E> Order<Piece, Fill, Finish, E> {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Ends it, and wakes the thread that waits for a piece.
    fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.give_back(Piece::default());
    }

    fn give_back(&self, piece: Piece) {
        // The other end is in `self`, so it is there.
        let _ = self.spare.send(piece);
    }
}

/// Where something panics, no other thread goes on waiting for a piece.
struct OverAtPanic<'a, Piece: Default, Fill, Finish, E>(&'a Order<Piece, Fill, Finish, E>);

impl<Piece: Default, Fill, Finish, E> Drop for OverAtPanic<'_, Piece, Fill, Finish, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}

/// No panic leaves anything here half done: what callers gave is called on values of its own.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn both_ends_are_in_order() {
        for threads in [1, 2, 7] {
            let (mut filled, mut finished) = (0u64, Vec::new());
            let done = on(threads, || {
                in_order(
                    || (),
                    |piece: &mut u64| {
                        filled += 1;
                        *piece = filled;
                        Ok::<_, ()>(filled <= 500)
                    },
                    |(), piece| {
                        // Uneven work.
                        (0..*piece % 7 * 1000).for_each(|at| _ = std::hint::black_box(at));
                        *piece *= 2;
                        Ok(())
                    },
                    |piece| {
                        finished.push(*piece);
                        Ok(())
                    },
                )
            });
            assert_eq!(done, Ok(()));
            assert!(finished.into_iter().eq((1..=500).map(|number| number * 2)), "{threads}");
        }
    }

    #[test]
    fn no_more_pieces_wait_than_there_are() {
        let finished = AtomicU64::new(0);
        let (mut filled, mut most) = (0, 0);
        let done = on(4, || {
            in_order(
                || (),
                |piece: &mut u64| {
                    *piece = filled;
                    filled += 1;
                    most = most.max(filled - finished.load(Ordering::SeqCst));
                    Ok::<_, ()>(filled < 200)
                },
                |(), piece| {
                    // The first waits for nobody, and the others have to wait for it.
                    if *piece == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(50));
                    }
                    Ok(())
                },
                |_| {
                    finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                },
            )
        });
        assert_eq!((done, most), (Ok(()), 6));
    }

    #[test]
    fn errors_end_it() {
        for threads in [1, 3] {
            let filled = on(threads, || in_order(|| (), |_: &mut ()| Err(1), |(), ()| Ok(()), |()| Ok(())));
            let worked = on(threads, || in_order(|| (), |_: &mut ()| Ok(true), |(), ()| Err(3), |()| Ok(())));
            assert_eq!((filled, worked), (Err(1), Err(3)));
            let mut left = 5;
            let finished = on(threads, || {
                in_order(
                    || (),
                    |_: &mut ()| Ok(true),
                    |(), ()| Ok(()),
                    |()| {
                        left -= 1;
                        if left == 0 { Err(2) } else { Ok(()) }
                    },
                )
            });
            assert_eq!((finished, left), (Err(2), 0));
        }
    }

    #[test]
    fn a_panic_is_no_deadlock() {
        let mut filled = 0;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            on(3, || {
                in_order(
                    || (),
                    |piece: &mut u64| {
                        filled += 1;
                        *piece = filled;
                        Ok::<_, ()>(true)
                    },
                    |(), piece| {
                        assert!(*piece != 20);
                        Ok(())
                    },
                    |_| Ok(()),
                )
            })
        }));
        assert!(panicked.is_err());
    }
}
