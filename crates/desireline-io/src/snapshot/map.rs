//! A file's bytes, without reading them where the system can map them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

/// What the widest column needs.
const ALIGNMENT: usize = 8;

/// The bytes of the file: mapped, or read where it cannot be mapped.
pub(super) fn bytes(path: &Path) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    if meta.len() == 0 {
        return Ok(Bytes::new());
    }
    match map(&file) {
        Ok(map) => Ok(Bytes::from_owner(map)),
        Err(_) => {
            let mut read = Vec::new();
            file.read_to_end(&mut read)?;
            Ok(aligned(read.into()))
        }
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is private to this process and read only, and lives as long as any column that borrows from
    // it. What no program can rule out is another one changing or shortening the file in place; this library replaces
    // files by renaming only, which leaves the mapped content as it is, and the documentation asks the same of others.
    unsafe { Mmap::map(file) }
}

/// The same bytes at an address that every column can be read at.
pub(super) fn aligned(bytes: Bytes) -> Bytes {
    if bytes.as_ptr().align_offset(ALIGNMENT) == 0 {
        return bytes;
    }
    let mut words = vec![0u64; bytes.len().div_ceil(ALIGNMENT)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
    Bytes::from_owner(Words(words)).slice(..bytes.len())
}

struct Words(Vec<u64>);

impl AsRef<[u8]> for Words {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}
