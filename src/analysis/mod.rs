//! L3: judging. A pure function of rows and settings, byte for byte the same every time.

pub mod verdict;
