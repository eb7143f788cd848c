//! Working on the pieces of a stream on all threads, in its order at both ends.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard};

/// Calls `fill` for one piece after another until it says that there is none, `work` on the
/// pieces on all threads of the current rayon pool, and `finish` for them in order.
///
/// `fill` and `finish` are never called by two threads at once. Pieces are used again: there
/// are two more than threads, which wait for their turn.
///
/// # Errors
///
/// The first error of any of them, which ends it.
pub(crate) fn in_order<Piece: Default + Send, E: Send>(
    fill: impl FnMut(&mut Piece) -> Result<bool, E> + Send,
    work: impl Fn(&mut Piece) -> Result<(), E> + Sync,
    finish: impl FnMut(&mut Piece) -> Result<(), E> + Send,
) -> Result<(), E> {
    let source = Mutex::new((fill, 0));
    let turns = Turns {
        state: Mutex::new(State {
            turn: 0,
            waiting: HashMap::new(),
            spare: Vec::new(),
            finish: Some(finish),
            failure: None,
            is_over: false,
        }),
        changed: Condvar::new(),
        most_ahead: rayon::current_num_threads() as u64 + 2,
    };
    rayon::broadcast(|_| {
        // What panics leaves nobody waiting for its piece.
        let _guard = OverAtPanic(&turns);
        loop {
            let mut source = lock(&source);
            let (fill, next) = &mut *source;
            let Some(mut piece) = turns.spare(*next) else { return };
            match fill(&mut piece) {
                Ok(true) => {}
                Ok(false) => return turns.lock().is_over = true,
                Err(error) => return turns.fail(error),
            }
            let number = *next;
            *next += 1;
            drop(source);
            if let Err(error) = work(&mut piece) {
                return turns.fail(error);
            }
            turns.finish(number, piece);
        }
    });
    let failure = lock(&turns.state).failure.take();
    failure.map_or(Ok(()), Err)
}

struct Turns<Piece, Finish, E> {
    state: Mutex<State<Piece, Finish, E>>,
    changed: Condvar,
    /// How many pieces may be under way.
    most_ahead: u64,
}

struct State<Piece, Finish, E> {
    /// The piece that is to be finished next.
    turn: u64,
    waiting: HashMap<u64, Piece>,
    spare: Vec<Piece>,
    /// The thread that finishes takes it along.
    finish: Option<Finish>,
    failure: Option<E>,
    /// No more pieces are to be begun.
    is_over: bool,
}

impl<Piece: Default, E, Finish: FnMut(&mut Piece) -> Result<(), E>> Turns<Piece, Finish, E> {
    fn lock(&self) -> MutexGuard<'_, State<Piece, Finish, E>> {
        lock(&self.state)
    }

    /// A piece to fill with what is number `next`, once not too many are before it.
    fn spare(&self, next: u64) -> Option<Piece> {
        let is_early = |state: &mut State<Piece, Finish, E>| !state.is_over && next >= state.turn + self.most_ahead;
        let mut state = self.changed.wait_while(self.lock(), is_early).unwrap_or_else(|poison| poison.into_inner());
        (!state.is_over).then(|| state.spare.pop().unwrap_or_default())
    }

    fn fail(&self, error: E) {
        let mut state = self.lock();
        state.is_over = true;
        state.failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Finishes the piece if it is its turn, and those that waited for it; unless another
    /// thread is about it, which then goes on with these.
    fn finish(&self, number: u64, piece: Piece) {
        let mut state = self.lock();
        state.waiting.insert(number, piece);
        let Some(mut finish) = state.finish.take() else { return };
        while state.failure.is_none() {
            let turn = state.turn;
            let Some(mut piece) = state.waiting.remove(&turn) else { break };
            drop(state);
            let finished = finish(&mut piece);
            if let Err(error) = finished {
                self.fail(error);
            }
            state = self.lock();
            state.turn += 1;
            state.spare.push(piece);
            self.changed.notify_all();
        }
        state.finish = Some(finish);
    }
}

struct OverAtPanic<'a, Piece, Finish, E>(&'a Turns<Piece, Finish, E>);

impl<Piece, Finish, E> Drop for OverAtPanic<'_, Piece, Finish, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.state).is_over = true;
            self.0.changed.notify_all();
        }
    }
}

/// Nothing here is left half done by a panic of what was called without the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn both_ends_are_in_order() {
        for threads in [1, 2, 7] {
            let (mut filled, mut finished) = (0u64, Vec::new());
            let done = on(threads, || {
                in_order(
                    |piece: &mut u64| {
                        filled += 1;
                        *piece = filled;
                        Ok::<_, ()>(filled <= 500)
                    },
                    |piece| {
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
    fn errors_end_it() {
        for threads in [1, 3] {
            let filled = on(threads, || in_order(|_: &mut ()| Err(1), |()| Ok(()), |()| Ok(())));
            let worked = on(threads, || in_order(|_: &mut ()| Ok(true), |()| Err(3), |()| Ok(())));
            assert_eq!((filled, worked), (Err(1), Err(3)));
            let mut left = 5;
            let finished = on(threads, || {
                in_order(
                    |_: &mut ()| Ok(true),
                    |()| Ok(()),
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
                    |piece: &mut u64| {
                        filled += 1;
                        *piece = filled;
                        Ok::<_, ()>(true)
                    },
                    |piece| {
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
