//! Making what comes next while what is there is used.

use crossbeam_channel::{Receiver, bounded};

/// Has a thread of its own take from `items` while `use_items` uses what it took: one item is
/// made while another is used, and no third one is begun until the one made is taken.
///
/// It is a thread of its own, and not one of a rayon pool, because making them may wait for the
/// network. The first error is the last item. When `use_items` drops what it is given, the
/// other thread ends once it has made the item that it is about.
pub fn ahead<Item: Send, E: Send, T>(
    items: impl Iterator<Item = Result<Item, E>> + Send,
    use_items: impl FnOnce(Ahead<Item, E>) -> T,
) -> T {
    let (sender, made) = bounded(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for item in items {
                let is_last = item.is_err();
                if sender.send(item).is_err() || is_last {
                    break;
                }
            }
        });
        use_items(Ahead { made })
    })
}

/// What another thread makes, in order.
pub struct Ahead<Item, E> {
    made: Receiver<Result<Item, E>>,
}

impl<Item, E> Iterator for Ahead<Item, E> {
    type Item = Result<Item, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.made.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_come_in_order() {
        assert!(ahead((0..1000).map(Ok::<_, ()>), |items| items.eq((0..1000).map(Ok))));
    }

    #[test]
    fn one_is_made_ahead_and_no_more() {
        let made = AtomicUsize::new(0);
        let items = (0..100).inspect(|_| _ = made.fetch_add(1, Ordering::SeqCst)).map(Ok::<_, ()>);
        ahead(items, |items| {
            for item in items {
                assert!(made.load(Ordering::SeqCst) <= item.unwrap() + 2);
            }
        });
    }

    #[test]
    fn it_ends_when_no_more_is_wanted() {
        let sum: Result<i32, ()> = ahead((0..).map(Ok), |items| items.take(3).sum());
        assert_eq!(sum, Ok(3));
        assert_eq!(ahead(std::iter::repeat(Ok::<(), ()>(())), |_| 1), 1);
    }

    #[test]
    fn nothing_is_made_after_an_error() {
        let mut made = 0;
        let items = (0..).inspect(|_| made += 1).map(|number| if number == 3 { Err("three") } else { Ok(()) });
        assert_eq!(ahead(items, |items| items.collect::<Vec<_>>()), [Ok(()), Ok(()), Ok(()), Err("three")]);
        assert_eq!(made, 4);
    }
}
