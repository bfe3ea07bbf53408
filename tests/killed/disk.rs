//! The same on a real disk: permissions, a change of the umask, a directory that cannot be written.
