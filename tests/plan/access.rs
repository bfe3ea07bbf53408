//! Who may read the files that the user brings.
