//! The two files: how they are opened, and under which name the copy stands while it is written.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use overlapped::ffi::constants::{FILE_FLAG_NO_BUFFERING, FILE_FLAG_OVERLAPPED};

use super::arguments::Options;

/// Has no name for its zeros on the disk. From winnt.h.
const FILE_ATTRIBUTE_SPARSE_FILE: u32 = 0x200;

/// Where the copy is to be, and where it is written.
pub struct Target {
    pub path: PathBuf,
    pub partial: PathBuf,
    overwrite: bool,
}

fn flags(options: &Options) -> u32 {
    FILE_FLAG_OVERLAPPED | if options.unbuffered { FILE_FLAG_NO_BUFFERING } else { 0 }
}

/// Opens the file to copy.
pub fn open_source(options: &Options) -> Result<(File, Metadata), String> {
    let path = &options.source;
    let cannot = |error: io::Error| format!("cannot open {}: {error}", path.display());
    if path.is_dir() {
        return Err(format!("{} is a folder, and this copies one file", path.display()));
    }
    let file = File::options().read(true).custom_flags(flags(options)).open(path);
    let file = file.map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    Ok((file, metadata))
}

impl Target {
    /// Where it is to be, if it may be there.
    pub fn of(options: &Options) -> Result<Self, String> {
        let mut path = options.target.clone();
        if path.is_dir() {
            path.push(options.source.file_name().unwrap_or_default());
        }
        if path.is_dir() {
            return Err(format!("{} is a folder, and it stays one", path.display()));
        }
        if let (Ok(source), Ok(target)) = (options.source.canonicalize(), path.canonicalize()) {
            if source == target {
                return Err("SRC and DST are the same file".to_string());
            }
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let target = Self { path, partial: partial.into(), overwrite: options.overwrite };
        target.expect_nothing()?;
        Ok(target)
    }

    fn expect_nothing(&self) -> Result<(), String> {
        if self.overwrite || !self.path.exists() {
            return Ok(());
        }
        Err(format!("{} is there already; --overwrite replaces it", self.path.display()))
    }

    /// Makes the file to write to, as long as the copy is to be.
    pub fn create(&self, options: &Options, length: u64, sparse: bool) -> Result<File, String> {
        let name = self.partial.display();
        let mut open = File::options();
        open.write(true).create_new(true);
        let created = open.clone().custom_flags(flags(options)).open(&self.partial);
        let file = created.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                format!(
                    "{name} is there: another copy is under way, or was ended hard; delete it then"
                )
            }
            _ => format!("cannot make {name}: {error}"),
        })?;
        // A handle of its own, for such calls wait, and an overlapped one does not.
        let made = File::options().write(true).open(&self.partial).and_then(|plain| {
            if sparse {
                // Where there are no such files, the zeros are written.
                let _ = super::sparse::make_sparse(&plain);
            }
            plain.set_len(length)
        });
        made.map_err(|error| {
            self.give_up();
            format!("cannot make {name} {length} bytes long: {error}")
        })?;
        Ok(file)
    }

    /// The copy is complete: it gets its length, and its name.
    pub fn finish(&self, length: u64) -> Result<(), String> {
        let finish = || -> io::Result<()> {
            let file = File::options().write(true).open(&self.partial)?;
            if file.metadata()?.len() != length {
                file.set_len(length)?;
            }
            drop(file);
            fs::rename(&self.partial, &self.path)
        };
        self.expect_nothing()?;
        let name = self.path.display();
        finish().map_err(|error| format!("cannot give the copy its name, {name}: {error}"))
    }

    /// Deletes what was written, and says so if that cannot be done.
    pub fn give_up(&self) -> Option<String> {
        match fs::remove_file(&self.partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Some(format!("{} could not be deleted: {error}", self.partial.display()))
            }
            _ => None,
        }
    }
}

pub fn is_sparse(metadata: &Metadata) -> bool {
    metadata.file_attributes() & FILE_ATTRIBUTE_SPARSE_FILE != 0
}

/// What is copied: from there to the end of the file.
pub fn part(options: &Options, length: u64, source: &Path) -> Result<std::ops::Range<u64>, String> {
    if options.from > length {
        let (from, source) = (options.from, source.display());
        return Err(format!(
            "--from {from} is beyond the end of {source}, which has {length} bytes"
        ));
    }
    Ok(options.from..length)
}
