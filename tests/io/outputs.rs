//! Outputs that are whole or not there.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use credlens::io::outputs::{Output, is_broken_pipe};

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut output = Output::create(path)?;
    output.write_all(text.as_bytes())?;
    output.finish()
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

#[test]
fn an_output_is_whole_or_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.json");
    let mut unfinished = Output::create(&path).unwrap();
    unfinished.write_all(&vec![b'x'; 1 << 20]).unwrap();
    assert!(!path.exists());
    drop(unfinished);
    assert_eq!(entries(directory.path()), 0);
    write(&path, "first").unwrap();
    drop(Output::create(&path).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    write(&path, "second").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "second");
    assert_eq!(entries(directory.path()), 1);
    assert!(Output::create(&directory.path().join("no/such/out.json")).is_err());
    assert!(Output::create(directory.path()).is_err());
}

#[cfg(unix)]
#[test]
fn an_output_keeps_permissions_and_symlinks() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("plain"), "").unwrap();
    write(&path("new"), "x").unwrap();
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("new"), mode("plain"), "as the umask leaves it");
    fs::set_permissions(path("new"), fs::Permissions::from_mode(0o640)).unwrap();
    write(&path("new"), "y").unwrap();
    assert_eq!(mode("new"), 0o640);
    symlink("new", path("link")).unwrap();
    symlink("later", path("dangling")).unwrap();
    write(&path("link"), "z").unwrap();
    write(&path("dangling"), "w").unwrap();
    assert!(path("link").is_symlink() && path("dangling").is_symlink());
    assert_eq!(fs::read_to_string(path("new")).unwrap(), "z");
    assert_eq!(fs::read_to_string(path("later")).unwrap(), "w");
    symlink("circle", path("circle")).unwrap();
    assert!(Output::create(&path("circle")).is_err());
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_written_through() {
    write(Path::new("/dev/null"), "x").unwrap();
    let (mut reader, writer) = io::pipe().unwrap();
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
    write(Path::new(&path), "through").unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
}

#[test]
fn a_closed_pipe_is_recognised() {
    let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
    assert!(is_broken_pipe(&broken()));
    let wrapped = anyhow::Error::new(broken()).context("writing");
    assert!(is_broken_pipe(wrapped.as_ref()));
    assert!(!is_broken_pipe(&io::Error::other("else")));
}
