//! Writing to a name: what was there before is treated as its owner expects.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use desireline_io::{RowWriter, WholeFile};

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}

fn rows() -> RecordBatch {
    RecordBatch::try_from_iter([("user", Arc::new(StringArray::from(vec!["ann"])) as _)]).unwrap()
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link, second) = (
        folder.path().join("target.csv"),
        folder.path().join("link.csv"),
        folder.path().join("second.csv"),
    );
    fs::write(&target, "old").unwrap();
    symlink("target.csv", &link).unwrap();
    symlink(&link, &second).unwrap();
    write(&second, b"new").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&second).unwrap().is_symlink());

    let mut writer = RowWriter::create(&link, rows().schema()).unwrap();
    writer.write(&rows()).unwrap();
    writer.finish().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"user\nann\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    // Also where the target is not there yet.
    fs::remove_file(&target).unwrap();
    write(&link, b"again").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"again");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn permissions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.csv");
    for mode in [0o600, 0o640, 0o666] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        write(&path, b"new").unwrap();
        let now = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(now, mode, "{now:o}");
        let mut writer = RowWriter::create(&path, rows().schema()).unwrap();
        writer.write(&rows()).unwrap();
        writer.finish().unwrap();
        let now = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(now, mode, "{now:o}");
    }
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    for way in 0..2 {
        let from = pipe.clone();
        let reader = std::thread::spawn(move || fs::read(from).unwrap());
        if way == 0 {
            write(&pipe, b"user\nann\n").unwrap();
        } else {
            let mut writer = RowWriter::create(&pipe, rows().schema()).unwrap();
            writer.write(&rows()).unwrap();
            writer.finish().unwrap();
        }
        assert_eq!(reader.join().unwrap(), b"user\nann\n");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_device_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("null.csv");
    symlink("/dev/null", &link).unwrap();
    write(&link, b"nothing").unwrap();
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn folders_and_dropped_writers_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(write(folder.path(), b"x").is_err());
    let path = folder.path().join("half.csv");
    fs::write(&path, "old").unwrap();
    let mut file = WholeFile::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
