//! Makes sure that nothing outlives the test process, however that ends: a small shell holds the list of processes and
//! directories, and clears them away when its input closes. Statics are never dropped, so destructors are not enough.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids=' '
dirs=''
while read -r word value; do
    case $word in
        pid) pids="$pids$value " ;;
        gone) pids="${pids%% $value *} ${pids#* $value }" ;;
        dir) dirs="$dirs $value" ;;
    esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
for dir in $dirs; do rm -rf "$dir"; done
"#;

static GUARDIAN: OnceLock<Mutex<Child>> = OnceLock::new();

/// The process ends with this one at the latest.
pub(crate) fn watch(pid: u32) {
    tell(&format!("pid {pid}\n"));
}

/// The process has ended and was waited for: its number may belong to somebody else from now on.
pub(crate) fn forget(pid: u32) {
    tell(&format!("gone {pid}\n"));
}

/// The directory goes with this process at the latest.
pub(crate) fn clear_away(directory: &Path) {
    tell(&format!("dir {}\n", directory.display()));
}

fn tell(line: &str) {
    let guardian = GUARDIAN.get_or_init(|| {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Mutex::new(shell.spawn().expect("a shell can be started"))
    });
    let mut guardian = guardian.lock().unwrap_or_else(PoisonError::into_inner);
    let input = guardian.stdin.as_mut().expect("its input is a pipe");
    input
        .write_all(line.as_bytes())
        .expect("the guardian reads until the end");
}
