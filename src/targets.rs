//! One room per platform: what services need becomes files.

pub mod compose;
