//! Versions laid out in a folder that has no locks, as those of object stores.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use gosync::publication::{Made, Publication, PublicationError, Source, Versions};
use gosync::publish::{Build, BuildOptions, Caching, Error as PublishError, Folder, Held, TargetName, WriteFile};
use gosync::sources::Location;
use gosync::{Error, pointer::Pointer};

/// Files in memory, and what was done to them, in order.
#[derive(Default)]
struct Memory {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    log: Mutex<Vec<String>>,
}

impl Memory {
    fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    fn pointer(&self) -> Pointer {
        Pointer::read(&self.files.lock().unwrap()["app.gosync-latest"]).unwrap().0
    }
}

impl Folder for Memory {
    fn read(&self, name: &str, _: u64) -> Result<Option<Held>, PublishError> {
        Ok(self.files.lock().unwrap().get(name).map(|bytes| Held::untagged(bytes.clone())))
    }

    fn length(&self, name: &str) -> Result<Option<u64>, PublishError> {
        Ok(self.files.lock().unwrap().get(name).map(|bytes| bytes.len() as u64))
    }

    fn put(&self, name: &str, caching: Caching, write: WriteFile<'_>) -> Result<(), PublishError> {
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        let is_new = self.files.lock().unwrap().insert(name.into(), bytes).is_none();
        assert!(is_new || caching == Caching::Fresh, "{name} was replaced, and caches may have it");
        self.log.lock().unwrap().push(format!("put {name}"));
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, PublishError> {
        let mut files = self.files.lock().unwrap();
        if files.get(name) != held.map(|held| &held.bytes) {
            return Ok(false);
        }
        files.insert(name.into(), bytes.to_vec());
        self.log.lock().unwrap().push(format!("put {name}"));
        Ok(true)
    }

    fn remove(&self, name: &str) -> Result<(), PublishError> {
        self.files.lock().unwrap().remove(name);
        self.log.lock().unwrap().push(format!("remove {name}"));
        Ok(())
    }
}

/// Publishes `target`; `meanwhile` happens when its index is made.
fn publish(folder: &Memory, target: &[u8], meanwhile: impl FnOnce()) -> Result<Made, Error> {
    publish_until(folder, target, None, meanwhile)
}

fn publish_until(
    folder: &Memory,
    target: &[u8],
    expires_at: Option<u64>,
    meanwhile: impl FnOnce(),
) -> Result<Made, Error> {
    let (name, location) = (TargetName::new("app").unwrap(), Location::from(std::path::PathBuf::from("folder")));
    let publication = Publication {
        folder,
        location: &location,
        name: &name,
        #[cfg(feature = "sign")]
        key: None,
        now: 1000,
        expires_at,
        keep: NonZeroUsize::new(1),
        progress: &(),
    };
    let target = target.to_vec();
    publication.publish(Source::Plain(&target), |payload, call| {
        meanwhile();
        let options = &BuildOptions::default();
        let build = Build { target: &target, called: "app", name: None, sections: Vec::new(), options, progress: &() };
        Ok(build.index_by_content(payload, call)?)
    })
}

#[test]
fn the_pointer_comes_last_and_what_is_removed_after_it() {
    let folder = Memory::default();
    for (serial, target) in [b"one fish", b"two fish", b"red fish"].into_iter().enumerate() {
        folder.log.lock().unwrap().clear();
        let made = publish(&folder, target, || {}).unwrap();
        assert_eq!(made.pointer.serial, serial as u64 + 1);
        let log = folder.log.lock().unwrap().clone();
        let pointer = log.iter().position(|done| done == "put app.gosync-latest").unwrap();
        assert!(log[..pointer].iter().all(|done| done.starts_with("put ")), "{log:?}");
        assert_eq!(log[pointer + 1..].iter().filter(|done| done.starts_with("remove ")).count(), made.removed.len());
        let mut expected = made.names.clone();
        expected.extend(["app.gosync-latest", "app.gosync-versions"].map(str::to_owned));
        expected.sort();
        assert_eq!(folder.names(), expected);
    }
}

#[test]
fn what_is_the_same_is_not_published_again() {
    let folder = Memory::default();
    let first = publish(&folder, b"one fish", || {}).unwrap();
    let files = folder.files.lock().unwrap().clone();
    folder.log.lock().unwrap().clear();
    let again = publish(&folder, b"one fish", || {}).unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!((again.pointer, &again.names), (first.pointer, &first.names));
    assert!(folder.log.lock().unwrap().is_empty() && *folder.files.lock().unwrap() == files);

    // Clients have to be told until when; the content is there.
    let until = publish_until(&folder, b"one fish", Some(2000), || {}).unwrap();
    assert!(until.is_new && until.names[0] == first.names[0] && until.names[1] != first.names[1]);
    assert_eq!((until.pointer.serial, until.removed), (2, vec![first.names[1].clone()]));
    let content = format!("put {}", first.names[0]);
    assert!(!folder.log.lock().unwrap().contains(&content));
    // So has the time to be put off, and to be taken back.
    for expires_at in [Some(3000), None] {
        let made = publish_until(&folder, b"one fish", expires_at, || {}).unwrap();
        assert!(made.is_new && made.names[0] == first.names[0]);
    }
    assert_eq!(folder.names().len(), 4);

    // Somebody removed what was published, or cut it off.
    for number in [0, 1] {
        let current = publish(&folder, b"one fish", || {}).unwrap();
        assert!(!current.is_new);
        let name = &current.names[number];
        folder.files.lock().unwrap().remove(name);
        let made = publish(&folder, b"one fish", || {}).unwrap();
        assert!(made.is_new && made.names.iter().all(|name| folder.names().contains(name)), "{name}");
    }
    // And what comes back is a version like any other.
    publish(&folder, b"two fish", || {}).unwrap();
    let back = publish(&folder, b"one fish", || {}).unwrap();
    assert!(back.is_new && back.names[0] != first.names[0]);
}

#[test]
fn of_two_publishers_at_once_the_second_is_refused() {
    let folder = Memory::default();
    publish(&folder, b"one fish", || {}).unwrap();
    let second = Mutex::new(None);
    let first = publish(&folder, b"red fish", || {
        *second.lock().unwrap() = Some(publish(&folder, b"blue fish", || {}).unwrap());
    });
    let second = second.into_inner().unwrap().unwrap();
    assert!(matches!(first, Err(Error::Publication(PublicationError::Overtaken { serial: 2, .. }))), "{first:?}");
    assert_eq!(folder.pointer(), second.pointer);
    // All that clients need is there, and what the other one left goes with the next version.
    assert!(second.names.iter().all(|name| folder.names().contains(name)));
    let third = publish(&folder, b"red fish", || {}).unwrap();
    assert_eq!((third.pointer.serial, folder.names().len()), (3, 4));
    let list = folder.files.lock().unwrap()["app.gosync-versions"].clone();
    let list = Versions::read("app", std::str::from_utf8(&list).unwrap()).unwrap();
    assert_eq!(list.names().map(str::to_owned).collect::<Vec<_>>(), third.names);
}

#[test]
fn an_answer_that_was_lost_is_no_failure() {
    /// Says that it did not, though it did, as a store does that is asked again.
    struct Forgetful(Memory);
    impl Folder for Forgetful {
        fn read(&self, name: &str, limit: u64) -> Result<Option<Held>, PublishError> {
            self.0.read(name, limit)
        }
        fn length(&self, name: &str) -> Result<Option<u64>, PublishError> {
            self.0.length(name)
        }
        fn put(&self, name: &str, caching: Caching, write: WriteFile<'_>) -> Result<(), PublishError> {
            self.0.put(name, caching, write)
        }
        fn replace(&self, name: &str, bytes: &[u8], held: Option<&Held>) -> Result<bool, PublishError> {
            assert!(self.0.replace(name, bytes, held)?);
            Ok(false)
        }
        fn remove(&self, name: &str) -> Result<(), PublishError> {
            self.0.remove(name)
        }
    }
    let folder = Forgetful(Memory::default());
    let (name, location) = (TargetName::new("app").unwrap(), Location::from(std::path::PathBuf::from("folder")));
    let publication = Publication {
        folder: &folder,
        location: &location,
        name: &name,
        #[cfg(feature = "sign")]
        key: None,
        now: 1000,
        expires_at: None,
        keep: None,
        progress: &(),
    };
    let target = b"fish".to_vec();
    let made = publication.publish(Source::Plain(&target), |payload, call| {
        let options = &BuildOptions::default();
        let build = Build { target: &target, called: "app", name: None, sections: Vec::new(), options, progress: &() };
        Ok(build.index_by_content(payload, call)?)
    });
    assert_eq!(made.unwrap().pointer, folder.0.pointer());
}
