//! What must come out, in files beside the tests. `UPDATE_GOLDEN=1` writes what comes out; read the difference before
//! keeping it.

use std::fs;
use std::path::Path;

/// Compares with what the file has, byte for byte. Tells the first line that differs.
pub(crate) fn compare(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    let content = content.as_ref();
    if updating() {
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a writable folder");
        fs::write(path, content).expect("a writable folder");
    }
    let place = path.display();
    let recorded = fs::read(path).map_err(|error| format!("{place}: {error}"))?;
    if recorded == content {
        return Ok(());
    }
    let (recorded, told) = (String::from_utf8_lossy(&recorded), String::from_utf8_lossy(content));
    let differing = recorded.lines().zip(told.lines()).find(|(one, other)| one != other);
    Err(match differing {
        Some((recorded, told)) => format!("{place}: recorded:\n{recorded}\nbut is:\n{told}"),
        None => format!("{place}: one is longer than the other, or ends in another way"),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting of these tests, read where it is used"
)]
fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}
