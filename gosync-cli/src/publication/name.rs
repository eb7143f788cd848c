//! File names that an index does not give, or not to all.

use std::path::Path;

use gosync::publish::TargetName;

use crate::console::Console;

/// Warns where the name of `file`, if there is one, does not get into its index, or is of no use
/// on Windows.
pub(crate) fn warn(file: &Path, console: &Console) {
    let Some(name) = file.file_name().filter(|_| file.exists()) else { return };
    let refused = match name.to_str().map(TargetName::new) {
        None => "it is not text in UTF-8".to_owned(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(name)) => {
            if let Some(meaning) = name.on_windows() {
                console.message(format_args!(
                    "warning: on Windows {:?} is {meaning}: clients there have to be told the SOURCE",
                    name.as_str()
                ));
            }
            return;
        }
    };
    console.message(format_args!("warning: the index does not name its target, {}: {refused}", file.display()));
    console.message("hint: rename the file, or have clients give the SOURCE");
}
