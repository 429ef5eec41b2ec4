//! Files are replaced whole.

use cornu_models::saving::write_file;

use crate::temporary;

#[test]
fn a_writer_that_fails_leaves_the_old_file_and_no_other() {
    let folder = temporary("failing");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file");
    write_file(&path, |out| out.write_all(b"old")).unwrap();
    let failed = write_file(&path, |out| {
        out.write_all(b"new")?;
        Err(std::io::Error::other("no more space"))
    });
    assert!(failed.unwrap_err().to_string().ends_with("; got no more space"));
    let panicked = std::panic::catch_unwind(|| write_file(&path, |_| panic!("in the middle")));
    assert!(panicked.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let error = write_file(&folder, |_| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("only a file can be replaced by a file; got a folder"), "{error}");
    let error = write_file(folder.join("no/such"), |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("the file can't be written"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (path, link) = (temporary("linked"), temporary("link"));
    write_file(&path, |out| out.write_all(b"old")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    write_file(&link, |out| out.write_all(b"new")).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}
