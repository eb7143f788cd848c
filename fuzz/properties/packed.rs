//! What holds for any bytes that are taken for a packed file, or for a recipe. The fuzz targets
//! and the test that replays their corpora both come here.

use gosync_chunks::ReadAt;
use gosync_packed::{Closed, Options, Recipe, close, open};

/// What can be opened closes to the same, also by what is written of its recipe.
pub(crate) fn file(data: &[u8]) {
    let data = data.to_vec();
    let options = Options { opened: 1 << 22, ..Options::default() };
    let opened = open(&data, &options, &()).expect("memory can be read");
    assert!(opened.size() <= data.len() as u64 + (1 << 22));
    let recipe = Recipe::from_bytes(&opened.recipe().to_bytes()).expect("a recipe");
    assert_eq!(&recipe, opened.recipe());
    let mut closed = Vec::new();
    close(&recipe, &opened, &mut closed).expect("what was opened can be closed");
    assert_eq!(closed, data);
    let mut last = vec![0; data.len() / 2];
    let closed = Closed::new(&recipe, &opened).expect("it has the length");
    closed.read_exact_at((data.len() - last.len()) as u64, &mut last).expect("it is as long");
    assert!(data.ends_with(&last));
}

/// A recipe is the same when it is written again, and closes whatever has its length to what it
/// says, or fails.
pub(crate) fn recipe(data: &[u8]) {
    let Ok(recipe) = Recipe::from_bytes(data) else { return };
    assert_eq!(recipe.to_bytes(), data);
    if recipe.flat_len() > 1 << 20 || recipe.packed_len() > 1 << 20 {
        return;
    }
    let opened: Vec<u8> = (0..recipe.flat_len()).map(|at| (at * at % 251 % 16) as u8).collect();
    let mut closed = Vec::new();
    if close(&recipe, &opened, &mut closed).is_ok() {
        assert_eq!(closed.len() as u64, recipe.packed_len());
    }
}
