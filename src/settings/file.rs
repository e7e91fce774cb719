//! One small JSON file: read with a bound, replaced in one step.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use serde_json::{Map, Value};

use crate::limits;

/// Reads a JSON object; `None` when there is no such file.
///
/// Errors: one line that names the file.
pub fn read_object(path: &Path) -> Result<Option<Map<String, Value>>, String> {
    let say = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(say(&cause)),
    };
    let mut text = String::new();
    file.take(limits::STATE_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|cause| say(&cause))?;
    if text.len() as u64 > limits::STATE_FILE_BYTES_MAX {
        return Err(say(&"larger than 1 MiB"));
    }
    // Some editors begin a file with a byte order mark (RFC 8259, 8.1 lets us ignore it).
    match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        Ok(_) => Err(say(&"not a JSON object")),
        Err(cause) => Err(say(&cause)),
    }
}

/// Replaces the file at `path` with `value`, pretty-printed, mode 0600: a reader sees the old
/// content or the new, and so does the next start after a power cut.
///
/// Errors: one line that names the file.
pub fn write_json(path: &Path, value: &Value) -> Result<(), String> {
    replace(path, value).map_err(|cause| format!("{}: {cause}", path.display()))
}

/// Reads a file whole that has at most `STATE_FILE_BYTES_MAX` bytes; `None` when there is none.
///
/// Errors: one line that names the file.
pub fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let say = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(say(&cause)),
    };
    let mut bytes = Vec::new();
    file.take(limits::STATE_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|cause| say(&cause))?;
    Ok(Some(bytes))
}

/// Replaces a file of the state directory that nobody else may read, in one step.
///
/// Errors: one line that names the file.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let temporary = path.with_extension("new");
    put(path, &temporary, bytes).map_err(|cause| format!("{}: {cause}", path.display()))
}

/// Gives a file of the state directory another name, its own with `.before` behind it, in the place of what has that
/// name; nothing happens where there is no file.
///
/// Errors: one line that names the file.
pub fn put_aside(path: &Path) -> Result<(), String> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".before");
    match std::fs::rename(path, aside) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {cause}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Temporary file, sync, rename, sync of the folder.
pub(super) fn replace(path: &Path, value: &Value) -> std::io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    put(path, &path.with_extension("json.new"), text.as_bytes())
}

/// The same for any content.
fn put(path: &Path, temporary: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(temporary)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // The owner at the command line may be root; the server must still be able to read the file.
    let (owner, ours) = (folder.metadata()?, file.metadata()?);
    if (owner.uid(), owner.gid()) != (ours.uid(), ours.gid()) && ours.uid() == 0 {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_written_is_read_again_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        assert_eq!(read_object(&path).unwrap(), None);
        write_json(&path, &json!({"b": 1, "a": [true]})).unwrap();
        assert_eq!(
            Value::Object(read_object(&path).unwrap().unwrap()),
            json!({"b": 1, "a": [true]})
        );
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, "\u{feff}{\"a\": 1}").unwrap();
        assert_eq!(Value::Object(read_object(&path).unwrap().unwrap()), json!({ "a": 1 }));
        std::fs::write(&path, "\u{feff}\u{feff}{}").unwrap();
        assert!(read_object(&path).is_err());
    }

    #[test]
    fn what_is_not_an_object_or_too_large_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        for bad in ["[1]", "{", "", &format!("{{\"a\": \"{}\"}}", "x".repeat(1 << 20))] {
            std::fs::write(&path, bad).unwrap();
            assert!(
                read_object(&path).unwrap_err().contains("x.json"),
                "{}",
                &bad[..bad.len().min(9)]
            );
        }
    }
}
