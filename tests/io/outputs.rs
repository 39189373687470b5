//! Output files are complete or not there.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use credlens::io::outputs::{Output, is_broken_pipe};
use credlens::io::write_once::{WriteOutcome, write_once};

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut output = Output::create(path)?;
    output.write_all(text.as_bytes())?;
    output.finish()
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

#[test]
fn an_output_is_complete_or_not_there() {
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
fn pipes_and_devices_are_written_directly() {
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
    #[derive(Debug, thiserror::Error)]
    #[error("writing")]
    struct Wrapped(#[source] io::Error);
    let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
    assert!(is_broken_pipe(&broken()));
    assert!(is_broken_pipe(&Wrapped(broken())));
    assert!(!is_broken_pipe(&io::Error::other("else")));
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.csv");
    assert_eq!(write_once(&path, b"report").unwrap(), WriteOutcome::Written);
    assert_eq!(write_once(&path, b"report").unwrap(), WriteOutcome::AlreadyThere);
    for other in ["", "repor", "Report", "report and more"] {
        let error = write_once(&path, other.as_bytes()).unwrap_err().to_string();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"a file with other content is in the way; move it away, or name another path");
        }
    }
    assert_eq!(fs::read(&path).unwrap(), b"report");
    assert_eq!(entries(directory.path()), 1);
}

/// Comparing them with the bytes might never end.
#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_not_overwritten() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("directory")).unwrap();
    std::process::Command::new("mkfifo")
        .arg(path("pipe"))
        .status()
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    symlink("/dev/zero", path("device")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    let errors = ["directory", "pipe", "socket", "device", "dangling"]
        .map(|name| write_once(&path(name), b"report").unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"), @r"
    a directory is in the way; move it away, or name another path
    a named pipe is in the way; move it away, or name another path
    a socket is in the way; move it away, or name another path
    a device is in the way; move it away, or name another path
    a broken symlink is in the way; move it away, or name another path
    ");
    assert_eq!(entries(directory.path()), 5, "no temporary file is left");
    write_once(&path("file"), b"report").unwrap();
    symlink("file", path("link")).unwrap();
    assert_eq!(
        write_once(&path("link"), b"report").unwrap(),
        WriteOutcome::AlreadyThere
    );
}
