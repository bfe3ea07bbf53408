//! Owners, permission bits and access control lists on the real disk, always by descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;

use super::access::{Acl, FileAccess, Readers, Step};

/// The attribute that holds a file's access control list (acl(5), xattr(7)).
const ACL: &str = "system.posix_acl_access";
/// Longer lists are none of ours.
const LONGEST_ACL: usize = 1024;

/// What may be looked at without being read.
pub(super) fn look(directory: &OwnedFd, name: &str) -> io::Result<Option<FileAccess>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    of_opened(&file).map(Some)
}

/// The same of what was opened for its path only.
pub(super) fn of_opened(file: &OwnedFd) -> io::Result<FileAccess> {
    // A descriptor that was opened for its path only has no attributes of its own.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut list = [0; LONGEST_ACL];
    let found = rustix::fs::getxattr(path, ACL, &mut list[..]);
    of(
        file.as_fd(),
        found.map(|length| list.get(..length).unwrap_or_default()),
    )
    .map(|(access, _)| access)
}

/// Makes these the readers of a file, and of a directory that everybody may pass through.
pub(super) fn grant(directory: &OwnedFd, name: &str, readers: Readers) -> io::Result<()> {
    if matches!(readers, Readers::User(u32::MAX) | Readers::Group(u32::MAX)) {
        return Err(refused("there is no such user or group"));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let mut list = [0; LONGEST_ACL];
    let found = rustix::fs::fgetxattr(&file, ACL, &mut list[..]);
    let (access, is_directory) = of(
        file.as_fd(),
        found.map(|length| list.get(..length).unwrap_or_default()),
    )?;
    if is_directory != (readers == Readers::Search) {
        return Err(refused(if is_directory {
            "it is a directory"
        } else {
            "it is no directory"
        }));
    }
    if !is_directory && access.links > 1 && !access.satisfies(readers) {
        return Err(refused("the file has several names"));
    }
    let as_root = rustix::process::geteuid().is_root();
    let steps = access.steps(readers, as_root);
    access.carry_out(&steps, |step| run(file.as_fd(), step))
}

/// Gives a new file the owner and group of the one that it replaces, where that is allowed: what
/// root writes for somebody stays theirs.
pub(super) fn keep_owner(directory: &OwnedFd, name: &str, file: BorrowedFd<'_>) {
    let old = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    let (Ok(old), Ok(new)) = (old, rustix::fs::fstat(file)) else {
        return;
    };
    let is_file = rustix::fs::FileType::from_raw_mode(old.st_mode).is_file();
    if is_file && (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid) {
        let (owner, group) = (Uid::from_raw(old.st_uid), Gid::from_raw(old.st_gid));
        let _ = rustix::fs::fchown(file, Some(owner), Some(group));
    }
}

fn of(file: BorrowedFd<'_>, list: Result<&[u8], Errno>) -> io::Result<(FileAccess, bool)> {
    let stat = rustix::fs::fstat(file)?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    if !kind.is_file() && !kind.is_dir() {
        return Err(refused("it is neither a file nor a directory"));
    }
    let acl = match list {
        Ok(list) => acl(list),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Acl::Nothing,
        Err(Errno::RANGE) => Acl::Other,
        Err(error) => return Err(error.into()),
    };
    let access = FileAccess {
        owner: stat.st_uid,
        group: stat.st_gid,
        mode: stat.st_mode & 0o7777,
        acl,
        #[allow(clippy::useless_conversion, reason = "not 64 bits everywhere")]
        links: u64::from(stat.st_nlink),
    };
    Ok((access, kind.is_dir()))
}

fn refused(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

fn run(file: BorrowedFd<'_>, step: Step) -> io::Result<()> {
    match step {
        Step::Chmod(mode) => rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?,
        Step::Owner(owner) => rustix::fs::fchown(file, Some(Uid::from_raw(owner)), None)?,
        Step::Group(group) => rustix::fs::fchown(file, None, Some(Gid::from_raw(group)))?,
        Step::DropAcl => match rustix::fs::fremovexattr(file, ACL) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        },
        Step::OneReader { user, owner_bits } => {
            let list = list_of_one(user, owner_bits);
            match rustix::fs::fsetxattr(file, ACL, &list, XattrFlags::empty()) {
                Ok(()) => {}
                Err(Errno::OPNOTSUPP) => {
                    let words =
                        "this filesystem knows no access control lists: only root can do it";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, words));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Version, tags and the number of nobody, as linux/posix_acl_xattr.h and linux/posix_acl.h have
/// them; all little-endian.
const VERSION: u32 = 2;
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
const NOBODY: u32 = u32::MAX;
const READ: u16 = 4;

fn list_of_one(user: u32, owner_bits: u32) -> Vec<u8> {
    let entries = [
        (USER_OBJ, owner_bits as u16, NOBODY),
        (USER, READ, user),
        (GROUP_OBJ, 0, NOBODY),
        (MASK, READ, NOBODY),
        (OTHER, 0, NOBODY),
    ];
    let mut list = VERSION.to_le_bytes().to_vec();
    for (tag, bits, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(bits.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

fn acl(list: &[u8]) -> Acl {
    let Some((version, entries)) = list.split_first_chunk::<4>() else {
        return Acl::Other;
    };
    let (entries, rest) = entries.as_chunks::<8>();
    if u32::from_le_bytes(*version) != VERSION || !rest.is_empty() {
        return Acl::Other;
    }
    let mut reader = None;
    let mut others = false;
    for [tag, tag_high, bits, bits_high, id @ ..] in entries {
        let tag = u16::from_le_bytes([*tag, *tag_high]);
        let bits = u16::from_le_bytes([*bits, *bits_high]);
        match tag {
            USER_OBJ | MASK | OTHER => {}
            GROUP_OBJ => others |= bits != 0,
            USER if reader.is_none() && bits == READ => reader = Some(u32::from_le_bytes(*id)),
            _ => others = true,
        }
    }
    match reader {
        Some(user) if !others => Acl::Reader(user),
        _ => Acl::Other,
    }
}
